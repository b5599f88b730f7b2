"""What crosses the public door: records, evidence, and what became of a recall."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a record is."""

    AXIOM = "axiom"
    DEFINITION = "definition"
    LEMMA = "lemma"
    THEOREM = "theorem"
    CONJECTURE = "conjecture"
    FACT = "fact"
    PROOF = "proof"
    TACTIC = "tactic"
    STRATEGY = "strategy"
    COUNTEREXAMPLE = "counterexample"
    FAILURE = "failure"
    REWRITE = "rewrite"
    TRIPLE = "triple"
    EPISODE = "episode"


class Status(StrEnum):
    """How much is known about a record."""

    CONJECTURAL = "conjectural"
    """Nobody has proved it here."""
    CHECKED = "checked"
    """A prover claims it; no second one has left a receipt."""
    VERIFIED = "verified"
    """A checker has left a receipt; only evidence sets this."""


class Verdict(StrEnum):
    """How an attempt at a goal ended.

    Only ``PROVED`` and ``REFUTED`` are answers about the goal. ``REJECTED``, ``INCOMPLETE`` and ``MISMATCH`` are about
    the candidate, whose failure says nothing about the goal. Everything else is about the attempt, and must never be
    read as "wrong".
    """

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"
    """The prover gave up, or came to a limit that does not depend on the machine."""
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASHED = "crashed"
    """It died, or what it printed contradicts itself."""
    CANCELLED = "cancelled"
    UNSUPPORTED = "unsupported"
    """It does not read such a problem."""
    FAILED = "failed"
    """Something else kept it from an answer."""
    REJECTED = "rejected"
    """The checker read the candidate and does not accept it."""
    INCOMPLETE = "incomplete"
    """The candidate leaves a gap: ``sorry``, ``admit``, an axiom of its own, an open goal."""
    MISMATCH = "mismatch"
    """The candidate proves another statement than the one that was asked for."""
    OVERLOADED = "overloaded"
    """It was not tried: there was no room, or no time left."""


@dataclass(frozen=True, slots=True)
class Record:
    """Something to remember.

    Attributes:
        statement: What it says: a TPTP formula, or any other text; at most 16 MiB.
        kind: What it is.
        name: What it is called.
        source: Where it comes from, such as the name of a library.
        namespace: Which part of the memory it belongs to.
        status: What is known about it: conjectural or checked. ``verified`` is set by evidence alone.
    """

    statement: str
    kind: Kind = field(kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    source: str | None = field(default=None, kw_only=True)
    namespace: str = field(default="", kw_only=True)
    status: Status = field(default=Status.CONJECTURAL, kw_only=True)


@dataclass(frozen=True, slots=True)
class Axiom(Record):
    """Taken as true without proof."""

    kind: Kind = field(default=Kind.AXIOM, init=False)


@dataclass(frozen=True, slots=True)
class Definition(Record):
    """What a symbol means."""

    kind: Kind = field(default=Kind.DEFINITION, init=False)


@dataclass(frozen=True, slots=True)
class Lemma(Record):
    """A stepping stone."""

    kind: Kind = field(default=Kind.LEMMA, init=False)


@dataclass(frozen=True, slots=True)
class Theorem(Record):
    """A result."""

    kind: Kind = field(default=Kind.THEOREM, init=False)


@dataclass(frozen=True, slots=True)
class Fact(Record):
    """Any other statement that holds."""

    kind: Kind = field(default=Kind.FACT, init=False)


@dataclass(frozen=True, slots=True)
class Inserted:
    """What an insert did.

    Attributes:
        id: The number of the record.
        new: Whether it was not known before.
        forgotten: Whether it is a record that was forgotten or merged away; ``restore`` brings it back.
        near: Records that were there already and are nearly the same, if that was asked for.
    """

    id: int
    new: bool
    forgotten: bool = False
    near: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as the memory holds it.

    Attributes:
        id: Its number.
        kind: What it is.
        statement: What it says.
        name: What it is called.
        source: Where it comes from.
        namespace: Which part of the memory it belongs to.
        key: What it shares with every record that says the same: 64 hexadecimal digits.
        status: What is known about it.
        created_ms: When it was first inserted, in Unix milliseconds.
        inserts: How often it was inserted.
        born: The generation from which on it is seen.
        died: The generation from which on it is seen no more; ``None`` while it is alive.
        merged_into: The record that it became one with.
    """

    id: int
    kind: Kind
    statement: str
    name: str | None
    source: str | None
    namespace: str
    key: str
    status: Status
    created_ms: int
    inserts: int
    born: int
    died: int | None = None
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A checker's signature on a proof.

    Attributes:
        claim_hash: The BLAKE3 hash of what was claimed, in hexadecimal.
        certificate_hash: The BLAKE3 hash of the certificate that was checked, in hexadecimal.
        checker: Who checked.
        checker_version: In which version.
    """

    claim_hash: str
    certificate_hash: str
    checker: str
    checker_version: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a goal was proved, refuted or attempted.

    Attributes:
        id: Its number.
        goal: The record that was to be proved.
        verdict: What came out.
        used: The records that the proof uses, in ascending order.
        prover: Who found it.
        prover_version: In which version.
        label: Which slice or strategy it was given.
        seconds: Wall seconds.
        reprover: Who proved it again.
        reprover_version: In which version.
        receipt: The checker's signature.
        created_ms: When it was recorded, in Unix milliseconds.
    """

    id: int
    goal: int
    verdict: Verdict
    used: tuple[int, ...]
    prover: str
    prover_version: str
    label: str
    seconds: float
    reprover: str | None
    reprover_version: str | None
    receipt: Receipt | None
    created_ms: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One record that a recall considered.

    Attributes:
        record: Its number.
        score: How well it suited.
        slot: Where it was shown, from 0; ``None`` when it was withheld.
        propensity: How probable it was that it would be treated like this: over 0, at most 1.
    """

    record: int
    score: float
    slot: int | None = None
    propensity: float = 1.0


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of an event.

    Attributes:
        verdict: What came out.
        attempts: How many tries it took.
        seconds: Wall seconds of all of them.
        used: The records that the proof uses, in ascending order.
        evidence: The number of the evidence for it.
    """

    verdict: Verdict
    attempts: int
    seconds: float
    used: tuple[int, ...] = ()
    evidence: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A recall and what became of it.

    Attributes:
        id: Its number.
        goal: The record that the recall was for.
        snapshot: The generation of the memory that was searched.
        candidates: What was considered, best first.
        policy: Which rule chose what to show.
        seed: The seed of its random choices.
        created_ms: When it was written down, in Unix milliseconds.
        settlement: What became of it; ``None`` while it is pending.
        settled_ms: When it was settled, in Unix milliseconds.
    """

    id: int
    goal: int
    snapshot: int
    candidates: tuple[Candidate, ...]
    policy: str
    seed: int
    created_ms: int
    settlement: Settlement | None
    settled_ms: int | None


@dataclass(frozen=True, slots=True)
class Stats:
    """What a memory holds, in numbers.

    Attributes:
        records: Records that are alive.
        by_kind: Records of each kind.
        by_status: Records of each status.
        evidence: Pieces of evidence.
        events_pending: Events whose outcome is not known.
        events_settled: Events whose outcome is known.
        dead: Records that were forgotten or merged away, and not compacted yet.
        rows: Rows of vectors.
        size_bytes: Bytes of each file.
        generation: How many writes there were.
        horizon: The oldest generation that can still be seen.
        embedder: Who made the vectors.
        dimension: How many places they have.
    """

    records: int
    by_kind: dict[str, int]
    by_status: dict[str, int]
    evidence: int
    events_pending: int
    events_settled: int
    dead: int
    rows: int
    size_bytes: dict[str, int]
    generation: int
    horizon: int
    embedder: str
    dimension: int


class Action(StrEnum):
    """What happened to a record."""

    INSERTED = "inserted"
    RAISED = "raised"
    """More is known of it; the detail is the status before."""
    FORGOTTEN = "forgotten"
    """It is seen no more; the detail is the reason."""
    MERGED = "merged"
    """It became one with another; the detail is that record's number."""
    RESTORED = "restored"
    PURGED = "purged"
    """Its bytes are gone for good."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a record.

    Attributes:
        generation: The generation from which on it is so.
        action: What happened.
        detail: More about it, as the action says.
        created_ms: When, in Unix milliseconds.
    """

    generation: int
    action: Action
    detail: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A generation with a name.

    Attributes:
        name: What it is called.
        generation: The generation, for ``at``.
        created_ms: When it was named, in Unix milliseconds.
    """

    name: str
    generation: int
    created_ms: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a call of ``forget`` did, or would do.

    Attributes:
        ids: The records that are seen no more.
        size_bytes: Bytes of their statements and vectors, which compaction frees unless a proof rests on them.
    """

    ids: tuple[int, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge did, or would do.

    Attributes:
        ids: The records that are gone for good.
        unsupported: Records whose evidence used one of them: they lose support.
    """

    ids: tuple[int, ...]
    unsupported: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Compaction:
    """What a compaction did.

    Attributes:
        dropped: Records that are gone.
        bytes_before: Bytes of all files before.
        bytes_after: Bytes of all files after.
    """

    dropped: int
    bytes_before: int
    bytes_after: int


@dataclass(frozen=True, slots=True)
class Promise:
    """What it takes to find a share of the nearest records, as measured when an index was made.

    Attributes:
        k: For up to so many records.
        recall: The share that is promised, in the mean of queries.
        measured: The share that was found on a sample.
        queries: How many queries the sample had.
        probes: How many clusters are looked at.
        width: How many standard deviations wide the bounds of estimates are taken.
    """

    k: int
    recall: float
    measured: float
    queries: int
    probes: int
    width: float


@dataclass(frozen=True, slots=True)
class IndexReport:
    """The index of a memory.

    Attributes:
        rows: How many rows of vectors the memory has.
        indexed: How many of them the index has; the others are searched too, one by one.
        clusters: Into how many clusters they are parted.
        number: Changes with every index that is made of the same rows; 0 without one.
        size_bytes: How many bytes its file has.
        isa: The instruction set that searches use; the environment variable ``PORISM_ISA`` chooses another.
        promises: What each recall takes.
        queries: How many queries this process has asked.
    """

    rows: int
    indexed: int
    clusters: int
    number: int
    size_bytes: int
    isa: str
    promises: tuple[Promise, ...]
    queries: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """A recall that was measured against exact search.

    Attributes:
        k: For so many records.
        recall: The share of the nearest records that was found, in the mean of the queries.
        low: It lies above this with 95 % confidence (Wilson's interval).
        high: And below this.
        queries: How many queries were asked.
    """

    k: int
    recall: float
    low: float
    high: float
    queries: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        new: Records that were new here.
        known: Records that were known here, and were counted.
        evidence: Pieces of evidence.
        events: Events.
        history: Whether the memory was empty, and took numbers, generations, history and snapshots over too.
    """

    new: int
    known: int
    evidence: int
    events: int
    history: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a memory.

    Attributes:
        file: In which file.
        place: Where in it.
        reason: What is wrong.
    """

    file: str
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a check of a memory came to.

    Attributes:
        records: Records whose checksums were compared.
        rows: Rows whose checksums were compared.
        findings: What is wrong, at most the first hundred; nothing in a sound memory.
    """

    records: int
    rows: int
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings
