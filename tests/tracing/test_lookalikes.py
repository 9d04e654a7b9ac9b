"""Small models of today: the rescalings that they have, counted by hand and by singular values."""

import pytest
import torch
from torch.func import functional_call

from gaugelib import params_of, trace_group
from tests.tracing.lookalikes import LOOKALIKES, build
from tests.tracing.lookalikes_language import Bert
from tests.tracing.rescalings import rescalings

CLEAR = 1e4


@pytest.mark.parametrize("name", LOOKALIKES)
def test_rescalings_are_those_counted_by_hand(name):
    case, found = LOOKALIKES[name], rescalings(*build(name))
    assert found.gap > CLEAR
    assert found.idle == case.idle
    assert found.dimension == case.units + sum(case.idle.values()) + case.by_eps


def exponents(group):
    """The log-scale of every parameter entry for each unit, read off the group by hand."""
    unit = torch.eye(1 + group.units, dtype=torch.float64)[:, 1:]
    nodes = [unit]
    if group.combined is not None:
        terms, powers = group.combined.units, group.combined.powers
        nodes += [(powers[:, :, None] * unit[terms]).sum(1)]
    nodes = torch.cat(nodes)
    return {
        name: (nodes[entry.target] - nodes[entry.source]).expand(*group.shapes[name], -1)
        for name, entry in group.entries.items()
    }


@pytest.mark.parametrize("name", LOOKALIKES)
def test_the_traced_group_is_all_of_them(name):
    """As many units as by hand, none of them idle, and the function stays at random gauges."""
    model, inputs = build(name)
    group = trace_group(model, inputs)
    assert group.units == LOOKALIKES[name].units
    if not group.units:
        return
    params, columns = params_of(model), exponents(group)
    rows = torch.cat([column.reshape(-1, group.units) for column in columns.values()])
    assert int(torch.linalg.matrix_rank(rows)) == group.units
    before = functional_call(model, params, inputs)

    def change(moved):
        found = (functional_call(model, moved, inputs) - before).abs().max()
        return float(found / before.abs().max())

    for seed in range(3):
        draw = torch.Generator().manual_seed(seed)
        logs = 0.7 * torch.randn(group.units, generator=draw, dtype=torch.float64)
        moved = {n: value * (columns[n] @ logs).exp() for n, value in params.items()}
        assert change(moved) <= 1e-12
    # The control: with one parameter forgotten it moves.
    assert max(change({**moved, n: value}) for n, value in params.items()) > 1e-2


@pytest.mark.parametrize("name", [name for name, case in LOOKALIKES.items() if case.idle])
def test_idle_entries_may_be_shifted_as_well(name):
    """So that they are no rescaling that was overlooked: nothing at all depends on them."""
    model, inputs = build(name)
    params, idle = params_of(model), LOOKALIKES[name].idle
    shifted = {n: v.clone() for n, v in params.items()}
    for parameter, count in idle.items():
        # Of queries, keys and values in one bias, the keys are in the middle.
        whole = len(params[parameter]) == count
        shifted[parameter][slice(None) if whole else slice(count, 2 * count)] += 3.0
    before, after = (functional_call(model, p, inputs) for p in (params, shifted))
    assert (after - before).abs().max() < 1e-12 * before.abs().max()
    for parameter in idle:
        shifted[parameter] = params[parameter] + 3.0  # the control: queries and values, too
    if any(len(params[parameter]) > count for parameter, count in idle.items()):
        moved = functional_call(model, shifted, inputs) - before
        assert moved.abs().max() > 1e-3 * before.abs().max()


def of(*names):
    return {name: torch.ones(()) for name in names}


def against(*names):
    return {name: -torch.ones(()) for name in names}


LAYER = "layers.0."
BY_EPS = {
    "the embeddings, which a norm reads": of("word.weight", "position.weight", "token_type.weight"),
    "from the first norm to the second": {
        **of("norm.weight", "norm.bias", LAYER + "attended.weight", LAYER + "attended.bias"),
        **against(LAYER + "query.weight", LAYER + "key.weight", LAYER + "value.weight"),
    },
    "from the second norm to the third": {
        **of(LAYER + "attended_norm.weight", LAYER + "attended_norm.bias"),
        **of(LAYER + "output.weight", LAYER + "output.bias"),
        **against(LAYER + "intermediate.weight"),
    },
}


def test_the_scalings_that_only_an_eps_of_1e_12_leaves_to_bert_have_names():
    """Each scales a whole stream between two norms: only a norm without an eps would not see it.

    In float64 they are hidden by an eps of 1e-12, and not by one of 1e-5.
    """
    assert LOOKALIKES["bert"].by_eps == len(BY_EPS)
    model, inputs = build("bert")
    hidden = rescalings(model, inputs)
    seen = rescalings(Bert(eps=1e-5).double().eval(), inputs)
    without = rescalings(Bert(eps=0.0).double().eval(), inputs)
    assert hidden.dimension == without.dimension == seen.dimension + len(BY_EPS)
    for direction in BY_EPS.values():
        assert without.residual(direction) < 1e-14
        assert 1e-14 < hidden.residual(direction) < 1e-11
        assert 1e-7 < seen.residual(direction) < 1e-4


def test_control_half_of_such_a_scaling_is_none():
    model, inputs = build("bert")
    found = rescalings(model, inputs)
    for direction in BY_EPS.values():
        halves = {name: value for name, value in direction.items() if "norm." not in name}
        halves.pop("word.weight", None)
        assert found.residual(halves) > 1e-2
