"""Checker of where noise with decay stops: answers, and the law of one step that they are of."""

import pytest
import torch

from gaugelib.check.which_gauge.drift import _VANISHES


def resting_imbalance(method, into, out, lr, decay):
    if method not in ("SGD", "clipped"):
        return False, 0.0
    return True, lr * (into - out) / (decay * (2 - lr * decay))


def said(**changes):
    """The right numbers, with another word about some methods."""

    def answer(method, *numbers):
        vanishes, rest = resting_imbalance(method, *numbers)
        return changes.get(method, vanishes), rest

    return answer


def number(change):
    """The right words, with another number where the law holds."""

    def answer(method, into, out, lr, decay):
        vanishes, _ = resting_imbalance(method, into, out, lr, decay)
        return vanishes, change(into, out, lr, decay) if vanishes else 0.0

    return answer


def lost(lr, decay):
    return 1 - (1 - lr * decay) ** 2


def turned_round(method, *numbers):
    vanishes, rest = resting_imbalance(method, *numbers)
    return not vanishes, rest


def for_all(method, *numbers):
    return method in ("SGD", "clipped"), resting_imbalance("SGD", *numbers)[1]


REFERENCES = {"resting_imbalance": resting_imbalance}
MISTAKES = {
    "resting_imbalance": [
        (said(SGD=False), "if only of a batch"),
        (said(clipped=False), "the same number for what flows in and out"),
        (said(layerwise=True), "lie in two layers"),
        (said(momentum=True), "taken at older weights"),
        (said(sign=True), "do those cancel"),
        (said(Adam=True), "a root of its own"),
        (turned_round, "turned round"),
        (for_all, "return 0 for the number"),
        (number(lambda i, o, lr, decay: lr**2 * (o - i) / lost(lr, decay)), "in minus out, and"),
        (number(lambda i, o, lr, decay: lr * (i - o) / (2 * decay)), "for small ηλ"),
        (number(lambda i, o, lr, decay: lr * (i - o) / decay), "quadratic in θ"),
        (number(lambda i, o, lr, decay: lr * (i - o) / lost(lr, decay)), "one η is missing"),
        (number(lambda i, o, lr, decay: lr**2 * (i - o)), "one step of noise adds"),
        (
            number(
                lambda i, o, lr, decay: (1 - lr * decay) ** 2 * lr**2 * (i - o) / lost(lr, decay)
            ),
            "the noise is not multiplied",
        ),
        (
            number(lambda i, o, lr, decay: (1 - lr * decay) * lr**2 * (i - o) / lost(lr, decay)),
            "after one more decay",
        ),
        (
            number(lambda i, o, lr, decay: lr**2 * (i - o) / (1 - lr * decay) ** 2),
            "divide by what is lost",
        ),
        (number(lambda i, o, lr, decay: lr**2 * (i + o) / lost(lr, decay)), "not their sum"),
        (number(lambda i, o, lr, decay: 0.0), "the noise alone would stop"),
        (number(lambda i, o, lr, decay: 7.0), "put the same Δ on both sides"),
        (lambda *given: 1.0, "return two things"),
    ],
}


def imbalance(w, v):
    return w.square().sum(1) - v.square().sum(0)


def first_orders(seed=0):
    """Σ_in θv − Σ_out θv at each of two hidden layers' units, by method, relative to Σ|θv|."""
    draw = torch.Generator().manual_seed(seed)
    theta = [torch.randn(4, 3, generator=draw).double(), torch.randn(2, 4, generator=draw).double()]
    x, y = torch.randn(9, 3, generator=draw).double(), torch.randn(9, 2, generator=draw).double()

    def slopes(theta, rows):
        w, v = (t.clone().requires_grad_() for t in theta)
        loss = (torch.relu(x[rows] @ w.T) @ v.T - y[rows]).square().sum()
        return torch.autograd.grad(loss, (w, v))

    g = slopes(theta, [0, 1, 2])
    later = [t - 0.1 * s for t, s in zip(theta, g)]
    new = slopes(later, [3, 4, 5])
    updates = {
        "SGD": new,
        "clipped": [0.1 * s for s in new],
        "layerwise": [s / s.norm() for s in new],
        "momentum": [s + 0.9 * old for s, old in zip(new, g)],
        "sign": [s.sign() for s in new],
        "Adam": [s / (0.5 * s.square() + 0.5 * old.square()).sqrt().add(1e-8)
                 for s, old in zip(new, g)],
    }  # fmt: skip
    sums = {}
    for method, update in updates.items():
        products = [t * u for t, u in zip(later, update)]
        off = products[0].sum(1) - products[1].sum(0)
        size = products[0].abs().sum() + products[1].abs().sum()
        sums[method] = float(off.abs().max() / size)
    return sums


def test_the_first_order_vanishes_for_the_methods_that_are_said_and_for_no_other():
    off = first_orders()
    assert off.keys() == _VANISHES.keys()
    for method, size in off.items():
        assert size < 1e-14 if _VANISHES[method] else size > 1e-3, method


def averages(lr, decay, steps, out=1.0):
    """Time averages of Δ and of what noise feeds it, for a unit with two weights in and one out.

    What the weight out steps along is its gradient times a number, 1 for descent.
    """
    draw = torch.Generator().manual_seed(1)
    sample = torch.randn(steps, 3, generator=draw, dtype=torch.float64).tolist()
    w, u, v, rest, fed = 1.0, 0.5, 0.7, 0.0, 0.0
    for x, z, noise in sample:
        error = (w * x + u * z) * v - x + noise
        g, h, k = error * v * x, error * v * z, out * error * (w * x + u * z)
        rest += (w * w + u * u - v * v) / steps
        fed += (g * g + h * h - k * k) / steps
        kept = 1 - lr * decay
        w, u, v = kept * w - lr * g, kept * u - lr * h, kept * v - lr * k
    return rest, fed


@pytest.mark.parametrize("decay", [0.1, 0.4])
def test_a_long_run_rests_where_the_law_says(decay):
    lr, steps = 0.1, 10_000
    rest, fed = averages(lr, decay, steps)
    predicted = resting_imbalance("SGD", fed, 0.0, lr, decay)[1]
    start = 2 / (steps * lost(lr, decay))  # what is left of the start in the average
    assert rest == pytest.approx(predicted, abs=start)
    assert predicted > 3 * start


def test_control_layers_multiplied_apart_do_not_rest_there():
    lr, decay, steps = 0.1, 0.4, 10_000
    rest, fed = averages(lr, decay, steps, out=0.3)
    predicted = resting_imbalance("SGD", fed, 0.0, lr, decay)[1]
    assert abs(rest - predicted) > 0.05
