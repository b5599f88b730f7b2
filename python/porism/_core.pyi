import os
from collections.abc import Callable, Mapping, Sequence
from types import GenericAlias
from typing import Any, Generic, Literal, TypeAlias, TypedDict, TypeVar, final

import numpy as np
import numpy.typing as npt

from porism._sandbox import Sandbox
from porism._where import Conditions

__all__ = [
    "CANCELLED",
    "CLOSED",
    "DIMENSION",
    "EMBEDDERS",
    "ERROR",
    "METAMATH_BUDGET",
    "METAMATH_CHECKER",
    "PLACE",
    "SQLITE_VERSION",
    "VALUE",
    "WORKERS_GONE",
    "Cancel",
    "CurrentRequest",
    "Goal",
    "Handle",
    "Library",
    "Memory",
    "Metamath",
    "NativeWorker",
    "Place",
    "Port",
    "ProcessOutcome",
    "Processes",
    "Proofs",
    "Queue",
    "Ranking",
    "Session",
    "Ticket",
    "VerdictCache",
    "__version__",
    "certificate_format",
    "check_certificate",
    "content_hash",
    "current_request",
    "embed",
    "fuse",
    "import_egg_explanation",
    "isa",
    "run_process",
    "sandbox_report",
    "upgrade_memory",
    "verdict_key",
]

__version__: str
SQLITE_VERSION: str
DIMENSION: int
EMBEDDERS: list[str]

_Floats: TypeAlias = npt.NDArray[np.float32]
_NewRecordFields: TypeAlias = tuple[str, str, str | None, str | None, str, str]
_LifeFields: TypeAlias = tuple[int, int, int | None, int | None]
_RecordFields: TypeAlias = tuple[int, str, str, str | None, str | None, str, str, str, int, _LifeFields]
_ReceiptFields: TypeAlias = tuple[str, str, str, str]
_EvidenceFields: TypeAlias = tuple[
    int, int, str, list[int], str, str, str, float, str | None, str | None, _ReceiptFields | None, int
]

class _NewEvidence(TypedDict):
    goal: int
    verdict: str
    used: list[int]
    prover: str
    prover_version: str
    label: str
    seconds: float
    reprover: str | None
    reprover_version: str | None
    receipt: _ReceiptFields | None

class _Options(TypedDict):
    read_only: bool
    timeout_s: float
    durability: str
    budget_bytes: int | None

_CandidateFields: TypeAlias = tuple[int, float, int | None, float]
_SettlementFields: TypeAlias = tuple[str, int, float, list[int], int | None]
_EventFields: TypeAlias = tuple[
    int, int, int, list[_CandidateFields], str, int, int, _SettlementFields | None, int | None
]

METAMATH_BUDGET: tuple[int, int, int]
METAMATH_CHECKER: tuple[str, str]

@final
class Library:
    @staticmethod
    def read(path: str | os.PathLike[str]) -> Library: ...
    @staticmethod
    def parse(text: str, *, label: str = "<text>") -> Library: ...
    def __len__(self) -> int: ...
    def name(self, position: int) -> str: ...
    def role(self, position: int) -> str: ...
    def statement(self, position: int) -> str: ...
    def goals(self) -> list[Goal]: ...
    def goal(self, position: int) -> Goal: ...
    def premises(self, goal: Goal, *, usable: Sequence[bool] = ...) -> list[int]: ...
    def similarity(self, goal: Goal, *, usable: Sequence[bool] = ...) -> Ranking: ...
    def nearest_proofs(self, goal: Goal, proofs: Proofs, *, k: int, usable: Sequence[bool] = ...) -> Ranking: ...
    def tptp(self, goal: Goal, premises: Sequence[int]) -> str: ...
    def smt2(self, goal: Goal, premises: Sequence[int]) -> str: ...

@final
class Goal:
    @property
    def members(self) -> list[int]: ...
    @property
    def before(self) -> int: ...

@final
class Ranking:
    def __len__(self) -> int: ...
    def top(self, count: int) -> list[int]: ...
    @property
    def positions(self) -> bytes: ...
    @property
    def scores(self) -> bytes: ...

@final
class Proofs:
    def __new__(cls) -> Proofs: ...
    def __len__(self) -> int: ...
    def add(self, goal: int, premises: Sequence[int]) -> None: ...

def fuse(rankings: Sequence[tuple[Ranking, float]], *, constant: float) -> Ranking: ...
def content_hash(content: bytes) -> str: ...

@final
class Cancel:
    def __new__(cls) -> Cancel: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool: ...

@final
class ProcessOutcome:
    @property
    def ending(self) -> Literal["exited", "signalled", "timed_out", "cancelled", "output_too_large"]: ...
    @property
    def code(self) -> int | None: ...
    @property
    def stdout(self) -> bytes: ...
    @property
    def stderr(self) -> bytes: ...
    @property
    def wall_s(self) -> float: ...
    @property
    def cpu_s(self) -> float: ...

def run_process(
    program: str | os.PathLike[str],
    args: Sequence[str],
    *,
    stdin: bytes = ...,
    wall_s: float,
    cpu_s: int | None = None,
    memory_bytes: int | None = None,
    max_output_bytes: int = ...,
    cancel: Cancel | None = None,
    env: Mapping[str, str | None] = ...,
    dir: str | os.PathLike[str] | None = None,
    sandbox: Sandbox | None = None,
) -> ProcessOutcome: ...
def embed(embedder: str, texts: list[str]) -> bytes: ...
def isa() -> str: ...
def upgrade_memory(path: str | os.PathLike[str]) -> int: ...

@final
class Memory:
    @staticmethod
    def open(
        path: str | os.PathLike[str],
        *,
        create: bool,
        read_only: bool,
        timeout_s: float,
        durability: str,
        embedder: tuple[str, int] | None,
        budget_bytes: int | None,
    ) -> Memory: ...
    def close(self) -> None: ...
    def insert_many(self, records: list[_NewRecordFields], vectors: _Floats | None) -> list[tuple[int, bool, bool]]: ...
    def get(self, ids: list[int], at: int | None) -> list[_RecordFields]: ...
    def find(self, filter: Conditions) -> list[_RecordFields]: ...
    def recall(
        self,
        text: str | None,
        vector: _Floats | None,
        k: int,
        recall: float,
        views: list[str] | None,
        filter: Conditions | None,
    ) -> tuple[int, bytes, bytes]: ...
    def recall_many(
        self, vectors: _Floats, k: int, recall: float, filter: Conditions | None
    ) -> tuple[int, list[int], bytes, bytes]: ...
    def index(self) -> str: ...
    def build_index(self) -> bool: ...
    def measure_recall(self, k: int, recall: float, vectors: _Floats | None) -> tuple[float, float, float, int]: ...
    def forget(self, ids: list[int], reason: str) -> list[int]: ...
    def restore(self, ids: list[int]) -> list[int]: ...
    def merge(self, one: int, other: int) -> int: ...
    def apply(self, operations: list[tuple[str, object]], expected: int | None) -> list[list[int]]: ...
    def history(self, id: int) -> list[tuple[int, str, str, int]]: ...
    def snapshot(self, name: str) -> int: ...
    def drop_snapshot(self, name: str) -> None: ...
    def snapshots(self) -> list[tuple[str, int, int]]: ...
    def compact(self) -> tuple[int, int, int]: ...
    def purge(self, ids: list[int], dry_run: bool) -> tuple[list[int], list[int]]: ...
    def reembed(self, embedder: str, dimension: int, ids: list[int], vectors: _Floats) -> None: ...
    def flush(self) -> None: ...
    def load(self, read: Callable[[int], bytes]) -> tuple[int, int, int, int, bool]: ...
    def add_evidence(self, evidence: _NewEvidence) -> int: ...
    def evidence(self, goal: int | None) -> list[_EvidenceFields]: ...
    def log_event(
        self, goal: int, *, snapshot: int, candidates: list[_CandidateFields], policy: str, seed: int
    ) -> int: ...
    def events(self, id: int | None) -> list[_EventFields]: ...
    def settle(self, event: int, settlement: _SettlementFields) -> _SettlementFields: ...
    @property
    def embedder(self) -> tuple[str, int]: ...
    @property
    def generation(self) -> int: ...
    def stats(self) -> str: ...
    def export(self, write: Callable[[bytes], object], vectors: bool) -> None: ...
    def verify(self) -> tuple[int, int, list[tuple[os.PathLike[str], str, str]]]: ...

_R_co = TypeVar("_R_co", covariant=True)
_Message: TypeAlias = tuple[int, int, Any]
_Gauges: TypeAlias = tuple[int, int, int, int, float]
_HistogramFields: TypeAlias = tuple[int, float, list[tuple[float, int]]]

VALUE: int
ERROR: int
CANCELLED: int
PLACE: int
CLOSED: int
WORKERS_GONE: int

@final
class NativeWorker:
    @staticmethod
    def null() -> NativeWorker: ...
    @staticmethod
    def digest() -> NativeWorker: ...

@final
class CurrentRequest:
    @property
    def cancelled(self) -> bool: ...
    @property
    def time_left_s(self) -> float | None: ...

def current_request() -> CurrentRequest | None: ...

@final
class Ticket(Generic[_R_co]):
    @classmethod
    def __class_getitem__(cls, item: Any) -> GenericAlias: ...
    def result(self, timeout_s: float | None = None) -> _R_co: ...
    def cancel(self) -> None: ...
    @property
    def done(self) -> bool: ...

@final
class Handle:
    def cancel(self) -> None: ...

@final
class Place:
    def release(self) -> None: ...

@final
class Port:
    def __new__(cls, *, descriptor: bool) -> Port: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...
    def take(self) -> list[_Message]: ...
    def wait(self, timeout_s: float | None = None) -> list[_Message]: ...

@final
class Queue:
    def __new__(
        cls,
        worker: Callable[[Any], Any] | NativeWorker,
        *,
        threads: int,
        capacity: int,
        ageing_s: float,
        patience_s: float,
        shares: dict[str, float],
    ) -> Queue: ...
    def submit(
        self,
        item: Any,
        key: str | bytes | None,
        priority: int,
        tenant: str | None,
        deadline_s: float | None,
        place: Place | None = None,
    ) -> Ticket[Any]: ...
    def submit_to(
        self,
        port: Port,
        token: int,
        item: Any,
        key: str | bytes | None,
        priority: int,
        tenant: str | None,
        deadline_s: float | None,
        place: Place | None = None,
    ) -> Handle: ...
    def submit_many_to(
        self,
        port: Port,
        first_token: int,
        items: list[Any],
        keys: list[str | bytes | None] | None,
        priority: int,
        tenant: str | None,
        deadline_s: float | None,
    ) -> list[Handle | BaseException]: ...
    def ask_for_place(self, port: Port, token: int) -> None: ...
    def close(self, abandon: bool) -> None: ...
    def tell_when_workers_are_gone(self, port: Port, token: int) -> None: ...
    def join(self) -> None: ...
    def leak(self) -> None: ...
    def metrics(self) -> tuple[_Gauges, dict[str, int], _HistogramFields, _HistogramFields]: ...
    def prometheus(self, name: str) -> str: ...
    def health(self) -> tuple[bool, list[str], _Gauges, float, int]: ...

@final
class Session:
    def send(self, data: bytes) -> None: ...
    def receive(self, timeout_s: float | None = None) -> bytes: ...
    def ask(self, data: bytes, *, marker: str | None = None) -> bytes: ...
    def discard(self) -> None: ...
    def close_input(self) -> None: ...
    def interrupt(self) -> None: ...
    @property
    def stderr(self) -> bytes: ...
    @property
    def pid(self) -> int: ...
    @property
    def memory_bytes(self) -> int | None: ...
    @property
    def time_left_s(self) -> float | None: ...
    @property
    def notes(self) -> dict[str, Any]: ...
    @property
    def cancel(self) -> Cancel: ...
    @staticmethod
    def nonce() -> str: ...

@final
class Processes:
    def __new__(
        cls,
        *,
        processes: int,
        memory_bytes: int | None,
        uses: int | None,
        growth_bytes: int | None,
        grace_s: float,
        canary_every: int | None,
    ) -> Processes: ...
    def worker(self) -> NativeWorker: ...
    def metrics(
        self,
    ) -> tuple[
        tuple[int, int, int, int, int, int, int, int | None],
        dict[str, int],
        _HistogramFields,
        _HistogramFields,
        _HistogramFields,
    ]: ...
    def prometheus(self, name: str) -> str: ...
    def problems(self) -> list[str]: ...
    def close(self) -> None: ...

_MessageFields: TypeAlias = tuple[str, str, int, int]
_CheckFields: TypeAlias = tuple[
    str, int, str, str, list[str], list[_MessageFields], str, tuple[float, float], str, _ReceiptFields | None
]
_RequestFields: TypeAlias = tuple[int, float | None, int | None]

@final
class VerdictCache:
    @staticmethod
    def open(
        path: str | os.PathLike[str],
        *,
        create: bool,
        read_only: bool,
        rebuild: bool,
        timeout_s: float,
        budget_bytes: int,
        front_bytes: int,
    ) -> VerdictCache: ...
    def close(self) -> None: ...
    def peek(self, key: bytes, request: _RequestFields) -> _CheckFields | None: ...
    def get(self, key: bytes, request: _RequestFields) -> _CheckFields | None: ...
    def put(self, key: bytes, check: _CheckFields, request: _RequestFields) -> str: ...
    def remove(self, key: bytes) -> bool: ...
    def verify(self) -> int: ...
    def stats(self) -> tuple[int, int, int, int, int, int, int, int]: ...

def verdict_key(
    prover_build: bytes, library: bytes, options: bytes, prefix: bytes, candidate: bytes, statement: bytes
) -> bytes: ...
def sandbox_report() -> tuple[list[tuple[str, bool, str]], list[tuple[str, bool, str]]]: ...

# Code, message, span, line, column, file, step, label, expected, found.
_FaultFields: TypeAlias = tuple[
    str,
    str,
    tuple[int, int] | None,
    int,
    int,
    str | None,
    int | None,
    str | None,
    str | None,
    str | None,
]
_Decided: TypeAlias = tuple[str, _FaultFields | None]

def certificate_format(path: os.PathLike[str] | str) -> str | None: ...
def check_certificate(
    problem: os.PathLike[str] | str,
    certificate: os.PathLike[str] | str,
    format: str,
    threads: int,
    budget: tuple[int, int, int],
) -> tuple[_Decided, tuple[str, str, str, str, list[str]]]: ...
def import_egg_explanation(problem: bytes, explanation: str) -> str: ...

@final
class Metamath:
    @staticmethod
    def open(
        path: os.PathLike[str] | str, root: os.PathLike[str] | str | None, threads: int
    ) -> tuple[Metamath | None, _Decided | None]: ...
    @staticmethod
    def parse(text: bytes, label: str, threads: int) -> tuple[Metamath | None, _Decided | None]: ...
    def check_all(
        self,
        theorems: list[int],
        threads: int,
        budget: tuple[int, int, int],
        paranoid: bool,
        progress: Callable[[int, int], object] | None,
    ) -> list[tuple[int, _Decided]]: ...
    def check_one(
        self,
        statement: str,
        proof: bytes,
        hypotheses: list[tuple[str, str]],
        disjoint: list[str],
        before: int | None,
        budget: tuple[int, int, int],
    ) -> _Decided: ...
    def rests_on(
        self, statement: str, proof: bytes, hypotheses: list[tuple[str, str]]
    ) -> tuple[list[int], list[int]]: ...
    def extend(
        self,
        label: str,
        statement: str,
        proof: bytes,
        hypotheses: list[tuple[str, str]],
        disjoint: list[str],
        budget: tuple[int, int, int],
    ) -> tuple[Metamath | None, _Decided]: ...
    def __len__(self) -> int: ...
    def depth(self) -> int: ...
    def save(self, path: os.PathLike[str] | str) -> None: ...
    def find(self, label: str) -> int: ...
    def theorems(self) -> list[int]: ...
    def statement(self, number: int) -> tuple[str, str, str]: ...
    def axioms(self, number: int) -> list[int]: ...
    def citations(self, number: int) -> list[int]: ...
    def theorem(self, number: int) -> tuple[str, str, list[str], list[str]] | None: ...
    def claim(self, number: int) -> str | None: ...
    def sequent(self, number: int) -> str | None: ...
    def signature(self, number: int) -> tuple[str, str, str, str] | None: ...
    def receipt(self, number: int) -> tuple[str, str, str, str, list[str]] | None: ...
