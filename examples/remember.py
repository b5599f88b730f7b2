"""Stores two lemmas, and recalls the one that is most like a goal."""

import sys

import porism

with porism.Memory.open(sys.argv[1] if len(sys.argv) > 1 else "lemmas.porism") as memory:
    memory.insert(porism.Lemma("![X]: f(X, e) = X", name="right_identity"))
    memory.insert(porism.Lemma("![X, Y]: f(X, Y) = f(Y, X)", name="commutativity"))
    hits = memory.recall("![X]: f(e, X) = X", k=1)
    print(hits.ids, hits.scores, hits[0].record.name)

    with memory.transaction() as changes:
        unit = changes.insert(porism.Fact("a group has exactly one unit"))
        changes.forget(int(hits.ids[0]), reason="a special case")
    print(memory.recall("unit of a group", k=1, views=["words"]).ids, unit.id)
    then = memory.recall("![X]: f(e, X) = X", k=1, at=hits.snapshot)  # as it was
    print(then.ids == hits.ids)
