"""Checkers of "Conservation laws": reference, stub, and a hint for each known mistake."""

import math

import pytest
import torch
from torch.func import grad, jacrev
from torch.nn import functional

from gaugelib import gradient_flow


def power(weights, p, dim):
    return weights.abs().pow(p).sum(dim)


def layer_charges(weights, biases, slope, p):
    return [
        power(torch.cat([weights[k], biases[k][:, None]], 1), p, 1) - power(weights[k + 1], p, 0)
        for k in range(len(weights) - 1)
    ]


def without_bias(weights, biases, slope, p):
    return layer_charges(weights, [0 * b for b in biases], slope, p)


def leak_in(weights, biases, slope, p):
    scaled = [w * slope for w in weights[:-1]], [b * slope for b in biases]
    first = layer_charges([*scaled[0], weights[-1]], scaled[1], slope, p)
    # between two hidden layers only the incoming side carries the slope
    return [c + power(w * slope, p, 0) - power(w, p, 0) for c, w in zip(first, weights[1:])][
        :-1
    ] + first[-1:]


def leak_out(weights, biases, slope, p):
    plain = layer_charges(weights, biases, slope, p)
    return [c + (1 - abs(slope) ** p) * power(w, p, 0) for c, w in zip(plain, weights[1:])]


def stream_charges(embed, blocks, read, p):
    total = power(embed, p, 1) - power(read, p, 0)
    for into_block, out_of_block in blocks:
        total = total + power(out_of_block, p, 1) - power(into_block, p, 0)
    return total


def drift_order(drift):
    return math.log2(drift(0.01) / drift(0.005))


def flow_end(w, v, y, p):
    delta = w**p - v**p  # with x = |w|^p: x (x - delta) = y^p
    x = (delta + math.sqrt(delta**2 + 4 * y**p)) / 2
    return x ** (1 / p), (x - delta) ** (1 / p)


def flow_path(w, v, y, time):
    """Partial fractions in e^θ = (w + v)/(w - v)."""
    delta = w * w - v * v
    root = math.sqrt(4 * y * y + delta**2)
    up, down, start = (2 * y + root) / delta, (2 * y - root) / delta, (w + v) / (w - v)
    c = (start - up) / (start - down) * math.exp(-root * time)
    ratio = (up - down * c) / (1 - c)
    long = math.sqrt(delta * ratio)
    return (long + delta / long) / 2, (long - delta / long) / 2


def at_product(w, v, u):
    return flow_end(w, v, u, 2)


def linearised(w, v, y, t):
    return at_product(w, v, y + (w * v - y) * math.exp(-t * math.hypot(2 * y, w * w - v * v)))


def logistic(w, v, y, t):
    return at_product(w, v, y / (1 + (y / (w * v) - 1) * math.exp(-2 * y * t)))


REFERENCES = {
    "layer_charges": layer_charges,
    "weight_rate": lambda b, slope, p: p * b * slope,
    "stream_charges": stream_charges,
    "drift_order": drift_order,
    "flow_end": flow_end,
    "flow_path": flow_path,
}
MISTAKES = {
    "layer_charges": [
        (without_bias, "a trained bias"),
        (lambda *args: [-c for c in layer_charges(*args)], "in minus out"),
        (lambda w, b, slope, p: layer_charges(w, b, slope, 2), "p-th powers"),
        (leak_in, "in no charge"),
        (leak_out, "does not weaken"),
        (lambda w, b, slope, p: b, "not the charges"),
    ],
    "weight_rate": [
        (lambda b, slope, p: 0.0, "only where b"),
        (lambda b, slope, p: -p * b * slope, "rate of |b|ᵖ"),
        (lambda b, slope, p: 2 * b * slope, "right for p = 2"),
        (lambda b, slope, p: b * slope, "leaves over"),
        (lambda b, slope, p: p * b / abs(b) * abs(b) ** (p - 1) * slope, "speed |θ|²⁻ᵖ"),
        (lambda b, slope, p: p * abs(b) * slope, "their signs count"),
        (lambda b, slope, p: p * b * abs(slope), "their signs count"),
        (lambda b, slope, p: 1.0, "take the bias to the right"),
    ],
    "stream_charges": [
        (
            lambda u, blocks, r, p: stream_charges(u, [(w, 0 * v) for w, v in blocks], r, p),
            "writes into the stream",
        ),
        (
            lambda u, blocks, r, p: stream_charges(u, [(0 * w, v) for w, v in blocks], r, p),
            "reads from the stream",
        ),
        (lambda *args: -stream_charges(*args), "upside down"),
        (lambda u, blocks, r, p: power(u, p, 1) - power(blocks[0][0], p, 0), "before the first"),
        (lambda u, blocks, r, p: power(blocks[-1][1], p, 1) - power(r, p, 0), "after the last"),
        (lambda u, blocks, r, p: power(u, p, 1), "list all edges"),
    ],
    "drift_order": [
        (lambda drift: drift(0.01) / drift(0.005), "ratio of the two drifts"),
        (lambda drift: -drift_order(drift), "upside down"),
        (lambda drift: math.log(2) * drift_order(drift), "natural logarithm"),
        (lambda drift: math.log2(drift(1.0) / drift(0.5)), "too long"),
        (lambda drift: math.log(drift(0.01)), "math domain error"),
        (lambda drift: 1, "has order 2"),
    ],
    "flow_end": [
        (lambda *args: flow_end(*args)[::-1], "other order"),
        (lambda w, v, y, p: (math.sqrt(y), math.sqrt(y)), "balanced minimum"),
        (
            lambda w, v, y, p: (w * math.sqrt(y / (w * v)), v * math.sqrt(y / (w * v))),
            "scaling both alike",
        ),
        (lambda w, v, y, p: flow_end(w, v, y, 2), "right for p = 2"),
        (lambda w, v, y, p: (w, v), "two equations"),
    ],
    "flow_path": [
        (lambda w, v, y, t: flow_end(w, v, y, 2), "reached only as"),
        (lambda w, v, y, t: flow_path(w, v, y, abs(w - v)), "not there at this time"),
        (lambda *args: flow_path(*args)[::-1], "other order"),
        (linearised, "only near the end"),
        (logistic, "logistic law"),
        (lambda w, v, y, t: flow_path(w, v, y, 2 * t), "not there at this time"),
        (lambda w, v, y, t: (w + t, v + t), "leaves its hyperbola"),
        (lambda w, v, y, t: w, "leaves its hyperbola"),
    ],
}


def rate(function, loss, params, p):
    """How fast a function of the parameters changes along the flow with exponent p."""
    slopes = grad(loss)(params)
    velocity = {n: -params[n].abs().pow(2 - p) * slopes[n] for n in params}
    slope = jacrev(function)(params)
    return sum((slope[n] * velocity[n]).flatten(-velocity[n].dim()).sum(-1) for n in params)


def drawn(draw, **shapes):
    return {n: torch.randn(s, generator=draw, dtype=torch.float64) for n, s in shapes.items()}


def leaky_net(draw, activation):
    params = drawn(draw, w0=(5, 3), w1=(4, 5), w2=(2, 4), b0=(5,), b1=(4,), b2=(2,))
    x = torch.randn(7, 3, generator=draw, dtype=torch.float64)

    def loss(theta):
        z = activation(x @ theta["w0"].T + theta["b0"])
        z = activation(z @ theta["w1"].T + theta["b1"])
        return (z @ theta["w2"].T + theta["b2"] - 1).square().mean()

    def charges(theta, p, function=layer_charges):
        weights, biases = ([theta[f"{kind}{k}"] for k in range(3)] for kind in "wb")
        return torch.cat(function(weights, biases, 0.3, p))

    return params, loss, charges


def leaky(z):
    return functional.leaky_relu(z, 0.3)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0])
def test_the_flow_conserves_the_charges_of_a_leaky_network(p):
    params, loss, charges = leaky_net(torch.Generator().manual_seed(0), leaky)
    moving = rate(lambda theta: charges(theta, p), loss, params, p)
    assert moving.abs().max() < 1e-12


@pytest.mark.parametrize(
    ("activation", "function", "exponent"),
    [(torch.tanh, layer_charges, 2.0), (leaky, without_bias, 2.0), (leaky, layer_charges, 1.0)],
)
def test_a_bent_activation_a_forgotten_bias_or_another_exponent_break_the_law(
    activation, function, exponent
):
    params, loss, charges = leaky_net(torch.Generator().manual_seed(0), activation)
    moving = rate(lambda theta: charges(theta, exponent, function), loss, params, 2.0)
    assert moving.abs().max() > 1e-2


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])
def test_the_weights_gain_what_the_bias_loses(p):
    params, loss, charges = leaky_net(torch.Generator().manual_seed(1), leaky)
    moving = rate(lambda theta: charges(theta, p, without_bias), loss, params, p)
    slopes = grad(loss)(params)
    gained = torch.cat([p * params[b] * slopes[b] for b in ("b0", "b1")])
    torch.testing.assert_close(moving, gained, rtol=1e-10, atol=1e-12)
    assert (moving + gained).abs().max() > 1e-2  # the other sign


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0])
def test_the_flow_conserves_one_charge_for_each_unit_of_a_residual_stream(p):
    draw = torch.Generator().manual_seed(2)
    params = drawn(draw, u=(4, 3), w0=(5, 4), v0=(4, 5), w1=(5, 4), v1=(4, 5), r=(2, 4))
    x = torch.randn(7, 3, generator=draw, dtype=torch.float64)

    def loss(theta):
        s = x @ theta["u"].T
        for k in "01":
            s = s + torch.relu(s @ theta["w" + k].T) @ theta["v" + k].T
        return (s @ theta["r"].T - 1).square().mean()

    def charges(theta, blocks="01"):
        pairs = [(theta["w" + k], theta["v" + k]) for k in blocks]
        return stream_charges(theta["u"], pairs, theta["r"], p)

    assert rate(charges, loss, params, p).abs().max() < 1e-9
    assert rate(lambda theta: charges(theta, "0"), loss, params, p).abs().max() > 1e-2
    if p == 2:  # before it is read the stream is linear, so that a whole matrix is conserved

        def matrix(theta, last=1.0):
            into = [theta[n] for n in ("u", "v0", "v1")]
            out = [theta[n] for n in ("w0", "w1")] + [last * theta["r"]]
            return sum(m @ m.T for m in into) - sum(m.T @ m for m in out)

        assert rate(matrix, loss, params, p).abs().max() < 1e-9
        assert rate(lambda theta: matrix(theta, 0.0), loss, params, p).abs().max() > 1e-2


def plane_flow(w, v, y, until, p):
    start = {"w": torch.tensor([w, v], dtype=torch.float64)}
    path = gradient_flow(
        lambda theta: (theta["w"].prod() - y).square() / 2, start, until=until, steps=1000, p=p
    )
    return path.at(-1)["w"]


def test_the_path_asked_for_is_the_flows():
    for w, v, y, time in ((2.0, 1.0, 3.0, 0.2), (1.3, 0.4, 0.7, 1.0), (2.0, -1.0, 3.0, 0.5)):
        integrated = plane_flow(w, v, y, time, 2.0)
        expected = torch.tensor(flow_path(w, v, y, time), dtype=torch.float64)
        torch.testing.assert_close(integrated, expected, rtol=1e-9, atol=1e-9)
        near = torch.tensor(linearised(w, v, y, time), dtype=torch.float64)
        assert (integrated - near).abs().max() > 1e-3


@pytest.mark.parametrize(("p", "end"), [(2.0, (2.2032, 1.3617)), (1.0, (2.3028, 1.3028))])
def test_the_end_asked_for_is_the_flows(p, end):
    integrated = plane_flow(2.0, 1.0, 3.0, 5.0, p)
    expected = torch.tensor(flow_end(2.0, 1.0, 3.0, p), dtype=torch.float64)
    torch.testing.assert_close(integrated, expected, rtol=1e-9, atol=1e-9)
    assert [round(value, 4) for value in expected.tolist()] == list(end)
    other = torch.tensor(flow_end(2.0, 1.0, 3.0, 3.0 - p), dtype=torch.float64)
    assert (integrated - other).abs().max() > 1e-2
