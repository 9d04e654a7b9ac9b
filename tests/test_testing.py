"""assert_gauge_invariant: passes what is a symmetry, and nothing else."""

import pytest
import torch
from torch import nn

from gaugelib import GaugeError, hat, mlp_group
from gaugelib.testing import assert_gauge_invariant
from gaugelib.tracing.verify import moved_relative

X = torch.linspace(-1.0, 3.0, 17, dtype=torch.float64)[:, None]


def test_it_returns_how_far_the_function_moved():
    moved = assert_gauge_invariant(hat(), X, generator=torch.Generator().manual_seed(3))
    assert 0.0 <= moved <= 64 * torch.finfo(torch.float64).eps
    assert assert_gauge_invariant(hat(), X, scales=torch.tensor([2.0, 0.5, 4.0])) == 0.0


def test_it_says_how_far_and_the_tolerance():
    model = nn.Sequential(hat()[0], nn.Tanh(), hat()[2])
    with pytest.raises(AssertionError, match=r"moved by \d.*e[-+]\d+ .*tolerance is 1.42e-14"):
        assert_gauge_invariant(model, X, group=mlp_group(hat()))


class Cast(nn.Module):
    """Its input in another dtype."""

    def __init__(self, dtype):
        super().__init__()
        self.dtype = dtype

    def forward(self, x):
        return x.to(self.dtype)


@pytest.mark.parametrize(
    ("dtype", "tol"),
    [("float64", "1.42e-14"), ("float32", "7.63e-06"), ("float16", "3.12e-02")],
)
def test_default_tolerance_follows_the_coarsest_dtype(dtype, tol):
    dtype = getattr(torch, dtype)
    model = nn.Sequential(hat()[0], nn.Tanh(), hat()[2], Cast(dtype))
    with pytest.raises(AssertionError, match=f"tolerance is {tol}"):
        assert_gauge_invariant(model, X, group=mlp_group(hat()))
    # what the parameters are stored in does not matter
    stored = nn.Sequential(hat()[0], nn.Tanh(), hat()[2]).to(dtype)
    with pytest.raises(AssertionError, match=r"tolerance is 1\.42e-14"):
        assert_gauge_invariant(stored, X.to(dtype), group=mlp_group(hat()))


def test_a_given_tolerance_is_used():
    model, group = nn.Sequential(hat()[0], nn.Tanh(), hat()[2]), mlp_group(hat())
    scales = torch.full((3,), 1 + 1e-6, dtype=torch.float64)
    assert assert_gauge_invariant(model, X, group=group, scales=scales, tol=1e-3) > 1e-8
    with pytest.raises(AssertionError, match=r"tolerance is 1\.00e-08"):
        assert_gauge_invariant(model, X, group=group, scales=scales, tol=1e-8)


def test_nothing_to_test_is_not_a_pass():
    with pytest.raises(GaugeError, match=r"no units.*no symmetry to test"):
        assert_gauge_invariant(nn.Sequential(hat()[0], nn.Tanh(), hat()[2]), X)


def test_an_unknown_model_is_not_a_pass():
    with pytest.raises(GaugeError, match="no units"):
        assert_gauge_invariant(nn.Sequential(nn.LSTM(1, 2)), X.float())


def test_outputs_that_are_not_finite_are_not_a_pass():
    model = hat()
    with torch.no_grad():
        model[2].bias.fill_(torch.nan)
    with pytest.raises(GaugeError, match="NaN"):
        assert_gauge_invariant(model, X, group=mlp_group(model))
    with pytest.raises(AssertionError, match="moved by nan"):
        assert_gauge_invariant(hat(), torch.full_like(X, torch.nan), group=mlp_group(model))


def test_dropout_is_the_same_before_and_after():
    model = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 2)).double()
    x = torch.randn(4, 3, dtype=torch.float64)
    assert not torch.equal(model(x), model(x))
    assert assert_gauge_invariant(model, x) < 1e-14


class Many(nn.Module):
    """Several inputs, several outputs of very different size."""

    def __init__(self):
        super().__init__()
        self.first, self.small, self.large = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 2)

    def forward(self, x, y):
        h = torch.relu(self.first(x + y))
        return {"large": 1e6 * self.large(h), "rest": [self.small(h), (h > 0).any(1)]}


def test_several_inputs_and_outputs():
    model = Many().double()
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    assert assert_gauge_invariant(model, (x[0], x[1])) < 1e-14


def test_each_output_is_measured_by_its_own_size():
    before = {"large": torch.tensor([1e6, 1.0]), "small": torch.tensor([1e-3, 2e-3])}
    after = {"large": torch.tensor([1e6, 1.0]), "small": torch.tensor([1e-3, 1e-3])}
    assert moved_relative(before, after).tolist() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([0.0, 0.0], [0.0, 1e-300], torch.inf),
        ([torch.inf, 1.0], [torch.inf, 1.5], 0.5),
        ([torch.inf, 1.0], [1.0, 1.0], torch.inf),
        ([1.0, torch.nan], [1.0, torch.nan], torch.nan),
        ([2.0, 1.0], [2.0, torch.nan], torch.nan),
    ],
)
def test_movement_of_special_values(before, after, moved):
    before, after, moved = (torch.tensor(v, dtype=torch.float64) for v in (before, after, moved))
    torch.testing.assert_close(moved_relative(before, after), moved, equal_nan=True)
