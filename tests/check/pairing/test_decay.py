"""Checkers of how imbalance decays: reference, stub, and a hint for each known mistake."""

import math
from itertools import product

import pytest
import torch
from torch.func import grad
from torch.nn import functional

from gaugelib import check, gradient_flow


def halving_epochs(p, decay, lr, steps):
    return math.log(2) / (p * decay * lr * steps)


def lost_share(p, decay, lr, factor, steps, epochs):
    """Step by step."""
    left = 1.0
    for epoch in range(epochs):
        left *= math.exp(-p * decay * lr * factor**epoch * steps)
    return 1 - left


def keeps_gauge(start, metric, penalty):
    return start == metric == penalty


REFERENCES = {
    "halving_epochs": halving_epochs,
    "lost_share": lost_share,
    "keeps_gauge": keeps_gauge,
}


MISTAKES = {
    "halving_epochs": [
        (lambda p, decay, lr, steps: halving_epochs(1, decay, lr, steps), "not at λ"),
        (lambda p, decay, lr, steps: halving_epochs(2, decay, lr, steps), "right for p = 2"),
        (lambda p, decay, lr, steps: 1 / (p * decay * lr * steps), "share 1/e"),
        (lambda p, decay, lr, steps: halving_epochs(p, decay, lr, 1), "those are steps"),
        (lambda p, decay, lr, steps: halving_epochs(p, decay, 1, 1), "that is a time"),
        (lambda p, decay, lr, s: 1 - math.exp(-p * decay * lr * s), "lost in an epoch"),
        (lambda *args: 0.9 * halving_epochs(*args), "not halved then"),
    ],
    "lost_share": [
        (lambda *args: 1 - lost_share(*args), "what is left"),
        (lambda p, decay, lr, f, s, n: lost_share(p, decay, lr, 1, s, n), "shrinks after every"),
        (lambda p, decay, lr, f, s, n: lost_share(p, decay, f * lr, f, s, n), "the full η"),
        (lambda p, decay, lr, f, s, n: lost_share(p, decay, lr, f, s, 999), "never ends"),
        (lambda p, *args: lost_share(1, *args), "not at λ"),
        (lambda *args: -math.log(1 - lost_share(*args)), "the exponent λpt"),
        (lambda *args: 100 * lost_share(*args), "not a percentage"),
        (lambda p, d, lr, f, s, n: lost_share(p, d, lr, f, 1875, n), "1875 steps"),
        (lambda *args: 0.5 * lost_share(*args), "add up the learning rates"),
    ],
    "keeps_gauge": [
        (lambda g, m, q: m == q, "a matched pair"),
        (lambda g, m, q: g == m, "without a penalty"),
        (lambda g, m, q: g == q, "where training ends"),
        (lambda g, m, q: True, "law of mismatch"),
        (lambda g, m, q: False, "there are flows"),
        (lambda g, m, q: g == m == q == 2, "start 1, metric 1, penalty 1"),
        (lambda g, m, q: "yes", "True or False"),
    ],
}


def test_a_count_of_epochs_may_be_rounded_and_a_law_of_steps_is_as_good_as_that_of_the_flow():
    assert check.halving_epochs(lambda *args: math.ceil(halving_epochs(*args)))
    assert check.halving_epochs(
        lambda p, decay, lr, steps: math.log(2) / -math.log1p(-lr * decay) / (p * steps)
    )


def test_the_numbers_of_the_papers_setting():
    assert round(halving_epochs(2, 1e-4, 1e-3, 1875)) == 1848
    assert round(halving_epochs(1, 5e-6, 0.1, 1875)) == 739
    assert f"{lost_share(2, 1e-4, 1e-3, 0.95, 1875, 30):.1%}" == "0.6%"
    assert f"{lost_share(1, 5e-6, 0.1, 0.95, 1875, 30):.1%}" == "1.5%"


def leaky(z):
    return functional.leaky_relu(z, 0.3)


def small_net(seed, activation=leaky):
    draw = torch.Generator().manual_seed(seed)
    x, y, w, v = (torch.randn(s, generator=draw).double() for s in ((6, 3), (6, 2), (4, 3), (2, 4)))

    def loss(theta):
        return (activation(x @ theta["w"].T) @ theta["v"].T - y).square().mean() / 2

    return {"w": w, "v": v}, loss


def imbalance(theta, p):
    return theta["w"].abs().pow(p).sum(1) - theta["v"].abs().pow(p).sum(0)


def left_at_half_time(p, q, activation):
    """Share of each imbalance after the time in which, by the checker's law, one half is left."""
    start, loss = small_net(0, activation)
    decay, lr, steps = 0.7, 1e-3, 100
    until = halving_epochs(p, decay, lr, steps) * lr * steps
    path = gradient_flow(loss, start, until=until, steps=400, p=p, decay=decay, decay_p=q)
    return imbalance(path.at(-1), p) / imbalance(start, p)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_the_time_asked_for_halves_every_imbalance(p):
    left = left_at_half_time(p, p, leaky)
    torch.testing.assert_close(left, torch.full_like(left, 0.5), rtol=1e-4, atol=0)


@pytest.mark.parametrize(("q", "activation"), [(2.0, leaky), (1.0, torch.tanh)])
def test_control_another_penalty_or_a_bent_activation_do_not_halve_it(q, activation):
    assert (left_at_half_time(1.0, q, activation) - 0.5).abs().max() > 1e-2


def balanced(theta, p):
    """The same function with Δ = 0: one hidden layer has it in closed form."""
    a = (theta["v"].abs().pow(p).sum(0) / theta["w"].abs().pow(p).sum(1)) ** (1 / (2 * p))
    return {"w": theta["w"] * a[:, None], "v": theta["v"] / a}


def rate_of_imbalance(g, p, q, decay=0.7):
    """How fast the flow leaves the gauge g at a start in it."""
    start, loss = small_net(1)
    start = balanced(start, g)
    slopes = grad(loss)(start)
    velocity = {
        n: -(x.abs() ** (2 - p)) * (slopes[n] + decay * x.sign() * x.abs() ** (q - 1))
        for n, x in start.items()
    }
    h = 1e-5
    after, before = ({n: x + t * velocity[n] for n, x in start.items()} for t in (h, -h))
    return (imbalance(after, g) - imbalance(before, g)) / (2 * h)


@pytest.mark.parametrize(("g", "p", "q"), list(product((1, 2), repeat=3)))
def test_a_gauge_is_left_at_once_unless_all_three_exponents_agree(g, p, q):
    leaving = rate_of_imbalance(g, p, q).abs().max()
    assert leaving < 1e-8 if keeps_gauge(g, p, q) else leaving > 1e-2
