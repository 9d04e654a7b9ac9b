"""Norms in and out against sums written out by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import (
    GaugeError,
    hat,
    imbalance,
    incoming_norm,
    mlp_group,
    outgoing_norm,
    params_of,
    rescale,
    weight_norm,
)
from tests.graphs import random_graph


@given(
    seed=st.integers(0, 10_000),
    p=st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0]),
    include_bias=st.booleans(),
)
def test_norms_and_imbalance_are_sums_over_rows_and_columns(seed, p, include_bias):
    graph = random_graph(2, 4, 2, seed=seed)
    weights, bias = graph.params["W"], graph.params["b"]
    into, out = (
        [sum(abs(w) ** p for w in line.tolist()) for line in lines]
        for lines in (weights, weights.T)
    )
    if include_bias:
        into = [total + abs(b) ** p for total, b in zip(into, bias.tolist(), strict=True)]
    hidden = slice(2, 6)
    measured = [
        f(graph.params, graph.group, p, include_bias=include_bias)
        for f in (incoming_norm, outgoing_norm, imbalance)
    ]
    into, out = (torch.tensor(sums[hidden], dtype=torch.float64) for sums in (into, out))
    for value, expected in zip(
        measured, (into ** (1 / p), out ** (1 / p), into - out), strict=True
    ):
        assert_close(value, expected, rtol=1e-12, atol=1e-12)
    total = sum(abs(w) ** p for w in weights.flatten().tolist())
    total += sum(abs(b) ** p for b in bias.tolist()) if include_bias else 0.0
    norm = weight_norm(graph.params, graph.group, p, include_bias=include_bias)
    assert_close(norm.item(), total ** (1 / p))


def test_one_unit_s_norms_move_by_a_and_one_over_a():
    group, params = mlp_group(hat()), params_of(hat())
    moved = rescale(params, torch.tensor([1.0, 8.0, 1.0]).double(), group)
    assert incoming_norm(moved, group).tolist() == [1.0, 8.0, 1.0]
    assert outgoing_norm(moved, group).tolist() == [1.0, 0.25, 1.0]


def test_a_neuron_is_balanced_where_its_norm_is_smallest():
    """The chapter's neuron, (3, 4) in and 20 out: a = 2 for p = 2, sqrt(20/7) for p = 1."""
    for p, into, out in ((2.0, 25.0, 400.0), (1.0, 7.0, 20.0)):
        a = (out / into) ** (1 / (2 * p))
        energy = lambda s: into * s**p + out * s**-p  # noqa: B023, E731
        assert math.isclose(into * a**p, out * a**-p)
        assert energy(a) < min(energy(1.01 * a), energy(0.99 * a))


@pytest.mark.parametrize("p", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("measure", [incoming_norm, outgoing_norm, imbalance, weight_norm])
def test_an_exponent_that_is_none_is_refused(measure, p):
    with pytest.raises(GaugeError, match="exponent p"):
        measure(params_of(hat()), mlp_group(hat()), p)
