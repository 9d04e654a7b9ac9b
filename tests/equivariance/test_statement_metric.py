"""Two metrics for shared weights: the same critical points, and only one respects the barrier."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sympy.combinatorics import CyclicGroup, DihedralGroup, SymmetricGroup
from torch.testing import assert_close

from gaugelib.equivariance import (
    barriers,
    copies,
    deep_sets,
    descend,
    equivariant_space,
    natural,
    trivial,
)
from tests.equivariance import permuted
from tests.equivariance.one_channel import adam, loss, slopes, step
from tests.equivariance.sampled import Sampled, channel

several = st.integers(2, 6)
number = st.floats(-2, 2).filter(lambda x: abs(x) > 0.05)
TEACHER = (1.0, 0.0, 1.0)


def shared(data, n, write, *values):
    """PyTorch's gradients by the numbers that a code shares, of the loss on a sample."""
    x, y = torch.from_numpy(data.x), torch.from_numpy(data.y)
    leaves = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values]
    f = torch.relu(write(x, *leaves)).sum(dim=1)
    return [float(g) for g in torch.autograd.grad(((f - y) ** 2).mean() / 2, leaves)]


def dense(x, a, b):
    """The code of a layer that fills a matrix."""
    n = x.shape[1]
    eye = torch.eye(n, dtype=x.dtype)
    return x @ (a * eye + b * (1 - eye)).T


def summed(x, delta, b):
    """The code of a Deep Sets layer: each input, and the sum over all."""
    return delta * x + b * x.sum(dim=1, keepdim=True)


@given(n=several, b=number, seed=st.integers(0, 999))
def test_on_the_spine_the_two_codes_leave_it_in_opposite_directions(n, b, seed):
    """δ̇ = n(n-2)g by (a, b) and -ng by (δ, b), where g is the gradient of every entry of W."""
    turns = [tuple(np.roll(range(n), k)) for k in range(n)]  # enough: one orbit of inputs
    data = Sampled(turns, "relu", channel(*TEACHER, n), draws=40, seed=seed)
    by_rows, _ = data.slopes(*channel(b, b, 1.0, n))
    g = by_rows[0, 0]
    assert_allclose(by_rows, g, rtol=1e-10, atol=1e-13)
    by_a, by_b = shared(data, n, dense, b, b)
    assert_allclose(by_b - by_a, n * (n - 2) * g, rtol=1e-9, atol=1e-11)
    by_delta, _ = shared(data, n, summed, 0.0, b)
    assert_allclose(-by_delta, -n * g, rtol=1e-9, atol=1e-11)
    assert_allclose(by_a / n - by_b / (n * (n - 1)), 0.0, atol=1e-12 * n)  # inherited


@given(a=number, b=number, n=st.integers(2, 4), seed=st.integers(0, 99))
def test_raw_sharing_is_the_inherited_slope_times_the_multiplicity(a, b, n, seed):
    data = Sampled(permuted.all_of(n), "relu", channel(*TEACHER, n), draws=5, seed=seed)
    group = SymmetricGroup(n)
    space = equivariant_space([natural(group), natural(group), trivial(group)])
    assert space.multiplicities.tolist() == [n, n * (n - 1), n]
    by_rows, by_outputs = map(torch.from_numpy, data.slopes(*channel(a, b, 1.0, n)))
    means = space.coordinates({"0.weight": by_rows, "2.weight": by_outputs[None]})
    raw = shared(data, n, dense, a, b)
    assert_allclose(raw, (means * space.multiplicities)[:2], rtol=1e-10, atol=1e-12)


def test_both_stop_at_the_same_trap():
    """From one start each way, to the same critical point; the control: a third of it is none."""
    here = there = (0.2, 0.9, 1.0)
    for _ in range(2500):
        here = step(here, TEACHER, 3, 0.1, moves=False)
        there = step(there, TEACHER, 3, 0.05, metric="raw", moves=False)
    assert_allclose(here, there, atol=1e-9)
    assert_allclose([*here[:2], loss(here, TEACHER, 3)], [-0.31818, 0.65945, 0.02412], atol=1e-5)
    assert max(map(abs, slopes(here, TEACHER, 3)[:2])) < 1e-10
    assert max(map(abs, slopes((here[0] / 3, here[1] / 3, 1.0), TEACHER, 3)[:2])) > 1e-3


def kept(multiplicities, k, other):
    """Whether raw sharing maps {p_k = p_l} to itself for every gradient: AA'ν is a multiple of ν.

    The entries of orbit k are m_k; A writes p into them.
    """
    labels = np.repeat(np.arange(len(multiplicities)), multiplicities)
    write = (labels[:, None] == np.arange(len(multiplicities))) * 1.0
    nu = write[:, k] / multiplicities[k] - write[:, other] / multiplicities[other]
    moved = write @ write.T @ nu
    return np.linalg.matrix_rank(np.stack([nu, moved]), tol=1e-9) < 2


@given(counts=st.lists(st.integers(1, 6), min_size=2, max_size=5))
def test_raw_sharing_keeps_a_barrier_of_equal_multiplicities_only(counts):
    assert kept(counts, 0, 1) == (counts[0] == counts[1])


@pytest.mark.parametrize(
    "group, hidden, equal",
    [
        (SymmetricGroup(2), natural, True),
        (SymmetricGroup(3), natural, False),
        (SymmetricGroup(3), lambda g: copies(natural(g), 2), False),
        (CyclicGroup(2), natural, True),
        (DihedralGroup(4), natural, True),
    ],
)
def test_which_barriers_have_equal_multiplicities(group, hidden, equal):
    walls = barriers(equivariant_space([natural(group), hidden(group), trivial(group)]))
    assert walls
    for wall in walls:
        counts = wall.space.multiplicities.tolist()
        assert (counts[wall.orbits[0]] == counts[wall.orbits[1]]) == equal
        assert kept(counts, *wall.orbits) == equal


@pytest.mark.parametrize("d", [3, 5, 8])
def test_a_circular_convolution_shares_each_weight_equally(d):
    group = CyclicGroup(d)
    space = equivariant_space([natural(group), natural(group), trivial(group)])
    assert set(space.multiplicities.tolist()) == {d}
    kernel = torch.randn(d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    leaf = kernel.clone().requires_grad_()
    x = torch.randn(7, 1, d, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    padded = torch.cat([x, x[..., : d - 1]], dim=-1)
    out = torch.relu(torch.nn.functional.conv1d(padded, leaf[None, None]))
    (by_kernel,) = torch.autograd.grad((out.sum(-1) ** 2).mean(), leaf)
    rows = torch.stack([torch.roll(kernel, i) for i in range(d)]).requires_grad_()
    (by_rows,) = torch.autograd.grad((torch.relu(x @ rows.T).sum(-1) ** 2).mean(), rows)
    means = torch.stack([torch.roll(by_rows[i], -i) for i in range(d)]).mean(0)
    assert_close(by_kernel, d * means, rtol=1e-11, atol=1e-12)


# --- what it does to runs ---


def crossed(metric, n=3, start=(-0.02, 0.0), lr=0.004):
    """Whether a run from beside the spine, on the wrong side for δ* = 1, is on the other."""
    b = np.linspace(-1.5, 1.5, 61)
    b = b[abs(b) > 0.04]
    place = (b + start[0], b, np.ones_like(b))
    for _ in range(1500):
        place = step(place, TEACHER, n, lr, metric=metric)
    return int((place[0] > place[1]).sum()), len(b)


def test_the_inherited_metric_crosses_never():
    assert crossed("inherited", lr=0.02)[0] == 0


def test_control_raw_sharing_crosses():
    count, total = crossed("raw")
    assert 10 < count < total
    assert crossed("raw", 2)[0] == 0  # equal multiplicities


def test_the_library_crosses_too():
    group = SymmetricGroup(3)
    space = equivariant_space([natural(group), natural(group), trivial(group)])
    W, v = deep_sets(torch.tensor([1.18, -0.52], dtype=torch.float64), 1.2)
    teacher = deep_sets(1.0, 0.0)
    sides = {}
    for metric in ("inherited", "raw"):
        run = descend(W, v, teacher, lr=0.01, steps=500, space=space, metric=metric)
        sides[metric] = (run.W[-1, :, 0, 0] > run.W[-1, :, 0, 1]).tolist()
    assert sides["inherited"] == [False, False]
    assert sides["raw"][0]


def adams_end(place, multiplicity, steps):
    """Where Adam is in the end, each slope times a factor; nothing is added to its divisor."""
    way = adam(np.array(place), TEACHER, 3, 0.01, steps, copies=np.array(multiplicity), eps=0.0)
    return list(way)[-1]


def test_adam_divides_the_multiplicity_out():
    """So by (a, b) it goes the same way in both metrics; and it stays on the spine."""
    ends = [adams_end((0.2, 0.5), m, 300) for m in ((1.0, 1.0), (3.0, 6.0))]
    assert_allclose(*ends, rtol=1e-9)
    for m in ((1.0, 1.0), (3.0, 6.0)):
        a, b = adams_end((0.3, 0.3), m, 50)
        assert_allclose(a, b, rtol=1e-9)
        assert abs(a - 0.3) > 0.05


def test_control_by_the_sum_adam_leaves_the_spine():
    """In (δ, b) the gradient of δ is not zero there."""
    data = Sampled(permuted.all_of(3), "relu", channel(*TEACHER, 3), draws=40)
    by_delta, _ = shared(data, 3, summed, 0.0, 0.3)
    assert abs(by_delta) > 1e-2
