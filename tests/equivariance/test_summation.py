"""Sums that keep a symmetry, and what the order of summation does to a page."""

import itertools
from fractions import Fraction

import pytest
import torch

from gaugelib import GaugeError
from gaugelib.equivariance.summation import fixed_sum, plain_sum, relu_gradient, sorted_sum
from tools.rerun_stored import sys  # noqa: F401  (puts the experiments on the path)

from equivariant_staying import START, away, deep_sets, network, sample, summed  # isort: skip

SYMMETRIC = [sorted_sum, fixed_sum]
TYPES = [torch.float64, torch.float32]


def terms(dtype, count=101):
    draw = torch.Generator().manual_seed(0)
    return torch.randn(count, 4, generator=draw, dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("add", SYMMETRIC)
def test_the_order_of_the_terms_does_not_change_a_bit(add, dtype):
    here = terms(dtype)
    for seed in range(20):
        order = torch.randperm(len(here), generator=torch.Generator().manual_seed(seed))
        assert torch.equal(add(here[order], 0), add(here, 0))
        assert torch.equal(add(here[order].T, 1), add(here, 0))


@pytest.mark.parametrize("dtype", TYPES)
def test_control_in_the_plain_sum_it_does(dtype):
    here = terms(dtype)
    order = torch.randperm(len(here), generator=torch.Generator().manual_seed(0))
    assert not torch.equal(plain_sum(here[order], 0), plain_sum(here, 0))


@pytest.mark.parametrize("add", SYMMETRIC)
def test_the_sums_are_right(add):
    here = terms(torch.float64)
    for column in range(4):
        exact = sum(Fraction(value) for value in here[:, column].tolist())
        assert abs(float(Fraction(float(add(here, 0)[column])) - exact)) < 1e-10


def test_fixed_point_refuses_what_it_cannot_hold():
    with pytest.raises(GaugeError, match="2\\^62"):
        fixed_sum(torch.full((4,), 1e7), 0)
    with pytest.raises(GaugeError, match="nan"):
        fixed_sum(torch.tensor([float("nan")]), 0)


@pytest.mark.parametrize("add", [plain_sum, *SYMMETRIC])
def test_the_gradient_is_that_of_autograd(add):
    x, y = sample(20)
    net = network(torch.float64)
    loss = (net(x)[:, 0] - y).square().mean() / 2
    dW, dv = torch.autograd.grad(loss, list(net.parameters()))
    W, v = deep_sets(*START)
    found = relu_gradient(W, v, x, y, (add, add, add))
    torch.testing.assert_close(found, (dW, dv[0]), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["sorted", "fixed"])
def test_with_symmetric_sums_a_run_stays_on_its_page_bit_for_bit(name, dtype):
    assert summed(name, name, name, dtype, steps=60)["largest"] == 0.0


@pytest.mark.parametrize("where", range(3))
def test_control_one_plain_sum_among_them_and_it_leaves(where):
    names = ["plain" if k == where else "sorted" for k in range(3)]
    assert 0 < summed(*names, "float32", steps=60)["largest"] < 1e-5


def test_permuting_the_examples_or_the_units_changes_last_bits_of_the_gradient():
    x, y = (part.float() for part in sample())
    W, v = deep_sets(*(torch.tensor(entry) for entry in START))
    here, _ = relu_gradient(W, v, x, y)
    draw = torch.Generator().manual_seed(0)
    order = torch.randperm(len(x), generator=draw)
    other, _ = relu_gradient(W, v, x[order], y[order])
    assert not torch.equal(here, other)
    torch.testing.assert_close(here, other, rtol=1e-4, atol=1e-6)
    exact, _ = relu_gradient(W, v, x, y, (sorted_sum,) * 3)
    for rows in itertools.permutations(range(3)):
        turned, _ = relu_gradient(W[list(rows)], v, x, y, (sorted_sum,) * 3)
        assert torch.equal(turned, exact[list(rows)])


def test_the_distance_is_zero_on_the_page_and_right_beside_it():
    W, v = deep_sets(0.9, 0.3)
    assert away(W, v) == 0.0
    W[0, 1] += 0.3
    assert away(W, v) == pytest.approx(0.3 * (5 / 6) ** 0.5)


@pytest.mark.parametrize("bits", [-1, 0.5, 2000])
def test_fixed_point_has_a_whole_number_of_bits(bits):
    with pytest.raises(GaugeError, match="bits must be a whole number from 0 to 62"):
        fixed_sum(torch.ones(2), 0, bits)


def test_fixed_point_sums_what_is_empty_and_what_would_overflow_in_half_precision():
    assert fixed_sum(torch.zeros(3, 0), 0).shape == (0,)
    terms = torch.full((4,), 6e4).half() * torch.tensor([1, -1, 1, -1]).half()
    assert fixed_sum(terms, 0, 30) == 0.0


@pytest.mark.parametrize("change", [(1, (2, 1)), (2, (2, 2)), (3, (3, 1)), (3, (2,)), (3, ())])
def test_shapes_that_would_be_broadcast_are_refused(change):
    shapes = [(3, 2), (3,), (3, 2), (3,)]
    assert relu_gradient(*map(torch.ones, shapes))[0].shape == (3, 2)
    shapes[change[0]] = change[1]
    with pytest.raises(GaugeError, match="shapes must be"):
        relu_gradient(*map(torch.ones, shapes))
    with pytest.raises(GaugeError, match="N > 0"):
        relu_gradient(*map(torch.ones, [(3, 2), (3,), (0, 2), (0,)]))
