"""Checkers of the mass gap and of other penalties: reference, stub, a hint for each mistake."""

import math
from itertools import pairwise

import pytest
import torch
from torch.func import grad

from gaugelib import hessian
from tests.check.pairing.test_decay import balanced


def massive_modes(widths, dead):
    return sum(widths[1:-1]) - dead


def two_eigenvalues(y, decay):
    return 2 * y - 2 * decay, 2 * decay


def shared(weight, p, q):
    norms = weight.abs().pow(p).sum(1, keepdim=True) ** (1 / p)
    return norms ** (q - p) * weight.abs() ** p


def mirror_charge(w_in, w_out, p, q):
    return shared(w_in, p, q).sum(1) - shared(w_out, p, q).sum(0)


def column_norms(w_in, w_out, p, q):
    return shared(w_in, p, q).sum(1) - w_out.norm(p=p, dim=0) ** q


def own_norm(w_in, w_out, p, q):
    norms = w_in.norm(p=p, dim=1)
    return norms**q - norms ** (q - p) * w_out.abs().pow(p).sum(0)


REFERENCES = {
    "massive_modes": massive_modes,
    "two_eigenvalues": two_eigenvalues,
    "mirror_charge": mirror_charge,
}


MISTAKES = {
    "massive_modes": [
        (lambda widths, dead: sum(widths[1:-1]), "no weights left"),
        (lambda widths, dead: sum(widths[1:]) - dead, "read by the world"),
        (lambda widths, dead: sum(widths[:-1]) - dead, "come from the world"),
        (lambda widths, dead: len(widths) - 2, "for each layer"),
        (lambda widths, dead: sum(m * n for m, n in pairwise(widths)), "counts weights"),
        (lambda widths, dead: 1, "that are not zero"),
    ],
    "two_eigenvalues": [
        (lambda y, decay: (0, 2 * y), "without the penalty"),
        (lambda y, decay: (2 * y + decay, decay), "moves the minimum"),
        (lambda y, decay: (2 * y - 3 * decay, decay), "the point is right"),
        (lambda y, decay: (4 * decay, 2 * y - 4 * decay), "not 2w"),
        (lambda y, decay: (decay + y, decay - y), "a saddle"),
        (lambda y, decay: (y, y), "at the minimum w = v"),
        (lambda y, decay: (y, y, y), "two numbers"),
        (lambda y, decay: y, "two numbers"),
    ],
    "mirror_charge": [
        (lambda *args: -mirror_charge(*args), "upside down"),
        (column_norms, "that row's norm counts"),
        (own_norm, "with that of the unit"),
        (lambda w_in, w_out, p, q: mirror_charge(w_in, w_out, p, p), "where is q?"),
        (lambda w_in, w_out, p, q: mirror_charge(w_in, w_out, q, q), "where is p?"),
        (lambda w_in, w_out, p, q: mirror_charge(w_in, w_out, 1, 2), "right for p = 1"),
        (lambda w_in, w_out, p, q: mirror_charge(w_in, w_out, p, 2 * p - q), "not p − q"),
        (lambda *args: mirror_charge(*args) / args[-1], "1/q goes"),
        (lambda w_in, w_out, p, q: w_in.sum(1), "with c = θ"),
    ],
}


def trained(decay, dead=(), activation=torch.relu):
    """A network at a critical point of the penalised loss, close to a teacher and off the kinks."""
    draw = torch.Generator().manual_seed(1)
    x, w, v = (torch.randn(s, generator=draw).double() for s in ((20, 3), (5, 3), (2, 5)))
    teacher = balanced({"w": w, "v": v}, 2)
    for unit in dead:
        teacher["w"][unit], teacher["v"][:, unit] = 0.0, 0.0
    y = (activation(x @ teacher["w"].T) @ teacher["v"].T).detach()
    theta = {n: value.requires_grad_() for n, value in teacher.items()}

    def loss(theta):
        error = activation(x @ theta["w"].T) @ theta["v"].T - y
        return error.square().mean() / 2 + decay * sum(t.square().sum() for t in theta.values()) / 2

    search = torch.optim.LBFGS(
        theta.values(),
        max_iter=2000,
        tolerance_grad=1e-11,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def closure():
        search.zero_grad()
        loss(theta).backward()
        return loss(theta)

    search.step(closure)
    return {n: x.detach() for n, x in theta.items()}, loss


def massive(theta, loss, decay):
    values = torch.linalg.eigvalsh(hessian(loss, theta))
    return int(((values / decay - 2).abs() < 1e-5).sum())


@pytest.mark.parametrize("dead", [(), (1,), (0, 3)])
def test_that_many_eigenvalues_are_twice_the_decay(dead):
    theta, loss = trained(0.001, dead)
    assert max(slope.abs().max() for slope in grad(loss)(theta).values()) < 1e-8
    assert massive(theta, loss, 0.001) == massive_modes([3, 5, 2], len(dead))


def test_control_no_mode_is_massive_for_tanh_or_away_from_a_critical_point():
    bent, loss = trained(0.001, activation=torch.tanh)
    assert massive(bent, loss, 0.001) == 0
    theta, loss = trained(0.001)
    assert massive({n: 1.1 * x for n, x in theta.items()}, loss, 0.001) == 0


def two_weights(y, decay, scale=0.5):
    """The eigenvalues where gradient descent ends, its slopes written out by hand."""
    w, v = 1.2, 0.9
    for _ in range(3000):
        slopes = (w * v - y) * v, (w * v - y) * w
        w -= 0.1 * (slopes[0] + 2 * scale * decay * w)
        v -= 0.1 * (slopes[1] + 2 * scale * decay * v)
    theta = {"w": torch.tensor(w).double(), "v": torch.tensor(v).double()}

    def loss(theta):
        penalty = scale * (theta["w"] ** 2 + theta["v"] ** 2)
        return (theta["w"] * theta["v"] - y) ** 2 / 2 + decay * penalty

    return torch.linalg.eigvalsh(hessian(loss, theta))


def test_the_two_eigenvalues_asked_for_are_those_of_the_minimum():
    for y, decay in ((3.0, 0.1), (2.0, 0.4)):
        expected = torch.tensor(sorted(two_eigenvalues(y, decay))).double()
        torch.testing.assert_close(two_weights(y, decay), expected, rtol=1e-6, atol=1e-9)
    assert [round(x, 12) for x in two_eigenvalues(3, 0.1)] == [5.8, 0.2]
    other = two_weights(3.0, 0.1, scale=1.0)
    assert (other - torch.tensor([0.2, 5.8]).double()).abs().max() > 0.1


def along_the_dial(w_in, w_out, p, q):
    """The slope of R in log a at a = 1, by a difference quotient."""

    def penalty(unit, log):
        a = torch.ones(len(w_in)).double()
        a[unit] = math.exp(log)
        rows = torch.cat([(w_in * a[:, None]).norm(p=p, dim=1), (w_out / a).norm(p=p, dim=1)])
        return rows.pow(q).sum() / q

    h = 1e-5
    slopes = [(penalty(k, h) - penalty(k, -h)) / (2 * h) for k in range(len(w_in))]
    return torch.stack(slopes)


@pytest.mark.parametrize(("p", "q"), [(1.0, 2.0), (2.0, 1.0), (1.5, 3.0), (2.0, 2.0)])
def test_the_charge_asked_for_is_the_slope_of_the_penalty_along_the_dial(p, q):
    draw = torch.Generator().manual_seed(3)
    w_in, w_out = (torch.randn(s, generator=draw).double() for s in ((4, 3), (2, 4)))
    slope = along_the_dial(w_in, w_out, p, q)
    torch.testing.assert_close(slope, mirror_charge(w_in, w_out, p, q), rtol=1e-7, atol=1e-7)
    if p != q:
        assert (slope - column_norms(w_in, w_out, p, q)).abs().max() > 1e-2
        assert (slope - own_norm(w_in, w_out, p, q)).abs().max() > 1e-2
