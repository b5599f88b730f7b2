"""Keeps verdicts on disk, so that what was checked once is not checked again, by whichever process."""

import sys

import porism


def check(candidate: str, budget_s: float) -> porism.Check:
    """Stands for a prover: it needs a second for each dot."""
    work_s = float(candidate.count("."))
    if work_s > budget_s:
        return porism.Check(porism.Verdict.TIMEOUT, porism.Trust.L0, "dots", work_s=budget_s)
    verdict = porism.Verdict.INCOMPLETE if "sorry" in candidate else porism.Verdict.PROVED
    return porism.Check(verdict, porism.Trust.L1, "dots", work_s=work_s)


def check_once(cache: porism.VerdictCache, candidate: str, budget_s: float) -> porism.Check:
    """Asks the cache first."""
    # Everything that the answer depends on is in the key; who vouches for it and what it may cost stand beside.
    key = cache.key(prover_build="a hash of its files", candidate=candidate, statement="1 + 1 = 2")
    found = cache.get(key, trust=porism.Trust.L1, budget_s=budget_s)
    if found is None:
        found = check(candidate, budget_s)
        cache.put(key, found, trust=porism.Trust.L1, budget_s=budget_s)
    return found


with porism.VerdictCache.open(sys.argv[1] + ".verdicts", budget_bytes=1 << 20) as cache:
    for candidate, budget_s in [("rfl", 5), ("rfl", 5), ("sorry", 5), ("......", 5), ("......", 2), ("......", 9)]:
        one = check_once(cache, candidate, budget_s)
        print(f"{candidate!r} within {budget_s} s: {one.verdict}{', from the cache' if one.cached else ''}")
    stats = cache.stats()
    print(f"{stats.entries} entries, {stats.hot_hits} of {stats.hot_hits + stats.misses} requests answered")
