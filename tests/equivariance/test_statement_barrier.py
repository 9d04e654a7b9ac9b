"""Free barriers: what hidden permutations keep divides a page, and flow stays on its side."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sympy.combinatorics import CyclicGroup, DihedralGroup, SymmetricGroup

from gaugelib.equivariance import (
    barriers,
    copies,
    equivariant_space,
    homomorphisms,
    natural,
    regular,
    trivial,
)
from tests.equivariance import permuted
from tests.equivariance.sampled import (
    Sampled,
    action,
    apart,
    around,
    channel,
    fixed_space,
    partitions,
    projector,
    together,
)

smooth = pytest.mark.parametrize("kind", ["softplus", "tanh"])
S3 = permuted.all_of(3)


def slope(data, theta, n):
    return together(*data.slopes(*apart(theta, n)))


# --- (i) symmetric criticality ---


@st.composite
def places(draw):
    """(data, projector of the page, basis of F, n): any page of C_4, S_3 or D_4, any classes."""
    group = draw(st.sampled_from([CyclicGroup(4), SymmetricGroup(3), DihedralGroup(4)]))
    found = homomorphisms(group, draw(st.integers(2, 4)))
    pi = found[draw(st.integers(0, len(found) - 1))]
    inputs, images = permuted.images(natural(group)), permuted.images(pi)
    n, d = pi.size, len(inputs[0])
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    page = projector(images, inputs)
    kind = draw(st.sampled_from(["softplus", "tanh", "relu"]))
    target = apart(page @ rng.standard_normal(len(page)), n)
    classes = draw(st.sampled_from(list(partitions(list(range(n))))))
    still = action(around(classes, n), tuple(range(d)))
    basis = fixed_space([page, still])
    return Sampled(inputs, kind, target, draws=5), page, basis, n, rng


@given(place=places())
def test_on_a_page_and_on_a_barrier_the_gradient_is_tangent(place):
    data, page, basis, n, rng = place
    here = page @ rng.standard_normal(len(page))
    there = basis.T @ (basis @ here)
    gradient = slope(data, here, n)
    assert_allclose(page @ gradient, gradient, atol=1e-13 * (1 + abs(gradient).max()))
    gradient = slope(data, there, n)
    on = basis.T @ (basis @ gradient)
    assert_allclose(on, gradient, atol=1e-12 * (1 + abs(gradient).max()))


def test_control_inputs_in_one_order_only_pull_it_off_the_page():
    page = projector(S3, S3)
    teacher = channel(1.0, 0.2, 1.0, 3)
    data = Sampled([(0, 1, 2)], "softplus", teacher)
    gradient = slope(data, together(*channel(0.3, 0.7, 1.0, 3)), 3)
    assert abs(page @ gradient - gradient).max() > 1e-2


def lowest_on(data, basis, start, n, steps=4000, rate=0.3):
    """Descent inside of a subspace, until its own gradient is zero."""
    place = basis @ start
    for _ in range(steps):
        place = place - rate * (basis @ slope(data, basis.T @ place, n))
    return basis.T @ place


@smooth
def test_a_critical_point_on_the_barrier_is_one_of_the_unconstrained_network(kind):
    data = Sampled(S3, kind, channel(1.0, 0.1, 1.0, 3))
    spine = fixed_space([projector(S3, S3), action((1, 0, 2), (0, 1, 2))])
    assert len(spine) == 2
    end = lowest_on(data, spine, together(*channel(0.4, 0.4, 1.0, 3)), 3)
    assert data.loss(*apart(end, 3)) > 1e-3
    assert abs(slope(data, end, 3)).max() < 1e-9
    # the control: in another plane of the page it is critical there alone
    tilted = np.linalg.qr(
        np.stack([together(*channel(1, 2, 0, 3)), together(*channel(0, 0, 1, 3))]).T
    )
    end = lowest_on(data, tilted[0].T, together(*channel(0.2, 0.4, 1.0, 3)), 3)
    assert abs(tilted[0].T @ slope(data, end, 3)).max() < 1e-9
    assert abs(slope(data, end, 3)).max() > 1e-3


# --- (ii) flow, (iii) steps ---


def velocity(data, place, n):
    """Of (a, b, c) in the inherited metric: minus the means over equal entries."""
    by_rows, by_outputs = data.slopes(*channel(*place, n))
    off = (by_rows.sum((-1, -2)) - np.trace(by_rows, axis1=-2, axis2=-1)) / (n * (n - 1))
    return -np.stack([np.trace(by_rows, axis1=-2, axis2=-1) / n, off, by_outputs.mean(-1)])


def flow(data, place, n, steps=600, h=0.1):
    """Runge-Kutta; the smallest of sign(a - b at the start)(a - b) on the way, and the end."""
    side, least = np.sign(place[0] - place[1]), np.inf
    for _ in range(steps):
        k1 = velocity(data, place, n)
        k2 = velocity(data, place + h / 2 * k1, n)
        k3 = velocity(data, place + h / 2 * k2, n)
        place = place + h / 6 * (k1 + 2 * k2 + 2 * k3 + velocity(data, place + h * k3, n))
        least = np.minimum(least, side * (place[0] - place[1]))
    return least, place


@pytest.mark.parametrize("n", [2, 3])
@smooth
def test_flow_keeps_the_side_with_a_smooth_activation(kind, n):
    data = Sampled(permuted.all_of(n), kind, channel(1.0, -0.2, 1.0, n))
    start = np.random.default_rng(n).standard_normal((3, 40))
    least, end = flow(data, start, n)
    assert (least > 0).all()
    assert abs(end - start).max(0).min() > 1e-2


def test_control_another_plane_of_the_page_is_crossed():
    data = Sampled(S3, "softplus", channel(1.0, -0.2, 1.0, 3))
    start = np.random.default_rng(3).standard_normal((3, 40))
    start = start / 2
    start[0] = 2 * start[1] + 0.01
    _, end = flow(data, start, 3, steps=200, h=0.02)
    crossed = int((end[0] < 2 * end[1]).sum())
    assert 10 < crossed < 40


def curve(data, foot, normal, lengths):
    """L and its slope along the normal, from the foot on."""
    theta = foot + lengths[:, None] * normal
    return slope(data, theta, 3) @ normal


@given(
    seed=st.integers(0, 9999),
    part=st.floats(0.01, 0.999),
    kind=st.sampled_from(["softplus", "tanh"]),
)
def test_a_step_below_one_over_the_curvature_keeps_the_side(seed, part, kind):
    rng = np.random.default_rng(seed)
    data = Sampled(S3, kind, channel(*rng.standard_normal(3), 3))
    normal = together(*channel(1 / 3, -1 / 6, 0, 3)) * np.sqrt(2)
    assert_allclose(normal @ normal, 1.0)
    theta = together(*channel(*rng.standard_normal(3) * 2, 3))
    s = normal @ theta
    t = np.linspace(0, s, 2001)
    slopes = curve(data, theta - s * normal, normal, t)
    assert abs(slopes[0]) < 1e-13  # at the foot: it lies on the barrier
    most = max(np.max(np.diff(slopes) / np.diff(t)), 1e-9)  # of νᵀHν, from above only
    assert slopes[-1] * s <= most * s * s * (1 + 1e-9)
    after = s - part / most * slopes[-1]
    assert after * s > 0


def test_control_a_large_step_leaps_over_it():
    data = Sampled(S3, "softplus", channel(0.0, 1.0, 1.0, 3))
    normal = together(*channel(1 / 3, -1 / 6, 0, 3)) * np.sqrt(2)
    theta = together(*channel(2.0, 0.5, 1.0, 3))
    s, pull = normal @ theta, normal @ slope(data, theta, 3)
    assert pull * s > 0
    assert (s - 1.01 * s / pull * pull) * s < 0


# --- (iv) when the sides are copies ---


def test_for_two_inputs_the_swap_takes_trajectories_to_trajectories():
    data = Sampled(permuted.all_of(2), "softplus", channel(1.0, -0.2, 1.0, 2))
    start = np.random.default_rng(0).standard_normal((3, 20))
    ends = [flow(data, place, 2)[1] for place in (start, start[[1, 0, 2]])]
    assert_allclose(ends[0][[1, 0, 2]], ends[1], atol=1e-12)
    losses = [data.loss(*channel(*end, 2)) for end in ends]
    assert_allclose(*losses, atol=1e-14)


def test_control_for_three_inputs_it_does_not():
    data = Sampled(S3, "softplus", channel(1.0, -0.2, 1.0, 3))
    start = np.random.default_rng(0).standard_normal((3, 20))
    assert (
        abs(data.loss(*channel(*start, 3)) - data.loss(*channel(*start[[1, 0, 2]], 3))).max() > 0.1
    )
    page = projector(S3, S3)
    for swap in ((1, 0, 2), (0, 2, 1), (2, 1, 0), (1, 2, 0)):
        moved = action(swap, (0, 1, 2)) @ page
        assert abs(page @ moved - moved).max() > 0.1  # it does not map the page to itself


def test_tanh_has_a_mirror_of_its_own():
    """All units turned around, (W, v) ↦ (-W, -v): the same function, on the other side."""
    data = Sampled(S3, "tanh", channel(1.0, -0.2, 1.0, 3))
    place = np.random.default_rng(1).standard_normal((3, 20))
    assert_allclose(data.loss(*channel(*place, 3)), data.loss(*channel(*-place, 3)), rtol=1e-12)
    data = Sampled(S3, "softplus", channel(1.0, -0.2, 1.0, 3))
    gap = data.loss(*channel(*place, 3)) - data.loss(*channel(*-place, 3))
    assert abs(gap).max() > 0.1


SPACES = {
    "S_2": (SymmetricGroup(2), natural),
    "S_3": (SymmetricGroup(3), natural),
    "S_4": (SymmetricGroup(4), natural),
    "S_2, two channels": (SymmetricGroup(2), lambda g: copies(natural(g), 2)),
    "S_3, two channels": (SymmetricGroup(3), lambda g: copies(natural(g), 2)),
    "C_4": (CyclicGroup(4), natural),
    "D_4": (DihedralGroup(4), natural),
    "D_5": (DihedralGroup(5), natural),
    "S_3 on itself": (SymmetricGroup(3), regular),
    "at rest": (SymmetricGroup(3), lambda g: trivial(g, 3)),
}


@pytest.mark.parametrize("name", SPACES)
def test_all_barriers_are_found_and_pairs_make_them(name):
    """By brute force: all ways to put the units into classes, and ranks."""
    group, hidden = SPACES[name]
    rho, pi = natural(group), hidden(group)
    inputs, images = permuted.images(rho), permuted.images(pi)
    n, still = pi.size, tuple(range(rho.size))
    page = projector(images, inputs)
    size = len(fixed_space([page]))
    normals, by_pairs = [], []
    for classes in partitions(list(range(n))):
        basis = fixed_space([page, action(around(classes, n), still)])
        if len(basis) == size - 1:
            across = page - basis.T @ basis  # νν', whatever the sign of ν
            normals.append(across)
            if sorted(map(len, classes)) == [1] * (n - 2) + [2]:
                by_pairs.append(across)
    found = barriers(equivariant_space([rho, pi, trivial(group)]))
    walls = []
    for wall in found:
        theta = {k: p.numpy() for k, p in wall.space.params(wall.normal).items()}
        nu = together(theta["0.weight"], theta["2.weight"][0])
        walls.append(np.outer(nu, nu))
        assert_allclose(nu @ nu, 1.0, rtol=1e-14)
        copy = any(
            abs(page @ (m := action(p, still)) @ page - m @ page).max() < 1e-9
            and abs(m @ nu + nu).max() < 1e-9
            for p in itertools.permutations(range(n))
        )
        assert copy == (wall.exchange is not None)

    def among(one, many):
        return any(abs(one - other).max() < 1e-9 for other in many)

    assert all(among(w, by_pairs) for w in walls)
    assert all(among(w, walls) for w in normals)


@given(seed=st.integers(0, 999))
def test_a_symmetry_acts_on_a_page_as_a_hidden_permutation(seed):
    """(g, τ) as (1, τπ(g)^{-1}), where π is the identity."""
    rng = np.random.default_rng(seed)
    g, tau = (S3[k] for k in rng.integers(6, size=2))
    theta = together(*channel(*rng.standard_normal(3), 3))
    hidden = permuted.after(tau, permuted.inverse(g))
    assert_allclose(action(tau, g) @ theta, action(hidden, (0, 1, 2)) @ theta, atol=1e-15)
