import re
from pathlib import Path

import pytest

import porism
from porism import InputError, Sandbox, sandbox_report

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def test_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    for snippet in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(snippet, "docs/sandbox.md", "exec"), {})
    assert "privileges holds" in capsys.readouterr().out


def test_the_page_explains_every_guarantee() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [entry.name for entry in sandbox_report().guarantees]


def test_the_report_is_the_same_twice() -> None:
    assert sandbox_report() == sandbox_report()
    assert sandbox_report().holds("privileges")


@pytest.mark.parametrize(
    "wrong", [{"network": "some"}, {"demand": ("everything",)}, {"processes": 0}, {"memory_bytes": -1}]
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Sandbox(**wrong)  # type: ignore[arg-type]


def test_guarantees_are_those_of_the_core() -> None:
    names = tuple(entry.name for entry in sandbox_report().guarantees)
    assert porism.Sandbox(demand=names).demand == names  # type: ignore[arg-type]
