"""Half precision: the verification still sees a wrong group, and still passes a right one."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from gaugelib import Entry, mlp_group, trace_group
from gaugelib.testing import assert_gauge_invariant

HALF = [torch.bfloat16, torch.float16]
SEEDS = range(20)


class Casts(nn.Module):
    """Computes in half precision whatever it is given."""

    def __init__(self, inside, dtype):
        super().__init__()
        self.inside, self.dtype = inside, dtype

    def forward(self, x):
        for layer in self.inside:
            if isinstance(layer, nn.Linear):
                weight, bias = layer.weight.to(self.dtype), layer.bias.to(self.dtype)
                x = nn.functional.linear(x.to(self.dtype), weight, bias)
            else:
                x = layer(x)
        return x


class Insists(nn.Module):
    """Fails where its parameters are not in half precision."""

    def __init__(self, inside, dtype):
        super().__init__()
        self.inside, self.dtype = inside.to(dtype), dtype

    def forward(self, x):
        return self.inside(x.to(self.dtype))


def network(seed):
    draw = torch.Generator().manual_seed(seed)
    model = nn.Sequential(
        *(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    )
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.randn(value.shape, generator=draw) / value.shape[-1] ** 0.5)
    return model, torch.randn(16, 4, generator=draw)


def without_biases(group):
    """The group of one who forgot that biases are rescaled too."""
    ground = torch.zeros((), dtype=torch.int64)
    forgotten = {n: Entry(ground, ground, "bias") for n in group.entries if n.endswith("bias")}
    return replace(group, entries={**group.entries, **forgotten})


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_right_group_passes_in_half_precision(dtype, seed):
    model, x = network(seed)
    assert assert_gauge_invariant(model.to(dtype), x.to(dtype)) < 1e-14


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("seed", SEEDS)
def test_control_a_group_that_forgets_the_biases_fails_in_half_precision(dtype, seed):
    model, x = network(seed)
    wrong = without_biases(mlp_group(model))
    with pytest.raises(AssertionError, match=r"tolerance is 1\.42e-14"):
        assert_gauge_invariant(model.to(dtype), x.to(dtype), group=wrong)


@pytest.mark.parametrize("kind", [Casts, Insists])
@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_forward_that_computes_in_half_precision_is_tested_by_powers_of_two(kind, dtype, seed):
    inside, x = network(seed)
    model = kind(inside, dtype)
    group = trace_group(model, x)
    assert assert_gauge_invariant(model, x, group=group) == 0.0
    with pytest.raises(AssertionError, match=r"tolerance is (3\.12|8\.84)e-02"):
        assert_gauge_invariant(model, x, group=without_biases(group))


def test_autocast_is_tested_in_float64_too():
    model, x = network(0)
    group = mlp_group(model)
    with torch.autocast("cpu", torch.bfloat16):
        assert model(x).dtype == torch.bfloat16
        assert assert_gauge_invariant(model, x, group=group) < 1e-14
        with pytest.raises(AssertionError, match=r"tolerance is 1\.42e-14"):
            assert_gauge_invariant(model, x, group=without_biases(group))
