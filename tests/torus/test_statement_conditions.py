"""The table of conditions: one forward with every row of it, its log-scales by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

TOKENS, WIDTH, HIDDEN, PAIRS = 3, 4, 3, 1
EPS = 1.0  # large, so that it is seen
seeds = st.integers(0, 10_000)


def drawn(seed):
    """Parameters and one input, of shape (tokens, width)."""
    draw = torch.Generator().manual_seed(seed)
    shapes = {
        "W1": (HIDDEN, WIDTH), "b1": (HIDDEN,), "W2": (HIDDEN, WIDTH), "U": (HIDDEN, WIDTH),
        "Q": (2 * PAIRS, WIDTH), "K": (2 * PAIRS, WIDTH), "V": (HIDDEN, WIDTH),
        "W3": (HIDDEN, HIDDEN), "gain": (HIDDEN,), "W4": (2, HIDDEN), "W5": (2, HIDDEN),
        "W6": (2, HIDDEN),
    }  # fmt: skip
    theta = {n: torch.randn(s, generator=draw, dtype=torch.float64) for n, s in shapes.items()}
    theta["W3"] /= 20
    return theta, torch.randn(TOKENS, WIDTH, generator=draw, dtype=torch.float64)


def turned(x, angle=0.7):
    one, two = x.chunk(2, -1)
    angles = angle * torch.arange(len(x), dtype=x.dtype)[:, None]
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([one * cos - two * sin, one * sin + two * cos], -1)


def forward(t, x):
    """Every activation by its name; `out` is the output."""
    at = {"h": torch.relu(x @ t["W1"].T + t["b1"])}
    at["max"] = torch.maximum(at["h"], x @ t["W2"].T)
    at["up"] = x @ t["U"].T
    at["gated"] = torch.relu(at["max"] * at["up"])
    at["square"] = at["gated"] ** 2
    at["q"], at["k"] = turned(x @ t["Q"].T), turned(x @ t["K"].T)
    at["weights"] = (at["q"] @ at["k"].T).softmax(-1)
    at["mean"] = at["weights"] @ (x @ t["V"].T)
    at["stream"] = at["square"] @ t["W3"].T
    size = at["stream"].square().mean(-1, keepdim=True) + EPS
    at["normal"] = at["stream"] / size.sqrt() * t["gain"]
    at["root"] = at["mean"].abs().rsqrt()
    at["out"] = at["normal"] @ t["W4"].T + at["mean"] @ t["W5"].T + at["root"] @ t["W6"].T
    return at


def log_scales(seed):
    """Numbers that obey the conditions: of the parameters, and of the activations."""
    draw = torch.Generator().manual_seed(seed + 1)
    a, u, v, g = torch.randn(4, HIDDEN, generator=draw, dtype=torch.float64) / 2
    pair = torch.randn(PAIRS, generator=draw, dtype=torch.float64).repeat(2)
    of_parameters = {
        "W1": a[:, None], "b1": a, "W2": a[:, None], "U": u[:, None], "Q": pair[:, None],
        "K": -pair[:, None], "V": v[:, None], "W3": -2 * (a + u), "gain": g, "W4": -g, "W5": -v,
        "W6": v / 2,
    }  # fmt: skip
    zero = torch.zeros(1, dtype=torch.float64)
    of_activations = {
        "h": a, "max": a, "up": u, "gated": a + u, "square": 2 * (a + u), "q": pair, "k": -pair,
        "weights": zero, "mean": v, "stream": zero, "normal": g, "root": -v / 2, "out": zero,
    }  # fmt: skip
    return of_parameters, of_activations


def moved(theta, scales):
    return {name: w * scales[name].exp() for name, w in theta.items()}


@given(seed=seeds)
def test_what_obeys_the_conditions_multiplies_activations_and_leaves_outputs(seed):
    theta, x = drawn(seed)
    of_parameters, of_activations = log_scales(seed)
    before, after = forward(theta, x), forward(moved(theta, of_parameters), x)
    assert before.keys() == of_activations.keys()
    for name, value in before.items():
        assert_close(after[name], value * of_activations[name].exp(), rtol=1e-9, atol=1e-9)


BROKEN = {
    "a bias forgotten": {"b1": lambda s: 0 * s},
    "one side of a maximum": {"W2": lambda s: 0 * s},
    "one factor of a product": {"W3": lambda s: s * 0.7},
    "a degree taken for 1": {"W3": lambda s: s / 2},
    "the key forgotten": {"K": lambda s: 0 * s},
    "the channels of a pair apart": {"Q": lambda s: s + torch.tensor([[0.5], [-0.5]]),
                                     "K": lambda s: s - torch.tensor([[0.5], [-0.5]])},
    "the degree of a root with the other sign": {"W6": lambda s: -s},
    "what an epsilon reads": {"W3": lambda s: s + 0.5},
    "a gain without its reader": {"W4": lambda s: 0 * s},
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_control_each_condition_that_is_broken_moves_the_outputs(name):
    theta, x = drawn(1)
    scales, _ = log_scales(1)
    scales |= {parameter: change(scales[parameter]) for parameter, change in BROKEN[name].items()}
    before, after = forward(theta, x)["out"], forward(moved(theta, scales), x)["out"]
    assert (after - before).abs().max() > 1e-5
