"""What sweeps carry along is what the rescaled weights give: norm, flows, bound and passes.

The oracle rescales the parameters and sums them up anew at every state that a run notes.
"""

import itertools
import math

import pytest
import torch
from torch.testing import assert_close

from gaugelib import rescale
from gaugelib.balance.solver.methods import METHODS, Method
from gaugelib.balance.solver.plan import plan_of
from gaugelib.balance.solver.read import conductances_of
from gaugelib.balance.solver.state import State
from gaugelib.balance.solver.sweeps import Sweeps, _Trial
from tests.balance.networks import chain
from tests.balance.newton import imbalance_of
from tests.balance.test_minimum_norm import NETWORKS

CPU = torch.device("cpu")


def begun(network, method, p, dtype=torch.float64):
    """Sweeps that count all weights and no biases, and the gauge in which they stand."""
    params, group = NETWORKS[network]() if isinstance(network, str) else network
    names = [name for name, entry in group.entries.items() if entry.kind == "weight"]
    plan = plan_of(group, names, None, CPU, coloured=method.coloured)
    state = State(plan, conductances_of(params, group, plan, p, dtype))

    def here():
        scales = torch.ones(group.units, dtype=torch.float64)
        scales[plan.units - 1] = (state.logs[1:] / p).exp()
        return rescale(params, scales, group)

    return Sweeps(state, method, p), here, group, names


def norm(params, names, p):
    return sum(params[name].abs().pow(p).sum().item() for name in names)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("network", NETWORKS)
def test_each_noted_state_is_that_of_the_rescaled_weights(network, method, p):
    sweeps, here, group, names = begun(network, METHODS[method], p)
    note, count = sweeps.log.note, []

    def checked(passes, objective, bound):
        params = here()
        assert_close(objective, norm(params, names, p), rtol=1e-12, atol=0)
        worst = imbalance_of(params, group, p).max().item()
        assert math.tanh(bound) >= worst - 1e-12
        if math.isfinite(bound) and (sweeps.sees_all or not METHODS[method].coloured):
            assert_close(math.tanh(bound), worst, rtol=1e-9, atol=1e-12)
        count.append(passes)
        note(passes, objective, bound)

    sweeps.log.note = checked
    sweeps.run(0.0, 6.0)
    assert len(count) >= 3
    assert 6.0 <= sweeps.state.passes < 7.5


@pytest.mark.parametrize("p", [1.0, 3.0])
def test_a_sweep_with_step_one_balances_each_colour_it_leaves(p):
    """Units of one colour are balanced exactly while the others stand still."""
    sweeps, here, group, _ = begun("chain", METHODS["alternating"], p)
    for number in (0, 1, 0):
        sweeps._balance(number, 0.0)
        units = sweeps.state.colours[number].where
        members = torch.cat([torch.arange(s.start, s.stop) for s in group.layers.values()])
        assert len(members) == group.units
        unbalanced = imbalance_of(here(), group, p)
        assert (unbalanced < 1e-12).sum() == units.stop - units.start
    halved, here, group, _ = begun("chain", Method(step=0.5), p)
    halved._balance(0, 0.0)
    assert (imbalance_of(here(), group, p) < 1e-12).sum() == 0


@pytest.mark.parametrize(("method", "exponent"), [("algorithm-1", 4), ("doubled", 2)])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_steps_are_as_long_as_their_names_say(method, exponent, p):
    r"""a = (out/in)^{1/(4p)} for the published update, (out/in)^{1/(2p)} for the doubled one."""
    weights = (2.0, 3.0, 0.5, 7.0)
    sweeps, here, _, _ = begun(chain(*weights), METHODS[method], p)
    sweeps._balance(0, 0.0)
    ratios = [after / before for before, after in itertools.pairwise(weights)]
    scales = [ratio ** (1.0 / exponent) for ratio in ratios]
    ends = [1.0, *scales, 1.0]
    expected = [w * ends[k + 1] / ends[k] for k, w in enumerate(weights)]
    assert_close([w.item() for w in here().values()], expected)


@pytest.mark.parametrize("network", ["chain", "residual", "convolutional"])
def test_without_layer_corrections_a_sweep_is_a_pass(network):
    sweeps, _, _, _ = begun(network, METHODS["alternating"], 2.0)
    for sweep in range(1, 4):
        for number in range(len(sweeps.state.colours)):
            sweeps._balance(number, 0.0)
        assert_close(sweeps.state.passes, float(sweep))


@pytest.mark.parametrize("network", ["chain", "residual", "tied"])
def test_the_last_correction_is_the_largest_change_over_one_sweep(network):
    p = 3.0
    sweeps, _, _, _ = begun(network, METHODS["alternating"], p)
    seen = []
    for _ in range(3):
        seen.append(sweeps.state.logs.clone())
        for number in range(len(sweeps.state.colours)):
            sweeps._balance(number, 0.0)
    seen.append(sweeps.state.logs.clone())
    sweeps._balance(0, math.inf)  # looks, and moves nothing
    assert torch.equal(seen[-1], sweeps.state.logs)
    assert_close(sweeps.last_correction, (seen[-1] - seen[-2]).abs().max().item() / p)


@pytest.mark.parametrize(("distance", "tried"), [(9.9, True), (10.1, False), (math.inf, False)])
def test_an_extrapolation_is_tried_unless_some_unit_would_go_too_far(distance, tried, monkeypatch):
    sweeps, _, _, _ = begun("chain", METHODS["two-level"], 2.0)
    sweeps.run(0.0, 1.0)
    before, sweeps._trial = sweeps.state.logs.clone(), None

    def propose(image, residual):
        assert_close(residual, image - sweeps._without_next(sweeps._entered))
        point = image.clone()
        point[1] += distance
        return point

    monkeypatch.setattr(sweeps._memory, "propose", propose)
    sweeps._extrapolate(sweeps.state.logs - sweeps._entered)
    assert (sweeps._trial is not None) is tried
    assert_close((sweeps.state.logs - before).abs().max().item(), distance if tried else 0.0)
    assert sweeps.state.unknown == (set(range(len(sweeps.state.network.links))) if tried else set())
    if tried:
        assert torch.equal(sweeps._trial.logs, before)


@pytest.mark.parametrize(("rise", "kept"), [(-1e-3, True), (0.0, True), (1e-3, False)])
def test_a_trial_that_raises_the_norm_is_taken_back(rise, kept):
    sweeps, here, _, names = begun("chain", METHODS["two-level"], 2.0)
    sweeps.run(0.0, 2.0)
    sweeps._trial = None
    begin, totals = sweeps.state.logs.clone(), list(sweeps.state.totals)
    objective = norm(here(), names, 2.0)
    sweeps._trial = _Trial(begin, totals, sweeps.state.objective / (1 + rise))
    sweeps.state.move_all(begin + 0.1)
    assert sweeps._accepted() is kept
    assert sweeps._trial is None
    assert torch.equal(sweeps.state.logs, begin + 0.1 if kept else begin)
    if not kept:
        assert_close(norm(here(), names, 2.0), objective)
        assert sweeps.state.totals == totals
        assert sweeps._memory.images == []
        assert sweeps._left == [math.inf] * len(sweeps.state.colours)


@pytest.mark.parametrize("network", ["chain", "residual", "convolutional"])
def test_bad_extrapolations_never_raise_the_norm_of_a_noted_state(network, monkeypatch):
    sweeps, _, _, _ = begun(network, METHODS["two-level"], 2.0)
    draw, tried = torch.Generator().manual_seed(0), []

    def propose(image, residual):
        tried.append(image + torch.randn(image.shape, generator=draw, dtype=image.dtype))
        return tried[-1]

    monkeypatch.setattr(sweeps._memory, "propose", propose)
    sweeps.run(1e-9, 40.0)
    assert len(tried) > 3
    norms = torch.tensor(sweeps.log.objective, dtype=torch.float64)
    assert (norms.diff() <= 1e-13 * norms[:-1]).all()
