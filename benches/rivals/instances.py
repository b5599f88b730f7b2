"""Formulas without a model, for solvers to refute: multipliers that should commute, and random 3-SAT."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Clauses = list[list[int]]


class _Circuit:
    """Gates as clauses."""

    def __init__(self) -> None:
        self.variables = 0
        self.clauses: Clauses = []

    def new(self) -> int:
        self.variables += 1
        return self.variables

    def both(self, left: int, right: int) -> int:
        out = self.new()
        self.clauses += [[-out, left], [-out, right], [out, -left, -right]]
        return out

    def either(self, left: int, right: int) -> int:
        return -self.both(-left, -right)

    def differ(self, left: int, right: int) -> int:
        out = self.new()
        self.clauses += [[-out, left, right], [-out, -left, -right], [out, -left, right], [out, left, -right]]
        return out

    def product(self, left: list[int], right: list[int]) -> list[int]:
        """All bits of a product, row by row with carries that ripple."""
        total: list[int | None] = [None] * (2 * len(left))
        for shift, bit in enumerate(right):
            carry = None
            for place, other in enumerate(left, shift):
                total[place], carry = self._add([self.both(other, bit), total[place], carry])
            total[shift + len(left)] = carry
        return [bit for bit in total if bit is not None]

    def _add(self, inputs: list[int | None]) -> tuple[int | None, int | None]:
        bits = [bit for bit in inputs if bit is not None]
        if len(bits) == 1:
            return bits[0], None
        half = self.differ(bits[0], bits[1])
        carry = self.both(bits[0], bits[1])
        if len(bits) == 2:
            return half, carry
        return self.differ(half, bits[2]), self.either(carry, self.both(half, bits[2]))


def multiplier(bits: int) -> str:
    """Two numbers of so many bits whose product depends on their order."""
    circuit = _Circuit()
    left = [circuit.new() for _ in range(bits)]
    right = [circuit.new() for _ in range(bits)]
    pairs = zip(circuit.product(left, right), circuit.product(right, left), strict=True)
    circuit.clauses.append([circuit.differ(one, other) for one, other in pairs])
    return dimacs(circuit.variables, circuit.clauses)


def random_3sat(variables: int, clauses: int, seed: int) -> str:
    """Clauses of three literals, most likely too many for a model at 4.5 a variable."""
    dice = random.Random(seed)
    drawn = [
        [dice.choice((1, -1)) * variable for variable in dice.sample(range(1, variables + 1), 3)]
        for _ in range(clauses)
    ]
    return dimacs(variables, drawn)


def dimacs(variables: int, clauses: Iterable[list[int]]) -> str:
    lines = [" ".join(map(str, [*clause, 0])) for clause in clauses]
    return "\n".join([f"p cnf {variables} {len(lines)}", *lines]) + "\n"
