"""Stores two lemmas, and recalls the one that is most like a goal."""

import sys

import porism

with porism.Memory.open(sys.argv[1] if len(sys.argv) > 1 else "lemmas.porism") as memory:
    memory.insert(porism.Lemma("![X]: f(X, e) = X", name="right_identity"))
    memory.insert(porism.Lemma("![X, Y]: f(X, Y) = f(Y, X)", name="commutativity"))
    hits = memory.recall("![X]: f(e, X) = X", k=1)
    print(hits.ids, hits.scores, hits[0].record.name)
