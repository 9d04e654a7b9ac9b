"""Checkers of balanced coefficients: answers, and what they are of."""

import math

import pytest
import torch

import gaugelib as gl
from gaugelib import check
from gaugelib.check.second_order.networks import layered


def balanced_unit(into, out, k):
    return [(out / into) ** (1 / (2 * k)), 2 * math.sqrt(into * out)]


def trace_gauge(d, o):
    return [d / o, (d + o) / (2 * math.sqrt(d * o))]


def gradient_gauge(params, squares, group):
    return gl.minimum_norm(squares, group, p=1, include_bias=True).scales ** -0.5


def by_roots(params, squares, group):
    roots = {name: value.sqrt() for name, value in squares.items()}
    return 1 / gl.minimum_norm(roots, group, include_bias=True).scales


def at(change):
    """Scales from `minimum_norm` of a change of parameters and squares."""

    def answer(params, squares, group):
        return change(params, squares, lambda c, p, bias=True: gl.minimum_norm(
            c, group, p=p, include_bias=bias).scales)  # fmt: skip

    return answer


def work(params, squares):
    return {name: params[name] * squares[name].sqrt() for name in params}


def scale(change):
    """The right sum with a changed scale."""
    return lambda into, out, k: [change(into, out, k), 2 * math.sqrt(into * out)]


def total(change):
    """The right scale with another sum."""
    return lambda into, out, k: [(out / into) ** (1 / (2 * k)), change(into, out)]


REFERENCES = {
    "balanced_unit": balanced_unit,
    "trace_gauge": trace_gauge,
    "gradient_gauge": gradient_gauge,
}
MISTAKES = {
    "balanced_unit": [
        (scale(lambda i, o, k: (i / o) ** (1 / (2 * k))), "the ratio is upside down"),
        (scale(lambda i, o, k: (o / i) ** (1 / (2 * abs(k)))), "the sign of k"),
        (scale(lambda i, o, k: (o / i) ** (1 / k)), "one more root"),
        (scale(lambda i, o, k: (o / i) ** (1 / (4 * k))), "half of the way"),
        (scale(lambda i, o, k: (o / i) ** 0.5), "take the k-th root"),
        (scale(lambda i, o, k: (o / i) ** math.copysign(0.25, k)), "right for k = "),
        (scale(lambda i, o, k: math.log(o / i) / (2 * k)), "that is the logarithm"),
        (scale(lambda i, o, k: 1.0), "set I·aᵏ equal to O·a⁻ᵏ"),
        (total(lambda i, o: i + o), "before balancing"),
        (total(lambda i, o: math.sqrt(i * o)), "add both"),
        (total(lambda i, o: 2 * i * o), "the root is missing"),
        (total(lambda i, o: 2 * math.sqrt(i * o) / (i + o)), "the share that is left"),
        (total(lambda i, o: (i + o) / (2 * math.sqrt(i * o))), "upside down, and a ratio"),
        (total(lambda i, o: (i + o) / 2), "not the arithmetic one"),
        (total(lambda i, o: i), "the scale is right; with it"),
        (lambda i, o, k: (o / i) ** (1 / (2 * k)), "return two numbers"),
    ],
    "trace_gauge": [
        (lambda d, o: [o / d, 1.0], "the ratio is upside down"),
        (lambda d, o: [math.sqrt(d / o), 1.0], "that is r/s"),
        (lambda d, o: [(d / o) ** 0.25, 1.0], "that is the scale a"),
        (lambda d, o: [1.0, 1.0], "in the minimum-norm gauge; in the trace"),
        (lambda d, o: [(d / o) ** 2, 1.0], "squared once too often"),
        (lambda d, o: [2.0 * d, 1.0], "has d·s²/2 from what flows in"),
        (lambda d, o: [d / o, 2 * math.sqrt(d * o) / (d + o)], "nothing is below the smallest"),
        (lambda d, o: [d / o, (d + o) / math.sqrt(d * o)], "twice too much"),
        (lambda d, o: [d / o, (d + o) / (4 * math.sqrt(d * o))], "half of it"),
        (
            lambda d, o: [d / o, math.sqrt((d + o) / (2 * math.sqrt(d * o)))],
            "the square root of the factor",
        ),
        (lambda d, o: [d / o, (d + o) ** 2 / (4 * d * o)], "the square of the factor"),
        (lambda d, o: [d / o, d / o], "the traces are asked for"),
        (lambda d, o: [d / o, (d + o) / (2 * d * o)], "not with their product"),
        (lambda d, o: [d / o, 3.0], "the ratio is right, the factor"),
        (lambda d, o: d / o, "return two numbers"),
    ],
    "gradient_gauge": [
        (at(lambda w, c, found: found(c, 1) ** 0.5), "invert them"),
        (at(lambda w, c, found: found(c, 1) ** -1), "take the root, too"),
        (at(lambda w, c, found: found(c, 1)), "as if they were weights"),
        (at(lambda w, c, found: found(c, 1, False) ** -0.5), "counts it if you ask"),
        (at(lambda w, c, found: found(c, 1, False) ** 0.5), "have to be inverted"),
        (at(lambda w, c, found: found(c, 2) ** -1), "yours are squares already"),
        (at(lambda w, c, found: found(c, 2) ** -0.5), "k is −4"),
        (at(lambda w, c, found: found(w, 2, False)), "gauge of the parameters"),
        (at(lambda w, c, found: found(w, 2)), "gauge of parameters and biases"),
        (at(lambda w, c, found: 1 / found(work(w, c), 2)), "leave the weights out"),
        (lambda w, c, group: group.identity(), "nothing was moved"),
        (lambda w, c, group: -group.identity(), "a scale is positive"),
        (lambda w, c, group: 1 + torch.arange(group.units) / 7, "still "),
        (lambda w, c, group: (c.clear(), gradient_gauge(w, c, group))[1], "stopped with"),
        (lambda w, c, group: torch.ones(2), "return one scale for each"),
    ],
}


@pytest.mark.parametrize("k", [2.0, -2.0, 1.0, -0.5])
def test_no_scale_of_a_grid_has_a_smaller_sum_than_the_balanced_one(k):
    a, total = balanced_unit(0.7, 5.0, k)
    grid = torch.linspace(-3, 3, 2001).double().exp()
    sums = 0.7 * grid**k + 5.0 * grid**-k
    assert total <= float(sums.min()) < total * (1 + 1e-5)
    assert float(grid[sums.argmin()]) == pytest.approx(a, rel=3e-3)
    assert 0.7 * a**-k + 5.0 * a**k > 1.5 * total  # control: the other sign of k


@pytest.mark.parametrize(("d", "o"), [(16, 2), (3, 10)])
def test_the_trace_of_a_hidden_layer_is_that_of_its_hessian(d, o):
    draw = torch.Generator().manual_seed(0)
    half = torch.randn(4000, d, generator=draw).double()
    half = half @ torch.linalg.inv(torch.linalg.cholesky(half.T @ half / len(half))).T
    x = torch.cat([half, -half])  # isotropic on either side of any plane through 0
    w, v = torch.randn(1, d, generator=draw).double(), torch.randn(o, 1, generator=draw).double()

    def trace(a):
        def loss(params):
            f = torch.relu(x @ params["w"].T) @ params["v"].T
            return (f - x[:, :1]).square().sum(1).mean() / 2

        return float(gl.hessian(loss, {"w": a * w, "v": v / a}).trace())

    ratio, factor = trace_gauge(d, o)
    even = float(v.norm() / w.norm()) ** 0.5
    lightest, least = trace(even), trace(even * ratio**0.25)
    assert lightest / least == pytest.approx(factor)
    assert min(trace(even * ratio**0.25 * t) for t in (0.9, 1.1)) > least
    assert trace(even * ratio**-0.25) > lightest  # control: upside down


def test_in_the_gradient_gauge_no_scale_lowers_the_mean_square_of_the_gradient():
    network = layered(3, 5, 4, 2, bias=True)
    slopes = torch.func.grad(network.loss)(network.params)
    squares = {name: slope.square() for name, slope in slopes.items()}
    scales = gradient_gauge(network.params, squares, network.group)

    def size(scales):
        params = gl.rescale(network.params, scales, network.group)
        return float(sum(g.square().sum() for g in torch.func.grad(network.loss)(params).values()))

    least, active = size(scales), (network.group.totals(squares)[0] > 0).nonzero().flatten()
    assert len(active) > 6
    for unit in active:
        for factor in (0.99, 1.01):
            moved = scales.clone()
            moved[unit] *= factor
            assert size(moved) > least
    assert size(1 / scales) > 1.1 * least  # control: the wrong sign


def test_a_gauge_found_from_the_roots_passes_too():
    assert check.gradient_gauge(by_roots)
    assert check.gradient_gauge(
        lambda params, squares, group: gl.balance_coefficients(squares, group, exponent=-2).scales
    )


def test_a_hidden_layer_with_as_many_inputs_as_outputs_is_asked_for_last():
    def wrong_there(d, o):
        return [d / o, 2.5] if d == o else trace_gauge(d, o)

    assert "for 7 inputs and 7 outputs" in check.trace_gauge(wrong_there).message
