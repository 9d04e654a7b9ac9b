"""Free barriers, run: against integrals over angles, matrices written out, and loops."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from sympy.combinatorics import SymmetricGroup
from torch import nn
from torch.testing import assert_close

from gaugelib import GaugeError, hat, mlp_group, params_of
from gaugelib.equivariance import equivariant_space, natural, trivial
from gaugelib.proofs import theorem_barriers
from gaugelib.proofs.barrier import STEPS
from gaugelib.proofs.channel import QUARTERS, Descent, channel_of, numbers_of
from gaugelib.proofs.examples import examples
from gaugelib.proofs.loss import network_of
from tests.proofs.angles import Dense
from tests.proofs.dense import close, sides
from tests.proofs.traced import traced

TRACED = ("residual stream", "recurrent")
BROKEN = {"data": (1, 2, 3), "two": (9, 10), "metric": (4, 5, 6, 7, 8), "large": (7, 8)}
weights = st.floats(0.2, 5) | st.floats(-5, -0.2)
CHANNELS = ((1.0, -0.4, 0.7), (0.3, 1.1, -1.2), (-1.0, -3.0, 2.0))
SPOTS = [sign * 0.25**k for sign in (1, -1) for k in range(QUARTERS + 1)]


def chain_of(a, b, c):
    """A network whose only weights are these three."""
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))
    params = {name: torch.zeros_like(value).double() for name, value in params_of(model).items()}
    for name, value in (("0.weight", a), ("2.weight", b), ("4.weight", c)):
        params[name] += value
    return params, mlp_group(model)


@given(a=weights, b=weights, c=weights, drop=st.sampled_from([None, None, *BROKEN]))
def test_every_step_holds_for_every_channel_and_without_a_hypothesis_the_named_ones_fail(
    a, b, c, drop
):
    assume(min(abs(a - b), abs(a + b), abs(a + 2 * b)) > 0.2)
    assert theorem_barriers(*chain_of(a, b, c), drop=drop).broken == BROKEN.get(drop, ())


@pytest.mark.parametrize("name", [*examples(), *TRACED])
def test_every_step_holds_on_the_examples_and_on_other_architectures(name):
    params, group = examples()[name] if name in examples() else traced(name)
    assert theorem_barriers(params, group).broken == ()


@pytest.mark.parametrize("drop", BROKEN)
@pytest.mark.parametrize("name", [*examples(), *TRACED])
def test_control_without_a_hypothesis_the_named_steps_fail_and_only_those(name, drop):
    params, group = examples()[name] if name in examples() else traced(name)
    assert theorem_barriers(params, group, drop=drop).broken == BROKEN[drop]


@pytest.mark.parametrize("drop", [None, *BROKEN])
@pytest.mark.parametrize("numbers", CHANNELS)
def test_its_numbers_are_those_of_loops_and_integrals(numbers, drop):
    dense, record = Dense(*numbers, drop), theorem_barriers(*chain_of(*numbers), drop=drop)
    G, g = dense.slopes(*dense.at(1.0))
    a, b, c = dense.mean_over_copies(G, g)
    eye = np.eye(dense.n)
    off = np.linalg.norm(np.append(G - a * eye - b * (1 - eye), g - c))
    assert close(sides(record, 3)[0], off, size=record.steps[2].size)
    assert close(sides(record, 4)[0], dense.across(*dense.at(0.0)), size=record.steps[3].size)
    points = [dense.at(share) for share in SPOTS]
    speeds = np.array([abs(dense.across(*point)) for point in points])
    gaps = np.array([abs(dense.side(W)) for W, _ in points])
    for number, factor, right in (
        (6, 1, np.array([dense.bound(*point) for point in points]) * gaps),
        (7, np.array([dense.rate(*point) for point in points]), gaps),
    ):
        left = factor * speeds
        k = ((right - left) / np.maximum(left, right)).argmin()
        assert np.allclose(sides(record, number), (left[k], right[k]), rtol=1e-6)
    apart = 2 * dense.loss(*dense.at(1.0), *dense.at(-1.0))
    assert close(sides(record, 10)[1], apart, size=record.steps[9].size)


@pytest.mark.parametrize("drop", [None, "data", "two"])
def test_beta_is_the_largest_difference_quotient_on_the_way(drop):
    numbers = CHANNELS[0]
    dense, record = Dense(*numbers, drop), theorem_barriers(*chain_of(*numbers), drop=drop)
    shares, h = np.linspace(0, 1, 101) + 1e-4, 1e-5
    quotients = [
        max(
            abs(dense.across(*dense.at(side * t + h)) - dense.across(*dense.at(side * t - h)))
            for t in shares
        )
        / (2 * h * abs(dense.s))
        for side in (1, -1)
    ]
    left, right = sides(record, 5)
    found = [(abs(dense.across(*dense.at(t))), quotients[t < 0] * abs(t * dense.s)) for t in SPOTS]
    gaps = [abs(left - speed) / speed + abs(right - most) / most for speed, most in found]
    assert min(gaps) < 1e-3


@pytest.mark.parametrize("drop", [None, "metric", "large"])
def test_what_is_least_after_many_steps_is_that_of_loops(drop):
    numbers = CHANNELS[0]
    dense, record = Dense(*numbers, drop), theorem_barriers(*chain_of(*numbers), drop=drop)
    points, least = [dense.at(share) for share in SPOTS], 1.0
    starts = [dense.side(W) for W, _ in points]
    for _ in range(STEPS):
        points = [dense.step(*point) for point in points]
        kept = [dense.side(W) / start for (W, _), start in zip(points, starts, strict=True)]
        least = min(least, *kept)
        if least <= 0:
            break
    assert math.isclose(sides(record, 8)[1], least, rel_tol=1e-6)
    assert bool(least > 0) is (drop is None)


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("size", [2, 3])
def test_the_symmetries_are_matrices_of_permutations_on_both_sides(size, uneven):
    channel = channel_of(torch.tensor([0.7, -1.1, 0.4]).double(), size, uneven=uneven)
    theta = torch.arange(1.0, size**2 + size + 1).double()
    W, v = theta[: size**2].view(size, size), theta[size**2 :]
    moved = channel.moved(theta)
    for g, order in enumerate(channel.orders.elements):
        for tau, units in enumerate(channel.orders.elements):
            P, R = (torch.zeros(size, size).double() for _ in "PR")
            for i in range(size):
                P[units(i), i] = R[order(i), i] = 1.0
            assert torch.equal(moved[g, tau], torch.cat([(P @ W @ R.T).flatten(), v @ P.T]))
    here, there = channel.loss(theta), channel.loss(moved)
    assert bool(((there - here).abs() < 1e-12 * here).all()) is not uneven  # control


@pytest.mark.parametrize("size", [2, 3])
def test_the_mean_over_copies_is_the_projection_and_the_sum_weighs_it(size):
    channel = channel_of(torch.tensor([0.7, -1.1, 0.4]).double(), size)
    order = natural(SymmetricGroup(size))
    page = equivariant_space([order, order, trivial(SymmetricGroup(size))])
    draw = torch.Generator().manual_seed(0)
    vector = torch.randn(5, size**2 + size, generator=draw, dtype=torch.float64)

    def named(vector):
        W, v = channel.parts(vector)
        return {"0.weight": W, "2.weight": v[:, None]}

    inside = page.project(named(vector))
    mean, summed = channel.shared(vector), channel.shared(vector, summed=True)
    for name, value in named(mean).items():
        assert_close(value, inside[name])
    counts = page.params(page.multiplicities.double())
    for name, value in named(summed).items():
        assert_close(value, inside[name] * counts[name])
    assert page.dimension == 3
    assert_close(channel.shared(channel.normal), channel.normal)
    assert_close(channel.normal.norm(), torch.ones(()).double())
    assert_close(channel.side(channel.foot), torch.zeros(()).double(), atol=1e-15, rtol=0)


@pytest.mark.parametrize("numbers", CHANNELS)
def test_swaps_take_it_off_the_page_by_its_distance_from_f_and_cycles_by_less(numbers):
    record, (a, b, _) = theorem_barriers(*chain_of(*numbers)), numbers
    assert close(sides(record, 9)[1], math.sqrt(1.5) * abs(a - b))
    swaps, cycles = (f"{math.sqrt(share) * abs(a - b):.3g}" for share in (2, 1.5))
    words = f"off E: (1 2), (1 3), (2 3) by {swaps}; (1 2 3), (1 3 2) by {cycles}"
    assert record.steps[8].place.words == words
    two = theorem_barriers(*chain_of(*numbers), drop="two")
    assert two.steps[8].place.words == "off E: (1 2) by 0"


@pytest.mark.parametrize("numbers", CHANNELS)
def test_plain_sharing_crosses_f_at_the_rate_of_the_counts_of_copies(numbers):
    record, dense = theorem_barriers(*chain_of(*numbers), drop="metric"), Dense(*numbers)
    slope = dense.slopes(*dense.at(0.0))[0][0, 0]
    assert close(sides(record, 4)[0], -math.sqrt(2) * 3 * (3 - 2) * slope)


def test_a_teacher_that_is_not_invariant_leaves_the_barrier_and_moves_the_network_off_the_page():
    channel = channel_of(torch.tensor([0.7, -1.1, 0.4]).double(), 3, uneven=True)
    descent = Descent(channel, summed=False, large=False)
    assert float(descent.across(channel.foot).abs()) < 1e-15  # the hidden swaps are still there
    theta = channel.theta - 0.1 * channel.slopes(channel.theta)
    assert float((theta - channel.shared(theta)).norm()) > 1e-3


def test_its_numbers_are_the_first_weight_the_next_that_fits_and_the_last():
    params, group = params_of(hat()), mlp_group(hat())  # 1, 1, 1 in and 1, −2, 1 out
    assert numbers_of(network_of(params, group)).tolist() == [1.0, -2.0, 1.0]
    params, group = chain_of(2.0, -1.0, 3.0)  # a + 2b = 0: the foot is no network
    assert numbers_of(network_of(params, group)).tolist() == [2.0, 3.0, 3.0]
    record = theorem_barriers(*examples()["chain 8, 1, 1"])
    assert record.network == "3 inputs and hidden units; a = 8, b = 1, c = 1, three of its weights"
    assert record.sketch is not None
    assert record.sketch.columns == ((1, 2, 3),)
    assert math.isclose(sum(share for *_, share in record.sketch.edges), 1.0)
    two = theorem_barriers(*examples()["chain 8, 1, 1"], drop="two")
    assert two.sketch is not None
    assert two.sketch.columns == ((1, 2),)


def test_what_it_cannot_do_is_refused_by_name():
    params, group = params_of(hat()), mlp_group(hat())
    with pytest.raises(GaugeError, match=r"Euclidean lengths, p = 2; found p = 3$"):
        theorem_barriers(params, group, 3.0)
    with pytest.raises(GaugeError, match="one of: 'data', 'two', 'metric', 'large'; found 'seen'"):
        theorem_barriers(params, group, drop="seen")
    for b, c in ((1.0, 1.0), (-1.0, -0.5)):
        with pytest.raises(GaugeError, match=r"other than a, −a and −a/2 .*, a = 1; .* has none$"):
            theorem_barriers(*chain_of(1.0, b, c))
    with pytest.raises(GaugeError, match="range of float64"):
        theorem_barriers(*chain_of(1e100, 2e100, 1e100))


@pytest.mark.parametrize("near", [1.0, -1.0, -0.5])
def test_a_second_weight_that_rounding_could_not_tell_apart_does_not_fit(near):
    for apart in (1e-9, 1e-3):
        params, group = chain_of(1.0, near + apart, 3.0)
        assert numbers_of(network_of(params, group)).tolist() == [1.0, 3.0, 3.0]
        assert theorem_barriers(params, group).broken == ()
    params, group = chain_of(1.0, near + 0.02, 3.0)
    assert numbers_of(network_of(params, group))[1] == near + 0.02
    assert theorem_barriers(params, group).broken == ()


@pytest.mark.parametrize("size", [1e-60, 1e60])
def test_squares_of_slopes_that_float64_cannot_hold_are_refused_not_reported_as_failures(size):
    with pytest.raises(GaugeError, match="range of float64"):
        theorem_barriers(*chain_of(2 * size, size, size))
    root = size**0.5
    assert theorem_barriers(*chain_of(2 * root, root, root)).broken == ()


def test_its_parameters_stay_as_they_were():
    params, group = examples()["random, number 1"]
    before = {name: value.clone() for name, value in params.items()}
    for drop in (None, *BROKEN):
        theorem_barriers(params, group, drop=drop)
    assert all(torch.equal(params[name], value) for name, value in before.items())
