"""One channel of Deep Sets in three numbers: W = (a - b)I + bJ, v = c(1, ..., 1), by own formulas.

The mean over standard normal inputs is taken exactly. Rows have few angles between them:
⟨w_i, w_j⟩ is the same for all i ≠ j, and ⟨w_i, u_k⟩ depends on whether i = k.
"""

from __future__ import annotations

import numpy as np


def length(a, b, n):
    """r = |w_i|."""
    return np.sqrt(a * a + (n - 1) * b * b)


def angle(own, other, n, *, same):
    """Between a row of one network and a row of another, of equal or of different place."""
    (a, b), (s, t) = own, other
    r, q = length(a, b, n), length(s, t, n)
    if same:
        parts = [(a / r, s / q, 1), (b / r, t / q, n - 1)]
    else:
        parts = [(a / r, t / q, 1), (b / r, s / q, 1), (b / r, t / q, n - 2)]
    minus = sum(m * (x - y) ** 2 for x, y, m in parts)
    plus = sum(m * (x + y) ** 2 for x, y, m in parts)
    return 2 * np.arctan2(np.sqrt(minus), np.sqrt(plus))


def overlap(own, other, n):
    """E[σ(⟨w_1, x⟩) Σ_k σ(⟨u_k, x⟩)], and the two numbers in its gradient in w_1."""
    (a, b), (s, t) = own, other
    r, q = length(a, b, n), length(s, t, n)
    value, diag, off = 0.0, 0.0, 0.0
    for same, count in ((True, 1), (False, n - 1)):
        phi = angle(own, other, n, same=same)
        value = value + count * r * q * (np.sin(phi) + (np.pi - phi) * np.cos(phi))
        along, rest = q * np.sin(phi) / r, np.pi - phi
        # Σ u_k over these k: at place 1, and at each other place
        here, there = (s, t) if same else ((n - 1) * t, s + (n - 2) * t)
        diag = diag + count * along * a + rest * here
        off = off + count * along * b + rest * there
    return value / (2 * np.pi), diag / (2 * np.pi), off / (2 * np.pi)


def loss(student, teacher, n):
    """L = ½E[(f - y)²]; each network is (a, b, c)."""
    a, b, c = student
    s, t, u = teacher
    own = overlap((a, b), (a, b), n)[0]
    cross = overlap((a, b), (s, t), n)[0]
    fixed = overlap((s, t), (s, t), n)[0]
    return n * (0.5 * c * c * own - c * u * cross + 0.5 * u * u * fixed)


def slopes(student, teacher, n):
    """G_ii and G_ij, the entries of ∂L/∂W, and ∂L/∂v_i."""
    a, b, c = student
    s, t, u = teacher
    own, mine, others = overlap((a, b), (a, b), n)
    cross, its, theirs = overlap((a, b), (s, t), n)
    return c * (c * mine - u * its), c * (c * others - u * theirs), c * own - u * cross


def bound(student, teacher, n):
    """Steps below 2r/(n|c|(|c|r + |c*|r*)) keep the sign of a - b."""
    a, b, c = student
    s, t, u = teacher
    r, q = length(a, b, n), length(s, t, n)
    return 2 * r / (n * abs(c) * (abs(c) * r + abs(u) * q))


def step(student, teacher, n, rate, *, metric="inherited", moves=True):
    """One step of descent: in the inherited metric, or with the sums of raw sharing."""
    a, b, c = student
    diag, off, out = slopes(student, teacher, n)
    many, more, most = (1, 1, 1) if metric == "inherited" else (n, n * (n - 1), n)
    return a - rate * many * diag, b - rate * more * off, c - rate * most * out * moves


def adam(place, teacher, n, rate, steps, *, copies=1.0, eps=1e-8):
    """(a, b) after each step of Adam with c = 1 and its usual constants; slopes times `copies`."""
    first = second = 0 * place
    for k in range(1, steps + 1):
        diag, off, _ = slopes((*place, 1.0), teacher, n)
        g = np.stack([diag, off]) * copies
        first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
        place = place - rate * first / (1 - 0.9**k) / (np.sqrt(second / (1 - 0.999**k)) + eps)
        yield place
