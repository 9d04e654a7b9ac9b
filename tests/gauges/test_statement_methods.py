"""What a method does to the charge: gradient steps, signs, orthogonal matrices, and noise alone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch import nn

from tests.gauges.bowls import case, flat, incidence

seeds = st.integers(0, 9999)


def one_step(here, v, rate, decay):
    """The charge after the step, and the three terms of the law."""
    B, theta = incidence(here.group), flat(here.params, here.group)
    after = B @ ((1 - rate * decay) * theta - rate * v) ** 2
    shrunk = (1 - rate * decay) ** 2 * (B @ theta**2)
    return after, shrunk, -2 * rate * (1 - rate * decay) * (B @ (theta * v)), rate**2 * (B @ v**2)


def mixed(here):
    """B(θ ⊙ v) as a function of v."""
    B, theta = incidence(here.group), flat(here.params, here.group)
    return lambda v: B @ (theta * v)


@given(seed=seeds, rate=st.floats(1e-3, 1), decay=st.floats(0, 1))
def test_the_law_has_three_terms_whatever_the_update(seed, rate, decay):
    here = case((3, 4, 2), seed)
    v = np.random.default_rng(seed).standard_normal(len(flat(here.params, here.group)))
    after, *terms = one_step(here, v, rate, decay)
    assert_allclose(after, sum(terms), atol=1e-11)


# --- gradients: the middle term is zero ---


@given(seed=seeds, batch=st.integers(1, 6))
def test_gradients_of_any_batch_clipped_by_their_norm_have_no_middle_term(seed, batch):
    here = case((3, 4, 3, 2), seed)
    g = here.slopes()[:batch].mean(0)
    clipped = g / max(1.0, np.linalg.norm(g))
    assert_allclose(mixed(here)(clipped), 0, atol=1e-12)


@given(seed=seeds, steps=st.lists(st.floats(0.1, 3), min_size=3, max_size=3))
def test_with_a_step_for_each_layer_it_is_their_difference_times_the_ward_sum(seed, steps):
    here = case((3, 4, 3, 2), seed)
    sizes = [
        sum(here.params[f"{n}.{kind}"].numel() for kind in ("weight", "bias")) for n in (0, 2, 4)
    ]
    g, theta, B = here.slopes().mean(0), flat(here.params, here.group), incidence(here.group)
    found = mixed(here)(np.repeat(steps, sizes) * g)
    ward = B.clip(0) @ (theta * g)
    gaps = np.repeat(np.subtract(steps[:-1], steps[1:]), [4, 3])
    assert_allclose(found, gaps * ward, atol=1e-10)


def test_torch_s_descent_obeys_it_with_clipping_and_decay():
    here, rate, decay = case((3, 4, 2), 2), 0.1, 0.3
    B, leaves = incidence(here.group), [nn.Parameter(v.clone()) for v in here.params.values()]
    params = dict(zip(here.params, leaves, strict=True))
    method = torch.optim.SGD(leaves, lr=rate, weight_decay=decay)
    here.loss(params).backward()
    nn.utils.clip_grad_norm_(leaves, 0.5)
    g = flat({n: p.grad for n, p in params.items()}, here.group)
    before = B @ flat(params, here.group) ** 2
    method.step()
    after = B @ flat(params, here.group) ** 2
    assert_allclose(after, (1 - rate * decay) ** 2 * before + rate**2 * (B @ g**2))


def test_control_clipping_entry_by_entry_has_one():
    here = case((3, 4, 3, 2), 1)
    assert abs(mixed(here)(here.slopes().mean(0).clip(-0.1, 0.1))).max() > 0.1


def test_control_momentum_has_one():
    """A gradient from elsewhere does not obey the identity here."""
    here = case((3, 4, 3, 2), 1)
    g = here.slopes().mean(0)
    names, theta = list(here.group.entries), flat(here.params, here.group)
    parts = np.split(theta - 0.1 * g, np.cumsum([here.params[n].numel() for n in names])[:-1])
    later = {
        n: torch.as_tensor(p.copy()).reshape(here.params[n].shape)
        for n, p in zip(names, parts, strict=True)
    }
    assert abs(incidence(here.group) @ (flat(later, here.group) * g)).max() > 0.1


# --- signs ---


def test_signs_have_a_middle_term_and_count_parameters():
    here = case((3, 4, 3, 2), 7, examples=40)
    g = here.slopes().mean(0)
    assert (g != 0).all()
    assert abs(mixed(here)(np.sign(g))).max() > 0.5
    last = one_step(here, np.sign(g), 0.1, 0.0)[-1]
    into, out = np.repeat([3 + 1, 4 + 1], [4, 3]), np.repeat([3, 2], [4, 3])
    assert_allclose(last, 0.01 * (into - out))


def test_control_a_silent_unit_has_zeros_and_other_counts():
    here = case((3, 4, 3, 2), 7, examples=40)
    here.params["0.bias"][0] = -100.0
    last = one_step(here, np.sign(here.slopes().mean(0)), 0.1, 0.0)[-1]
    assert last[0] == 0.0
    assert_allclose(last[1:4], 0.01 * (4 - 3))
    assert_allclose(last[4:], 0.01 * (4 - 2))  # one of the five is silent


# --- orthogonal matrices ---


def orthogonal(here, factors):
    """v = κ U Vᵀ for each layer, by numpy; and the ranks."""
    G, at, parts, ranks = here.slopes().mean(0), 0, [], []
    for (name, value), factor in zip(here.params.items(), factors, strict=True):
        assert name.endswith("weight")
        u, s, vt = np.linalg.svd(G[at : at + value.numel()].reshape(value.shape), False)
        rank = int((s > 1e-10 * s[0]).sum())
        parts.append(factor * (u[:, :rank] @ vt[:rank]).ravel())
        ranks.append(rank)
        at += value.numel()
    return np.concatenate(parts), ranks


@pytest.mark.parametrize("widths", [(6, 4, 3, 5), (3, 4, 4, 2), (2, 6, 5, 3)])
@pytest.mark.parametrize("factors", [(1.0, 1.0, 1.0), (0.7, 1.5, 2.0)])
def test_orthogonal_steps_have_a_middle_term_and_count_ranks(widths, factors):
    here = case(widths, 3, examples=60, bias=False)
    v, ranks = orthogonal(here, factors)
    assert abs(mixed(here)(v)).max() > 0.1
    last = one_step(here, v, 0.1, 0.0)[-1]
    totals = np.square(factors) * ranks
    first = last[: widths[1]].sum(), last[widths[1] :].sum()
    assert_allclose(first, 0.01 * (totals[:-1] - totals[1:]), atol=1e-12)


def test_at_single_units_where_rows_and_columns_are_independent():
    """Layers 6 → 4 and 4 → 5: four independent rows, then four independent columns."""
    here = case((6, 4, 5), 3, examples=60, bias=False)
    v, ranks = orthogonal(here, (0.7, 1.5))
    assert ranks == [4, 4]
    assert_allclose(one_step(here, v, 0.1, 0.0)[-1], 0.01 * (0.7**2 - 1.5**2))


def test_control_where_they_are_not_single_units_differ():
    here = case((2, 4, 2), 3, examples=60, bias=False)
    v, _ = orthogonal(here, (1.0, 1.0))
    assert np.ptp(one_step(here, v, 0.1, 0.0)[-1]) > 1e-3


# --- noise alone ---


def squares_after(size, rate, decay, steps, runs=2000, start=1.0, seed=0):
    """Mean θ² after steps of random signs times a size, from θ = start."""
    rng, theta = np.random.default_rng(seed), np.full((runs, len(size)), start)
    for _ in range(steps):
        theta = (1 - rate * decay) * theta - rate * size * rng.choice([-1.0, 1.0], theta.shape)
    return (theta**2).mean(0)


@pytest.mark.parametrize("start", [0.0, 3.0])
def test_noise_alone_ends_at_its_own_squares_from_every_start(start):
    rate, decay, size = 0.3, 0.2, np.array([1.0, 0.5, 2.0])
    found = squares_after(size, rate, decay, 150, start=start)
    assert_allclose(found, rate / (decay * (2 - rate * decay)) * size**2, rtol=0.1)


def test_signs_of_noise_end_at_the_ratio_of_the_counts():
    """Three weights in, six out: r² : s² = 1 : 2, from a balanced start."""
    found = squares_after(np.ones(9), 0.3, 0.2, 150)
    assert_allclose(found[:3].sum() / found[3:].sum(), 3 / 6, rtol=0.1)


def test_without_decay_the_charge_grows_for_ever():
    found = [squares_after(np.ones(9), 0.1, 0.0, steps) for steps in (100, 400)]
    grown = [f[:3].sum() - f[3:].sum() - (3 - 6) for f in found]
    assert_allclose(grown, [0.01 * (3 - 6) * steps for steps in (100, 400)], rtol=0.15)


def test_control_noise_that_follows_the_gauge_pushes_back():
    """A unit with one weight in and one out whose slopes are noise times the other weight."""
    rng = np.random.default_rng(0)
    w, v = np.full(2000, 4.0), np.full(2000, 0.25)
    s = np.full(2000, 4.0), np.full(2000, 0.25)
    for _ in range(300):
        noise = 0.05 * rng.standard_normal(2000)
        w, v = w - 0.5 * noise * v, v - 0.5 * noise * w
        signs = 0.05 * 0.5 * np.sign(noise)
        s = s[0] - signs, s[1] - signs
    assert np.median(w**2 - v**2) < 0.9 * (16 - 1 / 16)
    assert_allclose(np.mean(s[0] ** 2 - s[1] ** 2), 16 - 1 / 16, rtol=0.02)
