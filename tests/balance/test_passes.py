"""How often the weights are read: counts, which no machine's speed or noise can change."""

import pytest
import torch

from gaugelib import minimum_norm, rescale
from tests.balance.networks import DEEP, FIGURE_2, initialised
from tests.balance.newton import imbalance_of

TOLERANCES = (1e-3, 1e-6, 1e-12)


def passes_until(history, tol):
    """Passes before the first state whose imbalance is below the tolerance."""
    return history.passes[(history.imbalance < tol).nonzero()[0]].item()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("widths", FIGURE_2, ids=["L3", "L5", "L7"])
def test_two_levels_need_few_passes_on_the_paper_s_networks(widths, p, seed):
    params, group = initialised(widths, seed=seed)
    for tol, most in zip(TOLERANCES, (2.5, 3.5, 6.5)):
        found = minimum_norm(params, group, p=p, tol=tol)
        assert found.converged
        assert imbalance_of(found.params, group, p).max() < tol
        assert found.passes <= most
    # Weights in float32 need no more, for where its sums would err by too much they are not used.
    narrow = {name: value.float() for name, value in params.items()}
    found = minimum_norm(narrow, group, p=p, tol=TOLERANCES[1])
    assert found.converged
    assert found.passes <= 3.5


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_depth_does_not_matter_to_two_levels(p):
    params, group = initialised(DEEP)
    for tol, most in zip(TOLERANCES, (3.5, 6.0, 10.0)):
        found = minimum_norm(params, group, p=p, tol=tol)
        assert imbalance_of(found.params, group, p).max() < tol
        assert found.passes <= most
    params, group = initialised((8,) * 1001)
    found = minimum_norm(params, group, p=p, tol=1e-6)
    assert found.converged
    assert found.passes <= 12


def test_control_depth_matters_to_sweeps_alone():
    params, group = initialised(DEEP)
    found = minimum_norm(params, group, method="alternating", max_passes=100)
    assert not found.converged
    assert found.passes == 100


@pytest.mark.parametrize(
    ("widths", "published"),
    list(zip(FIGURE_2, [(26, 50, 98), (66, 134, 272), (115, 251, 523)])),
    ids=["L3", "L5", "L7"],
)
def test_the_published_update_needs_many(widths, published):
    params, group = initialised(widths)
    found = minimum_norm(params, group, method="algorithm-1", tol=2e-13, max_passes=600)
    for tol, passes in zip(TOLERANCES, published):
        assert abs(passes_until(found.history, tol) - passes) <= 2
    # The doubled step needs half as many, and alternating a quarter.
    for method, share in (("doubled", 2), ("alternating", 4)):
        found = minimum_norm(params, group, method=method, tol=1e-12)
        for tol, passes in zip(TOLERANCES, published):
            assert passes_until(found.history, tol) <= passes / share + 4


def test_hard_networks_take_longer_but_end():
    widths = FIGURE_2[2]
    even, group = initialised(widths)
    far = group.random(generator=torch.Generator().manual_seed(0), log_std=3.0)
    tails, _ = initialised(widths, log_std=3.0)
    sparse, _ = initialised(widths, density=0.01)
    halves, _ = initialised(widths)
    for weight in halves.values():
        rows, columns = (size // 2 for size in weight.shape)
        weight[:rows, columns:] *= 1e-3
        weight[rows:, :columns] *= 1e-3
    narrow, square = initialised((64,) * 8)
    for weight in narrow.values():
        weight.mul_(1e-3).add_(torch.diag(weight.diagonal().exp()))
    for params, of, most in (
        (rescale(even, far, group), group, (3.5, 5.5, 8.5)),
        (tails, group, (12, 18, 30)),
        (sparse, group, (9, 14, 24)),
        (halves, group, (7, 8, 13)),
        (narrow, square, (15, 23, 48)),
    ):
        for tol, passes in zip(TOLERANCES, most):
            found = minimum_norm(params, of, tol=tol)
            assert found.converged
            assert found.passes <= passes
