"""Checker of the gauge's share of a rounding error: answers, and what they are of."""

import copy

import pytest
import torch
from torch import nn

import gaugelib as gl
from gaugelib import check
from gaugelib.check.which_gauge.share import _cases
from gaugelib.gauges import gauss_newton_diagonal, quantise, rounding_gauge


def error(model, params, group, x, bits, *, biases=False, per_channel=False):
    coarse = {
        name: quantise(value, bits, per_channel=per_channel)
        if biases or group.entries[name].kind == "weight"
        else value
        for name, value in params.items()
    }
    x = x.to(next(iter(params.values())).dtype)
    exact, rounded = (gl.functional_call(model, theta, (x,)) for theta in (params, coarse))
    return float((rounded - exact).detach().norm())


def tried(model, x, bits, exponents=(2, 8, 64), **options):
    """Scales of the best gauge, the error as given and that in the best."""
    params, group = gl.params_of(model), gl.trace_group(model, x.double(), verify=False)
    gauges = [gl.minimum_norm(params, group, p=p).scales for p in exponents]
    gauges.append(group.identity())

    def size(scales, **changes):
        return error(model, gl.rescale(params, scales, group), group, x, bits, **changes)

    best = min(gauges, key=size)
    return best, size(group.identity(), **options), size(best, **options)


def rounding_share(model, x, bits):
    best, given, least = tried(model, x, bits)
    return best, 1 - least / given


def share(change, **options):
    """The best scales with another share, from the errors as given and there."""

    def answer(model, x, bits):
        best, given, least = tried(model, x, bits, **options)
        return best, change(given, least)

    return answer


def scales(change, exponents=(2, 8, 64)):
    """Other scales with their own share."""

    def answer(model, x, bits):
        params, group = gl.params_of(model), gl.trace_group(model, x.double(), verify=False)
        found = change(params, group, *tried(model, x, bits, exponents))
        given, least = (
            error(model, gl.rescale(params, a, group), group, x, bits)
            for a in (group.identity(), found)
        )
        return found, 1 - least / given

    return answer


def lightest(p):
    return scales(lambda params, group, *found: gl.minimum_norm(params, group, p=p).scales)


def at_eight_bits(model, x, bits):
    best = rounding_share(model, x, bits)[0]
    params, group = gl.params_of(model), gl.trace_group(model, x, verify=False)
    given, least = (
        error(model, gl.rescale(params, a, group), group, x, 8) for a in (group.identity(), best)
    )
    return best, 1 - least / given


def writes(model, x, bits):
    answer = rounding_share(model, x, bits)
    params = gl.params_of(model)
    group = gl.trace_group(model, x, verify=False)
    gl.load_params_(model, gl.rescale(params, answer[0], group))
    return answer


REFERENCES = {"rounding_share": rounding_share}
MISTAKES = {
    "rounding_share": [
        (share(lambda given, least: least / given), "the share that is left"),
        (share(lambda given, least: 1 - given / least), "upside down: divide"),
        (share(lambda given, least: given / least), "by what factor the error falls"),
        (share(lambda given, least: given - least), "that is an amount"),
        (share(lambda given, least: 1 - (least / given) ** 2), "of the squared error"),
        (share(lambda given, least: 100 * (1 - least / given)), "not a percentage"),
        (share(lambda given, least: 1 - least / given, biases=True), "the biases stay"),
        (share(lambda given, least: 1 - least / given, per_channel=True), "for each row"),
        (share(lambda given, least: 0.5), "is gone, and you say"),
        (at_eight_bits, "that is for 8 bits"),
        (scales(lambda params, group, *found: group.identity()), "your scales are all 1"),
        (scales(lambda params, group, best, *errors: 1 / best), "the inverse of your scales"),
        (lightest(2), "alone is not enough"),
        (lightest(8), "alone is not enough"),
        (lightest(64), "alone is not enough"),
        (scales(lambda params, group, *found: group.random(
            generator=torch.Generator().manual_seed(7), log_std=2.0)), "among the gauges"),
        (lambda *given: (-rounding_share(*given)[0], 0.9), "a scale is positive"),
        (writes, "wrote into the model"),
        (lambda *given: rounding_share(*given)[1], "return two things"),
    ],
}  # fmt: skip


def conv():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 2))


def test_more_than_half_of_the_error_of_a_random_gauge_is_gauge_and_nothing_of_a_good_one():
    shares = [rounding_share(case.model, case.x, case.bits)[1] for case in _cases(None, None)]
    assert min(shares[:2]) > 0.5
    assert shares[2] == 0


def test_the_quantisers_own_gauge_passes_where_it_is_as_good_as_the_others():
    def by_its_own_gauge(model, x, bits):
        params, group = gl.params_of(model), gl.trace_group(model, x, verify=False)
        seen = gauss_newton_diagonal(
            lambda theta, some: gl.functional_call(model, theta, (some,)), params, x
        )
        best, given, least = tried(model, x, bits)
        own = rounding_gauge(params, seen, group)
        there = error(model, gl.rescale(params, own, group), group, x, bits)
        return (own, 1 - there / given) if there < least else (best, 1 - least / given)

    assert check.rounding_share(by_its_own_gauge)


def test_a_model_of_the_readers_own_is_tried_too_and_stays_as_it_is():
    model, example = conv(), torch.randn(5, 1, 4, 4)
    before = copy.deepcopy(model.state_dict())
    verdict = check.rounding_share(rounding_share, model, example)
    assert verdict, verdict
    assert "on your own model" in verdict.message
    assert all(torch.equal(before[n], value) for n, value in model.state_dict().items())
    assert next(model.parameters()).dtype == torch.float32


class Silent(nn.Module):
    """Nothing of its weights is heard."""

    def __init__(self):
        super().__init__()
        self.into, self.out = nn.Linear(3, 2), nn.Linear(2, 1)

    def forward(self, x):
        return 0 * self.out(torch.relu(self.into(x)))


@pytest.mark.parametrize(
    ("model", "example", "hint"),
    [
        (nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1)), torch.zeros(1, 3), "no unit"),
        (nn.Sequential(nn.Linear(3, 2)), None, "a tensor that it can be called with"),
        ("model", torch.zeros(1, 3), "hand over your model"),
        (Silent(), torch.ones(1, 3), "rounding changes no output"),
        (nn.Sequential(nn.Linear(3, 2), nn.ReLU()), torch.zeros(1, 5), "stopped with"),
        (
            nn.Sequential(nn.Linear(3, 8), nn.Dropout(), nn.ReLU(), nn.Linear(8, 1)),
            torch.ones(9, 3),
            "draws at random",
        ),
    ],
)
def test_a_model_that_cannot_be_tried_gets_a_hint(model, example, hint):
    verdict = check.rounding_share(rounding_share, model, example)
    assert not verdict
    assert hint in verdict.message
