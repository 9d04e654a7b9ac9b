"""The norm on an orbit by explicit loops over a weight matrix: an oracle for the proofs.

It shares no code with the library: entry W[i][j] flows from unit j to unit i, and `scale` holds a
factor for every unit, 1 at inputs and outputs.
"""

import math
import re

from gaugelib.proofs import Record
from tests.graphs import Graph, random_graph

DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


class Dense:
    """A graph of `tests.graphs` as plain lists of numbers."""

    def __init__(self, graph: Graph, p: float, weights=None) -> None:
        matrix = graph.params["W"] if weights is None else weights
        self.W, self.p = matrix.abs().tolist(), p
        self.inputs, self.hidden, self.n = graph.inputs, graph.hidden, graph.units
        self.units = range(self.inputs, self.inputs + self.hidden)
        self.edges = [(i, j) for i in range(self.n) for j in range(self.n) if self.W[i][j] > 0]

    def scale(self, factors) -> list[float]:
        """Factors of the hidden units, with 1 for all others."""
        outside = self.n - self.inputs - self.hidden
        return [1.0] * self.inputs + list(map(float, factors)) + [1.0] * outside

    def number(self, i: int) -> int:
        """A unit as the traces count: hidden units from 1, all others 0."""
        return i - self.inputs + 1 if i in self.units else 0

    def F(self, a) -> float:
        return sum((self.W[i][j] * a[i] / a[j]) ** self.p for i, j in self.edges) / self.p

    def G(self, a) -> float:
        p = self.p
        terms = (
            self.W[i][j] ** p * (a[i] ** (2 * p) + a[j] ** (-2 * p))
            if self.number(i) or self.number(j)
            else 2 * self.W[i][j] ** p
            for i, j in self.edges
        )
        return sum(terms) / (2 * p)

    def into(self, h: int) -> float:
        return sum(self.W[h][j] ** self.p for j in range(self.n))

    def out(self, h: int) -> float:
        return sum(self.W[i][h] ** self.p for i in range(self.n))

    def norm(self) -> float:
        return sum(self.W[i][j] ** self.p for i, j in self.edges) ** (1 / self.p)

    def paths(self, start, goal) -> list[list[tuple[int, int]]]:
        """All paths from one of the units in `start` to one in `goal`, as lists of edges (i, j)."""
        found = [[(i, j)] for i, j in self.edges if j in start]
        done = []
        while found:
            path = found.pop()
            done += [path] if path[-1][0] in goal else []
            found += [[*path, (i, j)] for i, j in self.edges if j == path[-1][0]]
        return done


def complete_graph(sizes, seed) -> Graph:
    """Every unit feeds every later one, so every hidden unit lies on a path."""
    return random_graph(*sizes, seed=seed)


def sides(record: Record, number: int) -> tuple[float | None, float | None]:
    """The two sides of a step, counted from 1."""
    step = record.steps[number - 1]
    return step.left.value, step.right.value


def close(found, wanted, *, size: float | None = None) -> bool:
    """Equal to ten digits, of the number itself or of a size."""
    return math.isclose(found, wanted, rel_tol=1e-10, abs_tol=1e-10 * (size or 0.0))


def unit_in(words: str) -> int:
    """The last unit that a place names."""
    return int(re.findall("h([₀-₉]+)", words)[-1].translate(DIGITS))
