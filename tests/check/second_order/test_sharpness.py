"""Checkers of the page on sharpness: answers, and what they are of."""

import pytest
import torch
from torch import nn

from gaugelib import check, hessian, minimum_norm, sharpness
from gaugelib.check.second_order.sharpness import STEPS, _start


def largest(loss, params):
    return torch.linalg.eigvalsh(hessian(loss, params))[-1]


def four(loss, first, second, group, measure=largest):
    """A measure of two networks, as given and in the minimum-norm gauge."""
    lightest = [minimum_norm(params, group).params for params in (first, second)]
    return [measure(loss, params) for params in (first, second, *lightest)]


def share(combine, measure=largest):
    return lambda *given: combine(*four(*given, measure=measure))


def gone(a, b, c, d):
    return 1 - (c - d) / (a - b)


gauge_share = share(gone)


def trace(loss, params):
    return hessian(loss, params).trace()


def balancing_step(w, v, y):
    return 1.05 / abs(y)


def sharpness_of_the_flow(w, v, y):
    return ((w * w - v * v) ** 2 + 4 * y * y) ** 0.5


REFERENCES = {"gauge_share": gauge_share, "balancing_step": balancing_step}
MISTAKES = {
    "gauge_share": [
        (share(lambda a, b, c, d: 0.0), "as they are given, twice"),
        (share(lambda a, b, c, d: (c - d) / (a - b)), "the rest of it is gauge"),
        (share(lambda a, b, c, d: 1 - (c - b) / (a - b)), "only the first"),
        (share(lambda a, b, c, d: 1 - (a - d) / (a - b)), "only the second"),
        (share(lambda a, b, c, d: 1 - (a - b) / (c - d)), "upside down"),
        (share(lambda a, b, c, d: 1 - (d - c) / (a - b)), "subtracted from the second"),
        (share(lambda a, b, c, d: (a - b) - (c - d)), "an amount of sharpness"),
        (share(lambda a, b, c, d: 1 - c * b / (d * a)), "a ratio of ratios"),
        (share(lambda a, b, c, d: 1 - (c / d).log() / (a / b).log()), "of its logarithm"),
        (share(gone, trace), "that is the trace"),
        (share(lambda a, b, c, d: 0.3), "which share of the difference is gone"),
    ],
    "balancing_step": [
        (lambda w, v, y: 0.1 / (w * w + v * v), "so small a step"),
        (lambda w, v, y: 1e-4 / abs(y), "so small a step"),  # not yet at the end of the flow
        (lambda w, v, y: 2 / sharpness_of_the_flow(w, v, y), "at the edge and not balanced"),
        (lambda w, v, y: 0.95 / abs(y), "at the edge and not balanced"),
        (lambda w, v, y: 1 / abs(y), "it takes too long"),
        (lambda w, v, y: 1.05 / y, "whatever the sign of y"),
        (lambda w, v, y: 4 / abs(y), "pass a million"),
    ],
}


def conv():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(18, 2))


def test_a_model_of_the_readers_own_is_tried_too_and_stays_as_it_is():
    model, example = conv(), torch.randn(5, 1, 4, 4)
    before = [value.clone() for value in model.parameters()]
    verdict = check.gauge_share(share(gone, sharpness), model, example)
    assert verdict, verdict
    assert "on your own model" in verdict.message
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters()))


class Silent(nn.Module):
    """Only its last bias is heard: the curvature is the same in every gauge."""

    def __init__(self):
        super().__init__()
        self.into, self.out = nn.Linear(3, 2), nn.Linear(2, 1)

    def forward(self, x):
        return self.out(torch.relu(self.into(0 * x) * 0))


@pytest.mark.parametrize(
    ("model", "example", "hint"),
    [
        (nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1)), torch.zeros(1, 3), "no unit"),
        (nn.Sequential(nn.Linear(3, 2)), None, "a tensor that it can be called with"),
        ("model", torch.zeros(1, 3), "hand over your model"),
        (Silent(), torch.ones(1, 3), "in twelve gauges"),
        (nn.Sequential(nn.Linear(3, 2), nn.ReLU()), torch.zeros(1, 5), "trace_group stopped with"),
        (
            nn.Sequential(nn.Linear(3, 8), nn.Dropout(), nn.ReLU(), nn.Linear(8, 1)),
            torch.ones(9, 3),
            "draws at random",
        ),
    ],
)
def test_a_model_that_cannot_be_tried_gets_a_hint(model, example, hint):
    verdict = check.gauge_share(gauge_share, model, example)
    assert not verdict
    assert hint in verdict.message


def descent(w, v, y, eta, steps):
    """The weights after so many steps, by autograd."""
    w = torch.tensor([w, v], dtype=torch.float64, requires_grad=True)
    for _ in range(steps):
        (slope,) = torch.autograd.grad((w.prod() - y) ** 2 / 2, w)
        w = (w - eta * slope).detach().requires_grad_()
    return w.tolist()


def test_the_end_that_is_judged_is_that_of_gradient_descent():
    w, v, y = _start(1.0, -1.0)
    first, second = descent(w, v, y, balancing_step(w, v, y), STEPS)
    assert abs(first**2 - second**2) < 1e-3 * abs(w**2 - v**2)
    assert first * second != pytest.approx(y, abs=1e-3)  # no minimum: it jumps to and fro


def test_control_below_the_edge_it_ends_at_a_minimum_off_balance():
    w, v, y = _start(1.0, -1.0)
    first, second = descent(w, v, y, 0.95 / abs(y), STEPS)
    assert abs(first**2 - second**2) > 0.01 * abs(w**2 - v**2)
    assert first * second == pytest.approx(y)
    assert first**2 + second**2 < 2 / (0.95 / abs(y))


@pytest.mark.parametrize("excess", [1.005, 1.02, 1.1, 1.3, 1.5])
def test_every_step_a_little_above_1_over_y_ends_balanced_from_every_start(excess):
    for _ in range(10):
        assert check.balancing_step(lambda w, v, y: excess / abs(y))
