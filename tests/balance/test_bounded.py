"""Bounded dials: how far a unit may be turned without a heavier network, and no further."""

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from gaugelib import rescale, weight_norm
from tests.balance.networks import chain
from tests.graphs import random_graph

sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))
exponents = st.sampled_from([0.5, 1.0, 2.0, 3.0])


def power_sum(params, group, p):
    return (weight_norm(params, group, p) ** p).item()


def box(graph, p, power=1.0):
    """The lemma's bounds, by the best path to each unit and from it; `power=p` is the paper's."""
    weights = graph.params["W"].abs().tolist()
    norm = sum(w**p for row in weights for w in row if w) ** (1 / p)
    first = graph.inputs + graph.hidden
    up = dict.fromkeys(range(graph.inputs), 1.0)
    down = dict.fromkeys(range(first, graph.units), 1.0)
    for h in range(graph.inputs, first):
        up[h] = min((norm / w) ** power * up[j] for j, w in enumerate(weights[h]) if w)
    for h in reversed(range(graph.inputs, first)):
        leaving = ((i, weights[i][h]) for i in range(h, graph.units))
        down[h] = min((norm / w) ** power * down[i] for i, w in leaving if w)
    between = range(graph.inputs, first)
    return (torch.tensor([d[h] for h in between], dtype=torch.float64) for d in (down, up))


def farthest_dials(graph, p, seed):
    """Rays of dials, followed to where the norm is what it was: one unit alone, and random ones."""
    eye = torch.eye(graph.hidden).double()
    draw = torch.Generator().manual_seed(seed)
    drawn = torch.randn(20, graph.hidden, generator=draw, dtype=torch.float64)
    rays = torch.cat([eye, -eye, drawn])
    differences = rays @ graph.incidence()[:, : graph.units**2]
    powers = graph.params["W"].abs().pow(p).flatten()
    low, high = torch.zeros(len(rays)).double(), torch.full((len(rays),), 60 / p).double()
    for _ in range(70):
        middle = (low + high) / 2
        inside = (p * middle[:, None] * differences).exp() @ powers <= powers.sum()
        low, high = torch.where(inside, middle, low), torch.where(inside, high, middle)
    return (low[:, None] * rays).exp()


def uneven(sizes, seed):
    """Weights of very different sizes, so that dials may be turned far."""
    graph = random_graph(*sizes, seed=seed)
    draw = torch.Generator().manual_seed(seed)
    noise = torch.randn(graph.params["W"].shape, generator=draw, dtype=torch.float64)
    graph.params["W"].mul_((3 * noise).exp())
    return graph


def leave(graph, p, seed, power=1.0):
    """Whether some dials that do not raise the norm leave the bounds below, and above."""
    down, up = box(graph, p, power)
    dials = farthest_dials(graph, p, seed)
    return bool((1 / dials > down * (1 + 1e-9)).any()), bool((dials > up * (1 + 1e-9)).any())


@given(sizes=sizes, seed=st.integers(0, 9999), p=exponents)
@example(sizes=(1, 1, 1), seed=225, p=2.0)  # near enough to the bound to ask for all its digits
@example(sizes=(1, 1, 2), seed=252, p=3.0)
@example(sizes=(1, 1, 1), seed=588, p=2.0)
def test_dials_that_do_not_raise_the_norm_are_bounded(sizes, seed, p):
    graph = uneven(sizes, seed)
    height = power_sum(graph.params, graph.group, p)
    dials = farthest_dials(graph, p, seed)
    assert dials.log().abs().max() > 1e-2
    for scales in dials[:: len(dials) // 5]:
        moved = power_sum(rescale(graph.params, scales, graph.group), graph.group, p)
        assert moved <= height * (1 + 1e-9)
    assert leave(graph, p, seed) == (False, False)


@pytest.mark.parametrize("p", [0.25, 0.5, 1.0, 2.0, 3.0])
def test_the_bounds_on_dials_are_reached_in_the_limit(p):
    """One unit whose weights differ much: no bound smaller by a thousandth would do."""
    large = 10 ** (6 / p)
    for weights in ((1.0, large), (large, 1.0)):
        graph = random_graph(1, 1, 1)
        graph.params["W"].zero_()[1, 0], graph.params["W"][2, 1] = weights
        dials, (down, up) = farthest_dials(graph, p, 0), box(graph, p)
        reached = dials.max() / up if weights[1] > 1 else 1 / dials.min() / down
        assert 1 - 1e-4 < reached.item() <= 1 + 1e-9


@pytest.mark.parametrize("p", [0.25, 0.5])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 4, 2), (3, 6, 1)])
def test_control_the_printed_bound_fails_below_one_at_either_end(sizes, p):
    """Eq. (17) as printed has |W|^p in the place of each norm and of each weight."""
    found = [leave(uneven(sizes, seed), p, seed, power=p) for seed in range(10)]
    assert all(any(side) for side in zip(*found))


def test_control_the_printed_bound_fails_below_one():
    params, group = chain(1.0, 100.0)
    a, p = torch.tensor([100.0]).double(), 0.5
    height = power_sum(params, group, p)
    assert power_sum(rescale(params, a, group), group, p) == pytest.approx(height)
    printed, corrected = height / 1.0**p, height ** (1 / p) / 1.0
    assert (printed, corrected) == (pytest.approx(11.0), pytest.approx(121.0))
    assert printed < a.item() <= corrected
