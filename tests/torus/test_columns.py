"""The one linear map with longer columns, against a dense Q written entry by entry."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import Entry, GaugeError, generator, orbit, rescale
from gaugelib.group import Combined, GaugeGroup
from tests.torus.gates import NETWORKS, Gated, combined, dense, flat, reglu, stacked, weight

networks = st.builds(lambda name, seed: NETWORKS[name](seed=seed), st.sampled_from([*NETWORKS]),
                     st.integers(0, 10_000))  # fmt: skip


def random_group(units: int, seed: int) -> tuple[GaugeGroup, dict[str, torch.Tensor]]:
    """Any columns: powers 2, -1 and 1/2 too, in three rows of any ends that share no unit."""
    draw = torch.Generator().manual_seed(seed)
    pick = lambda high, shape: torch.randint(0, high, shape, generator=draw)  # noqa: E731
    powers = torch.tensor([1.0, -1.0, 2.0, 0.5, -0.5])
    rows = []
    for _ in range(3):
        members = (1 + torch.randperm(units, generator=draw)[:2]).tolist()
        rows.append({h: powers[int(pick(5, (1,)))].item() for h in members})
    more = combined(*rows)
    target, source = pick(units + 4, (6, 1)), pick(units + 1, (1, 5))
    # The sources are units; those that meet a target's give way to the ground.
    members = [{0}, *({h} for h in range(1, units + 1)), *({*row} for row in rows)]
    for j in range(5):
        if any(members[int(t)] & members[int(source[0, j])] - {0} for t in target):
            source[0, j] = 0
    shape = torch.Size([6, 5])
    entries = {"W": Entry(target, source), "V": Entry(source, target)}
    params = {n: torch.randn(6, 5, generator=draw, dtype=torch.float64) for n in entries}
    return GaugeGroup(units, {}, entries, dict.fromkeys(entries, shape), combined=more), params


groups = st.builds(random_group, st.integers(2, 5), st.integers(0, 10_000))


@given(drawn=groups, seed=st.integers(0, 99))
def test_collect_and_spread_are_q_and_its_transpose(drawn, seed):
    group, params = drawn
    rows = dense(group)
    v = torch.randn(group.units, generator=torch.Generator().manual_seed(seed)).double()
    assert_close(group.collect(params), rows @ flat(params))
    assert_close(flat(group.spread(v)), rows.T @ v)
    assert_close(v @ group.collect(params), flat(group.spread(v)) @ flat(params))


@given(drawn=groups)
def test_totals_are_those_of_the_positive_and_of_the_negative_exponents(drawn):
    group, params = drawn
    incoming, outgoing = group.totals(params)
    assert_close(incoming, dense(group).clamp(min=0) @ flat(params))
    assert_close(outgoing, (-dense(group)).clamp(min=0) @ flat(params))


@given(net=networks)
def test_the_networks_by_hand_have_this_q(net: Gated):
    group, params = net.group, net.params
    assert_close(group.collect(params), dense(group) @ flat(params))


@given(net=networks, seed=st.integers(0, 99))
def test_a_rescaling_leaves_the_function_alone(net: Gated, seed):
    scales = net.group.random(generator=torch.Generator().manual_seed(seed))
    moved = rescale(net.params, scales, net.group)
    assert_close(net.loss(moved), net.loss(net.params), rtol=1e-9, atol=1e-12)
    expected = flat(net.params) * torch.exp(dense(net.group).T @ scales.log())
    assert_close(flat(moved), expected)


@given(net=networks, seed=st.integers(0, 99))
def test_powers_of_two_leave_the_function_bitwise_alone(net: Gated, seed):
    draw = torch.Generator().manual_seed(seed)
    scales = torch.exp2(torch.randint(-3, 4, (net.group.units,), generator=draw).double())
    moved = rescale(net.params, scales, net.group, exact=True)
    assert torch.equal(net.loss(moved), net.loss(net.params))


def test_control_without_the_combinations_the_function_changes():
    net = reglu()
    scales = net.group.random(generator=torch.Generator().manual_seed(1))
    moved = rescale(net.params, scales, net.group) | {"down.weight": net.params["down.weight"]}
    assert (net.loss(moved) - net.loss(net.params)).abs() > 1e-3


def test_generator_and_orbit_follow_the_columns():
    net = stacked()
    direction = torch.linspace(-1, 1, net.group.units).double()
    velocity = generator(net.params, direction, net.group)
    assert_close(flat(velocity), (dense(net.group).T @ direction) * flat(net.params))
    *_, last = orbit(net.params, direction, net.group, torch.tensor([0.0, 0.5]))
    expected = flat(net.params) * torch.exp(0.5 * dense(net.group).T @ direction)
    assert_close(flat(last), expected)


@given(drawn=groups)
def test_derivatives_pass_through_both_maps(drawn):
    group, params = drawn
    v = torch.linspace(-1, 1, group.units).double()
    of_spread = torch.func.jacrev(lambda v: flat(group.spread(v)))(v)
    assert_close(of_spread, dense(group).T)
    of_collect = torch.func.jacrev(lambda w: group.collect(params | {"W": w}))(params["W"])
    assert_close(of_collect.flatten(1), dense(group)[:, :30])
    of_scales = torch.func.jacrev(lambda a: group.with_ground(a, ground=1.0).log())(v.exp())
    assert_close(of_scales[1 : group.units + 1], torch.diag((-v).exp()))


def test_measuring_one_kind_and_moving_to_a_device_keep_the_combinations():
    net = reglu()
    only = net.group.restrict("bias").to("cpu")
    rows = dense(net.group)
    kept = torch.cat(
        [torch.full((v.numel(),), float(v.dim() == 1)) for v in net.params.values()]
    ).double()
    assert_close(only.collect(net.params), rows @ (kept * flat(net.params)))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (Combined(torch.tensor([[1, 1]]), torch.ones(1, 2).double()), "only once"),
        (Combined(torch.tensor([[1, 9]]), torch.ones(1, 2).double()), "must lie in 0..3"),
        (Combined(torch.tensor([[1, 0]]), torch.ones(1, 2).double()), "0 where its unit is 0"),
        (Combined(torch.tensor([[1, 2]]), torch.ones(1, 2)), "float64"),
        (Combined(torch.tensor([[1, 2]]), torch.ones(1, 3).double()), "one shape"),
        (Combined(torch.tensor([[1, 2]]), torch.full((1, 2), torch.inf).double()), "finite"),
    ],
)
def test_combinations_that_are_none_are_refused(more, words):
    with pytest.raises(GaugeError, match=words):
        GaugeGroup(3, {}, {}, {}, combined=more)


def test_nodes_that_share_a_unit_are_refused_and_the_same_node_is_a_loop():
    more, shape = combined({1: 1.0, 2: 1.0}), {"w": torch.Size([1, 1])}
    with pytest.raises(GaugeError, match=r"'w' joins nodes \[1, 3\].*ground at the other"):
        GaugeGroup(2, {}, {"w": weight([1], [3])}, shape, combined=more)
    with pytest.raises(GaugeError, match=r"must lie in 0..3"):
        GaugeGroup(2, {}, {"w": weight([4], [0])}, shape, combined=more)
    loop = GaugeGroup(2, {}, {"w": weight([3], [3])}, shape, combined=more)
    assert loop.collect({"w": torch.ones(1, 1)}).tolist() == [0.0, 0.0]
