"""What pruning can see: products with derivatives stay on the orbit, sizes do not."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch import nn
from torch.func import jacrev

from gaugelib import rescale
from tests.gauges.bowls import case, flat, incidence, moved

seeds = st.integers(0, 9999)


def saliencies(here, params):
    """θ ∂L, θ² H and θ² E(∂ℓ)², by autograd at the point."""
    theta, slopes = flat(params, here.group), here.slopes(params)
    blocks = jacrev(jacrev(here.loss))(params)
    H = [
        blocks[n][n].reshape(params[n].numel(), params[n].numel()).diagonal().detach()
        for n in here.group.entries
    ]
    return (
        theta * slopes.mean(0),
        theta**2 * torch.cat(H).numpy(),
        theta**2 * (slopes**2).mean(0),
    )


@given(seed=seeds, log_std=st.sampled_from([0.3, 1.0]))
def test_three_saliencies_are_the_same_on_the_whole_orbit(seed, log_std):
    here = case((3, 4, 3, 2), seed)
    alpha = log_std * np.random.default_rng(seed).standard_normal(here.group.units)
    pairs = zip(
        saliencies(here, here.params),
        saliencies(here, moved(here.params, alpha, here.group)),
        strict=True,
    )
    for before, after in pairs:
        assert_allclose(after, before, rtol=1e-8, atol=1e-10 * abs(before).max())


@given(seed=seeds, wanted=st.floats(1e-3, 1e3), data=st.data())
def test_two_weights_with_other_ends_take_every_ratio_and_with_the_same_ends_one(
    seed, wanted, data
):
    here = case((3, 4, 3, 2), seed)
    B, theta = incidence(here.group), abs(flat(here.params, here.group))
    e, f = data.draw(st.lists(st.integers(0, len(theta) - 1), min_size=2, max_size=2, unique=True))
    difference = B[:, e] - B[:, f]
    same = not difference.any()
    alpha = np.random.default_rng(seed).standard_normal(len(B))
    if not same:
        miss = np.log(wanted * theta[f] / theta[e]) - alpha @ difference
        alpha = alpha + miss * difference / (difference @ difference)
    there = flat(rescale(here.params, torch.as_tensor(alpha).exp(), here.group), here.group)
    ratio = abs(there[e]) / abs(there[f])
    assert_allclose(ratio, theta[e] / theta[f] if same else wanted, rtol=1e-9)


def test_the_same_ends_are_what_their_names_say():
    """Weights from inputs into one unit keep their order; between hidden units no two need to."""
    here = case((3, 4, 3, 2), 0)
    B, sizes = incidence(here.group), [v.numel() for v in here.params.values()]
    first, second = B[:, : sizes[0]], B[:, sizes[0] + sizes[1] :][:, : sizes[2]]
    assert len(np.unique(first, axis=1).T) == 4
    assert len(np.unique(second, axis=1).T) == sizes[2]


@pytest.mark.parametrize("unit", range(7))
def test_any_unit_can_be_the_one_that_magnitude_cuts_off(unit):
    here = case((3, 4, 3, 2), 1)
    alpha = np.zeros(7)
    alpha[unit] = -20.0
    there, B = moved(here.params, alpha, here.group), incidence(here.group)
    sizes = abs(flat(there, here.group))
    into = B[unit] > 0
    assert sizes[into].max() < sizes[~into].min()


def test_so_pruning_by_magnitude_depends_on_the_gauge_and_by_saliency_does_not():
    here = case((3, 6, 2), 2, examples=30)
    there = moved(here.params, np.linspace(-2, 2, 6), here.group)
    kept = {}
    for name, params in (("here", here.params), ("there", there)):
        sizes = abs(flat(params, here.group))
        second = saliencies(here, params)[1]
        kept[name] = set(np.argsort(sizes)[10:]), set(np.argsort(second)[10:])
    assert len(kept["here"][0] ^ kept["there"][0]) > 5
    assert kept["here"][1] == kept["there"][1]


# --- controls ---


def test_control_with_tanh_the_saliencies_move():
    here = case((3, 4, 3, 2), 1, activation=nn.Tanh)
    there = moved(here.params, np.full(7, 0.5), here.group)
    for before, after in zip(saliencies(here, here.params), saliencies(here, there), strict=True):
        assert abs(after - before).max() > 0.05 * abs(before).max()


def test_control_without_the_weights_or_with_other_powers_they_move():
    here = case((3, 4, 3, 2), 1)
    there = moved(here.params, np.full(7, 0.5), here.group)
    for power in (0, 2):
        before, after = (
            flat(p, here.group) ** power * here.slopes(p).mean(0) for p in (here.params, there)
        )
        assert abs(after - before).max() > 0.05 * abs(before).max()
