"""What the lightest network looks like, and how light it is."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import imbalance, laplacian, minimum_norm, predicted_saving, rescale, weight_norm
from tests.balance.networks import chain, initialised
from tests.balance.newton import newton
from tests.graphs import path_products, random_graph


def totals(params, p):
    return torch.stack([w.abs().pow(p).sum() for w in params.values()])


# --- Laplacian and flow ---


@given(seed=st.integers(0, 9999), p=st.sampled_from([0.5, 1.0, 2.0, 3.0]))
def test_the_second_derivative_is_p_times_the_laplacian(seed, p):
    graph = random_graph(2, 4, 2, seed=seed)
    step, eye = 1e-4, torch.eye(4).double()

    def height(logs):
        moved = rescale(graph.params, logs.exp(), graph.group)
        return float(weight_norm(moved, graph.group, p) ** p) / p

    numeric = torch.tensor(
        [
            [
                height(step * (a + b))
                - height(step * (a - b))
                - height(step * (b - a))
                + height(-step * (a + b))
                for b in eye
            ]
            for a in eye
        ],
        dtype=torch.float64,
    ) / (4 * step**2)
    exact = p * laplacian(graph.params, graph.group, p)
    assert_close(numeric, exact, rtol=1e-4, atol=1e-4)
    assert torch.linalg.eigvalsh(exact).min() > 0


def test_control_an_isolated_unit_makes_the_laplacian_singular():
    graph = random_graph(2, 4, 2, seed=0)
    graph.params["W"][3, :] = graph.params["W"][:, 3] = 0.0
    assert torch.linalg.eigvalsh(laplacian(graph.params, graph.group, 2.0)).min() < 1e-12


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
def test_in_the_lightest_network_every_layer_carries_the_same(p):
    params, group = initialised([3, 8, 5, 7, 2], seed=4)
    carried = totals(minimum_norm(params, group, p=p, tol=1e-12).params, p)
    assert_close(carried, carried.mean().expand(4), rtol=1e-9, atol=0)
    before = totals(params, p)
    assert (before.max() / before.min()) > 1.5  # the control: it was not so before


# --- the saving ---


@given(seed=st.integers(0, 9999), p=st.sampled_from([0.5, 1.0, 2.0]))
def test_the_means_of_the_totals_bound_the_lightest_norm(seed, p):
    params, group = initialised([3, 8, 5, 2], seed=seed)
    sums = totals(params, p)
    bound = float(sums.log().mean().exp() / sums.mean())
    lightest = totals(minimum_norm(params, group, p=p, tol=1e-10).params, p).sum() / sums.sum()
    assert lightest <= bound * (1 + 1e-9)
    assert float(predicted_saving(params, group, p)) == pytest.approx(bound)


@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize(
    "widths", [[200, 2500, 1250, 10], [200, 2000, 1000, 500, 250, 10]], ids=["L=3", "L=5"]
)
def test_in_wide_random_networks_the_bound_is_nearly_reached(widths, p):
    params, group = initialised(widths)
    found = minimum_norm(params, group, p=p)
    share = totals(found.params, p).sum() / totals(params, p).sum()
    assert float(share) == pytest.approx(float(predicted_saving(params, group, p)), rel=0.03)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0])
def test_in_a_chain_of_single_units_the_bound_is_reached(p):
    params, group = chain(8.0, 1.0, 0.3, 5.0, 2.0)
    sums = totals(params, p)
    bound = float(sums.log().mean().exp() / sums.mean())
    moved = rescale(params, newton(params, group, p).exp(), group)
    assert float(totals(moved, p).sum() / sums.sum()) == pytest.approx(bound, rel=1e-10)
    assert float(totals(minimum_norm(params, group, p=p, tol=1e-12).params, p).sum()) == (
        pytest.approx(bound * float(sums.sum()), rel=1e-10)
    )


def test_control_in_narrow_networks_the_bound_is_loose():
    params, group = initialised([2, 2, 2, 1], seed=11)
    share = totals(minimum_norm(params, group).params, 2.0).sum() / totals(params, 2.0).sum()
    assert float(share) < 0.95 * float(predicted_saving(params, group, 2.0))


# --- the largest weight ---


def equalised(graph):
    """Every unit's largest weights in and out made equal, by repeated pairwise steps."""
    params = graph.params
    for _ in range(2000):
        into = params["W"].abs().amax(1)[graph.inputs : -graph.outputs]
        out = params["W"].abs().amax(0)[graph.inputs : -graph.outputs]
        if (into / out).log().abs().max() < 1e-13:
            break
        params = rescale(params, (out / into) ** 0.25, graph.group)
    return params


def largest_mean(graph):
    """The largest geometric mean of the weights along a path from an input to an output."""
    products = path_products(graph.params, graph).items()
    return max(abs(v) ** (1 / (len(path) - 1)) for path, v in products if path[0] != -1)


@pytest.mark.parametrize("seed", range(6))
def test_equalised_networks_have_the_smallest_largest_weight(seed):
    graph = random_graph(2, 4, 2, seed=seed)
    largest = equalised(graph)["W"].abs().max()
    assert float(largest) == pytest.approx(largest_mean(graph), rel=1e-6)


@pytest.mark.parametrize("p", [1.0, 4.0, 16.0])
def test_the_lightest_network_has_nearly_the_smallest_largest_weight(p):
    graph = random_graph(2, 4, 2, seed=1)
    params = minimum_norm(graph.params, graph.group, p=p, tol=1e-10).params
    smallest, count = largest_mean(graph), int((graph.params["W"] != 0).sum())
    assert smallest * (1 - 1e-9) <= params["W"].abs().max() <= smallest * count ** (1 / p)


@pytest.mark.parametrize("p", [1.0, 2.0, 8.0])
def test_the_exponent_of_that_factor_cannot_be_halved(p):
    """One weight y, then k paths of l weights x: balanced where y^p = k x^p."""
    k, layers = 30, 6
    params, group = initialised([1, 1, *[k] * (layers - 2), 1])
    for w in params.values():
        w.copy_(torch.eye(*w.shape) if k == min(w.shape) else torch.ones_like(w))
    params["0.weight"].fill_(k ** (1 / p))
    assert imbalance(params, group, p).abs().max() < 1e-10 * k
    largest = max(float(w.max()) for w in params.values())
    smallest = largest ** (1 / layers)  # the geometric mean of every path
    count = sum(int((w != 0).sum()) for w in params.values())
    assert count == 1 + k * (layers - 1)
    assert smallest * count ** (1 / (2 * p)) < largest < smallest * count ** (1 / p)


def test_control_the_network_with_the_smallest_largest_weight_is_not_unique():
    params, group = initialised([1, 2, 1])
    params = {"0.weight": torch.tensor([[4.0], [1.0]]), "2.weight": torch.tensor([[4.0, 1.0]])}
    for a in (0.5, 1.0, 2.0):
        moved = rescale(params, torch.tensor([1.0, a]), group)
        assert max(w.abs().max() for w in moved.values()) == 4.0
