"""The group that is traced is all of the symmetry, where the rank of the Jacobian can tell.

At a generic point, parameters modulo the directions that leave the function in place are the rank
of the Jacobian of outputs on many inputs. Where nothing but rescaling is redundant, that leaves the
dimension of the group.
"""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, jacrev

from gaugelib import params_of, trace_group
from gaugelib.testing import assert_gauge_invariant
from tests.tracing.dense import Gated, TiedAutoencoder, mlp
from tests.tracing.sequential import Recurrent


def outputs(model, x, params):
    return functional_call(model, params, x).flatten()


def redundant_directions(model, shape, expected):
    """Parameters minus the rank at random points: the smallest kernel of twenty, or `expected`.

    Dead units only enlarge the kernel, so that the first one of the expected size ends the search.
    """
    kernels = []
    for seed in range(20):
        draw = torch.Generator().manual_seed(seed)
        x = 2 * torch.randn(300, *shape, generator=draw, dtype=torch.float64)
        params = {
            name: torch.randn(value.shape, generator=draw, dtype=torch.float64)
            for name, value in params_of(model).items()
        }
        blocks = jacrev(partial(outputs, model, x))(params)
        jacobian = torch.cat([block.flatten(1) for block in blocks.values()], dim=1)
        singular = torch.linalg.svdvals(jacobian / jacobian.norm(dim=0).clamp(min=1e-300))
        rank = int((singular > 1e-9 * singular[0]).sum())
        kernels.append(jacobian.shape[1] - rank)
        if kernels[-1] <= expected:
            break
    return min(kernels)


class PostActivation(nn.Module):
    """Residual blocks with ReLU after the addition: the stream itself has no linear freedom."""

    def __init__(self):
        super().__init__()
        self.embed, self.into, self.out = nn.Linear(2, 3), nn.Linear(3, 2), nn.Linear(2, 3)
        self.head = nn.Linear(3, 1)

    def forward(self, x):
        x = F.relu(self.embed(x))
        return self.head(F.relu(x + self.out(F.relu(self.into(x)))))


class Concatenated(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(2, 3), nn.Linear(5, 2), nn.Linear(5, 1)

    def forward(self, x):
        first = F.relu(self.first(x))
        second = F.relu(self.second(torch.cat([x, first], 1)))
        return self.head(torch.cat([second, first], 1))


def small_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 2, 2), nn.LeakyReLU(0.3), nn.Conv2d(2, 2, 2), nn.LeakyReLU(0.3),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(2, 1),
    )  # fmt: skip


def grouped():
    return nn.Sequential(
        nn.Conv1d(2, 4, 2, groups=2), nn.LeakyReLU(0.2), nn.Conv1d(4, 4, 2, groups=4),
        nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(8, 1),
    )  # fmt: skip


class FreeGate(nn.Module):
    """The product of two free branches: each has a scale, and the head answers both."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.head = nn.Linear(2, 3), nn.Linear(2, 3), nn.Linear(3, 1)

    def forward(self, x):
        return self.head(F.relu(self.left(x)) * F.relu(self.right(x)))


class ScalarGain(nn.Module):
    """One factor for units of several scales: it has a scale of its own."""

    def __init__(self):
        super().__init__()
        self.embed, self.branch, self.head = nn.Linear(2, 3), nn.Linear(2, 3), nn.Linear(3, 1)
        self.gain = nn.Parameter(torch.randn(1))

    def forward(self, x):
        return self.head(F.relu(self.embed(x) + self.gain * F.relu(self.branch(x))))


class Squared(nn.Module):
    """Degree two: the units of the result have the squares of the scales that come in."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(2, 3), nn.Linear(3, 1)

    def forward(self, x):
        return self.head(F.relu(self.first(x)) ** 2)


class Normalised(nn.Module):
    """Divided by its own norm, without an eps: one scale for all entries, and it cancels."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(2, 3), nn.Linear(3, 1)

    def forward(self, x):
        x = self.first(x)
        return self.head(x / x.norm(dim=1, keepdim=True))


COMPLETE = {
    "mlp": (lambda: mlp(2, 4, 1), (2,)),
    "deeper mlp": (lambda: mlp(2, 3, 3, 1), (2,)),
    "leaky mlp": (lambda: mlp(2, 3, 2, act=lambda: nn.LeakyReLU(0.2)), (2,)),
    "learnt slopes": (lambda: nn.Sequential(nn.Linear(2, 2), nn.PReLU(2), nn.Linear(2, 1)), (2,)),
    "residual": (PostActivation, (2,)),
    "concatenated": (Concatenated, (2,)),
    "recurrent": (Recurrent, (3, 3)),
    "cnn": (small_cnn, (1, 4, 4)),
    "grouped": (grouped, (2, 4)),
    "tanh": (lambda: mlp(2, 4, 1, act=nn.Tanh), (2,)),
    "free gate": (FreeGate, (2,)),
    "weights tied to their transpose": (TiedAutoencoder, (3,)),
    "scalar gain": (ScalarGain, (2,)),
    "square": (Squared, (2,)),
}


UNITS = {  # where activations are multiplied, or a parameter is read twice
    "free gate": 6,
    "weights tied to their transpose": 9,
    "scalar gain": 4,
    "square": 3,
    "tanh": 0,
}


@pytest.mark.parametrize("name", COMPLETE)
def test_dimension_is_what_the_rank_of_the_jacobian_leaves(name):
    make, shape = COMPLETE[name]
    torch.manual_seed(0)
    model = make().double()
    group = trace_group(model, torch.randn(2, *shape, dtype=torch.float64))
    assert group.units == UNITS.get(name, group.units)
    assert redundant_directions(model, shape, group.units) == group.units


def test_a_division_by_its_own_norm_is_no_gap():
    model, x = Normalised().double(), torch.randn(2, 2, dtype=torch.float64)
    assert trace_group(model, x).units == 1
    assert_gauge_invariant(model, x)


def test_control_an_eps_in_the_division_leaves_no_symmetry():
    class Eps(Normalised):
        def forward(self, x):
            x = self.first(x)
            return self.head(x / (x.norm(dim=1, keepdim=True) + 0.1))

    model, x = Eps().double(), torch.randn(2, 2, dtype=torch.float64)
    assert trace_group(model, x).units == 0
    with pytest.raises(AssertionError, match="the function moved"):
        assert_gauge_invariant(model, x, group=trace_group(Normalised().double(), x))


def test_a_gate_of_fixed_scale_is_no_gap():
    model = Gated().double()
    assert trace_group(model, torch.randn(2, 3, dtype=torch.float64)).units == 5
    assert redundant_directions(model, (3,), 5) == 5
