"""Groups of permutations as sets of tuples, and their matrices in rational numbers: own code."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import sympy


def after(p, q):
    """p ∘ q; a permutation is the tuple of its images."""
    return tuple(p[i] for i in q)


def inverse(p):
    return tuple(sorted(range(len(p)), key=p.__getitem__))


def closed(generators):
    """The group that they generate, the identity first."""
    found = [tuple(range(len(generators[0])))]
    for p in found:
        found += [r for g in generators if (r := after(g, p)) not in found]
    return found


def all_of(n):
    return list(itertools.permutations(range(n)))


def subgroups(group):
    """All of them, by closing sets of at most two elements and then joining."""
    found = {frozenset(closed([p, q])) for p in group for q in group}
    while True:
        joined = {frozenset(closed([*h, *k])) for h in found for k in found} | found
        if joined == found:
            return found
        found = joined


def matrix(p):
    """P e_i = e_{p(i)}, in whole numbers."""
    result = np.zeros((len(p), len(p)), dtype=int)
    result[list(p), range(len(p))] = 1
    return result


def images(representation):
    """A representation of the library as a tuple of tuples, one for each element."""
    return [tuple(row) for row in representation.images.tolist()]


def mean_over(units, inputs):
    """The exact projector of W, as a vector of its rows: the mean of P_π(g) ⊗ P_ρ(g)."""
    total = sum(np.kron(matrix(p), matrix(q)) for p, q in zip(units, inputs))
    return sympy.Matrix(total.tolist()) / sympy.Integer(len(units))


def fixed(units, inputs):
    """dim {W: P_π(g) W P_ρ(g)^{-1} = W}: the rank of a kernel, over the rationals."""
    size = len(units[0]) * len(inputs[0])
    rows = [np.kron(matrix(p), matrix(q)) - np.eye(size, dtype=int) for p, q in zip(units, inputs)]
    return size - sympy.Matrix(np.concatenate(rows).tolist()).rank()


def homomorphisms(n):
    """Those from S_3 into S_n, one for each pair with r³ = s² = 1 and srs = r^{-1}."""
    one = tuple(range(n))
    turns = [r for r in all_of(n) if after(r, after(r, r)) == one]
    swaps = [s for s in all_of(n) if after(s, s) == one]
    return [(r, s) for r in turns for s in swaps if after(s, after(r, s)) == inverse(r)]


def series(group, n):
    """n![xⁿ] exp(Σ x^{[𝒢:H]}/[𝒢:H]) over all subgroups H, for 1, ..., n."""
    terms = [Fraction(0)] * (n + 1)
    for h in subgroups(group):
        index = len(group) // len(h)
        if index <= n:
            terms[index] += Fraction(1, index)
    power = [Fraction(1)] + [Fraction(0)] * n  # k p_k = Σ_j j t_j p_{k-j}, from p' = t' p
    for k in range(1, n + 1):
        power[k] = sum(j * terms[j] * power[k - j] for j in range(1, k + 1)) / k
    counts, factorial = [], 1
    for k in range(1, n + 1):
        factorial *= k
        counts.append(power[k] * factorial)
    assert all(count.denominator == 1 for count in counts)
    return [int(count) for count in counts]
