"""What the step of a quantiser sees: largest weights times sums of squared derivatives."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tests.gauges.bowls import case, moved

seeds = st.integers(0, 9999)
WIDTHS = (3, 5, 4, 2)


def tensors(here, alpha=None):
    """(|W|, c) of each tensor of weights at the gauge e^α; c = mean over examples of |∂f|²."""
    params = here.params if alpha is None else moved(here.params, alpha, here.group)
    flat_c, at, found = (here.derivatives(params) ** 2).sum(1).mean(0), 0, []
    for name in here.group.entries:
        value = params[name]
        c = flat_c[at : at + value.numel()].reshape(value.shape)
        at += value.numel()
        if name.endswith("weight"):
            found.append((abs(value.numpy()), c))
    return found


def error(pairs, levels=127, rows=False):
    """E: 1/12 of each step squared times the sum of c, a step for each tensor or each row."""
    if rows:
        pairs = [(w[i], c[i]) for w, c in pairs for i in range(len(w))]
    return sum((w.max() / levels) ** 2 * c.sum() for w, c in pairs) / 12


def lively(seed):
    return case(WIDTHS, seed, examples=8)


@pytest.mark.parametrize("rows", [False, True])
def test_it_is_the_mean_square_of_what_independent_errors_do(rows):
    here, draw = lively(3), np.random.default_rng(0)
    with torch.no_grad():
        before, total, levels = here.outputs(here.params), 0.0, 2**14
        for _ in range(400):
            there = {}
            for name, value in here.params.items():
                top = abs(value.numpy())
                top = top.max(1, keepdims=True) if rows and value.dim() == 2 else top.max()
                noise = top / levels * draw.uniform(-0.5, 0.5, value.shape)
                there[name] = value + torch.as_tensor(noise) * name.endswith("weight")
            total += float((here.outputs(there) - before).square().sum(-1).mean())
    assert_allclose(total / 400, error(tensors(here), levels, rows), rtol=0.1)


@pytest.mark.parametrize("rows", [False, True])
def test_and_nearly_that_of_real_rounding_to_eight_bits(rows):
    ratios = []
    with torch.no_grad():
        for seed in range(12):
            here = case((12, 16, 12, 4), seed, examples=8)
            there = {}
            for name, value in here.params.items():
                top = (
                    value.abs().amax(1, keepdim=True)
                    if rows and value.dim() == 2
                    else value.abs().max()
                )
                step = top / 127
                there[name] = (value / step).round() * step if value.dim() == 2 else value
            moved_by = (here.outputs(there) - here.outputs(here.params)).square().sum(-1).mean()
            ratios.append(float(moved_by) / error(tensors(here), 127, rows))
    assert 0.8 < np.mean(ratios) < 1.2


@pytest.mark.parametrize("rows", [False, True])
@given(seed=seeds, log_std=st.sampled_from([0.3, 1.0, 2.0]))
def test_its_logarithm_is_convex_along_the_orbit(rows, seed, log_std):
    here = lively(seed)
    a, b = log_std * np.random.default_rng(seed).standard_normal((2, here.group.units))
    low, high, middle = (error(tensors(here, at), rows=rows) for at in (a, b, (a + b) / 2))
    assert np.log(middle) <= (np.log(low) + np.log(high)) / 2 + 1e-9


@given(seed=seeds)
def test_no_gauge_goes_below_a_number_that_is_the_same_in_all(seed):
    here = lively(seed)
    alpha = np.random.default_rng(seed).standard_normal(here.group.units)
    bound, there = (
        sum((w**2 * c).sum() for w, c in tensors(here, at)) / 12 / 127**2 for at in (None, alpha)
    )
    assert_allclose(bound, there, rtol=1e-9)
    by_rows = error(tensors(here, alpha), rows=True)
    assert bound <= by_rows * (1 + 1e-12)
    assert by_rows <= error(tensors(here, alpha)) * (1 + 1e-12)


def test_it_is_reached_where_all_weights_of_a_tensor_have_one_size():
    here = lively(3)
    one = {n: v.sign() if v.dim() == 2 else v for n, v in here.params.items()}
    here = type(here)(here.model, one, here.group, here.x, here.y)
    bound = sum((w**2 * c).sum() for w, c in tensors(here)) / 12 / 127**2
    assert_allclose(error(tensors(here)), bound)
    off = error(tensors(here, np.linspace(-0.5, 0.5, 9)))
    assert off > 1.1 * bound


@given(seed=seeds, turns=st.tuples(st.floats(-3, 3), st.floats(-3, 3)), rows=st.booleans())
def test_turning_all_dials_of_a_layer_alike_changes_nothing(seed, turns, rows):
    here = lively(seed)
    whole = error(tensors(here, np.repeat(turns, WIDTHS[1:3])), rows=rows)
    assert_allclose(whole, error(tensors(here), rows=rows), rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_but_it_grows_without_bound_as_dials_of_a_layer_part(seed):
    """So that there is a lowest point: units alive, and directions that are no turn of layers."""
    here, rng = case(WIDTHS, seed, examples=60), np.random.default_rng(seed)
    assert all(c.sum(1).min() > 0 for _, c in tensors(here))
    for _ in range(5):
        apart = rng.standard_normal(9)
        apart[:5] -= apart[:5].mean()
        apart[5:] -= apart[5:].mean()
        values = [error(tensors(here, t * apart)) for t in (0.0, 4.0, 8.0)]
        assert values[2] > 100 * values[1] > 100 * values[0]


@given(seed=seeds, unit=st.integers(0, 8))
def test_with_a_step_for_each_row_a_dial_acts_only_where_its_unit_is_the_source(seed, unit):
    here, alpha = lively(seed), np.zeros(9)
    alpha[unit] = 0.7
    before, after = tensors(here), tensors(here, alpha)
    terms = [[error([pair], rows=True) for pair in pairs] for pairs in (before, after)]
    behind = 1 if unit < WIDTHS[1] else 2
    kept = [k for k in range(3) if k != behind]
    assert_allclose([terms[1][k] for k in kept], [terms[0][k] for k in kept], rtol=1e-9)


def test_a_chain_gives_the_quantiser_the_same_error_in_every_gauge():
    here = case((1, 1, 1, 1), 4, examples=6, bias=False)
    errors = [error(tensors(here, np.array(at))) for at in ((0.0, 0.0), (2.0, -1.0), (-3.0, 1.0))]
    assert_allclose(errors, errors[0])


# --- controls ---


def test_control_with_a_step_for_each_tensor_a_dial_acts_on_both_sides():
    here, alpha = lively(3), np.zeros(9)
    alpha[int(tensors(here)[0][0].max(1).argmax())] = 0.7
    before, after = ([error([pair]) for pair in tensors(here, at)] for at in (np.zeros(9), alpha))
    assert abs(np.log(after[0] / before[0])) > 0.1
    assert abs(np.log(after[1] / before[1])) > 0.01
    assert_allclose(after[2], before[2])


def test_control_with_steps_that_do_not_follow_the_weights_it_is_unbounded_one_way_only():
    """Fixed steps: E is the minimum-trace bowl, and a whole layer's dial is no longer free."""
    here = lively(3)

    def fixed(alpha):
        return sum(c.sum() for _, c in tensors(here, alpha))

    turned = fixed(np.repeat([1.0, 0.0], WIDTHS[1:3]))
    assert abs(turned / fixed(np.zeros(9)) - 1) > 0.1


def test_control_the_lightest_gauge_is_not_the_quantiser_s():
    """One weight far larger than the rest of its row: the step sees it, the norm hardly."""
    found = {}
    for a, b in itertools.product(np.linspace(-2, 2, 81), repeat=2):
        w, v = np.array([[4.0, 0, 0, 0], [2.0, 2, 2, 2]]), np.array([[1.0, 1.0]])
        scale = np.exp([a, b])
        w, v = w * scale[:, None], v / scale
        into = np.tile((v**2).T, (1, 4))
        out = (w**2).sum(1)[None]
        found[a, b] = error([(w, into), (v, out)]), (w**2).sum() + (v**2).sum()
    best = min(found, key=lambda at: found[at][0])
    light = min(found, key=lambda at: found[at][1])
    assert abs((best[0] - best[1]) - (light[0] - light[1])) > 0.2
    assert found[light][0] > 1.05 * found[best][0]
