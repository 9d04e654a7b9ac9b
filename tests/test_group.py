"""The one linear map: spread and collect against a dense incidence matrix."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import Entry, GaugeError, GaugeGroup, hat, mlp_group, params_of
from tests.graphs import flat, random_graph

sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))


@given(sizes=sizes, seed=st.integers(0, 10_000))
def test_collect_is_the_incidence_matrix(sizes, seed):
    graph = random_graph(*sizes, seed=seed)
    expected = graph.incidence() @ flat(graph.params)
    assert_close(graph.group.collect(graph.params), expected, rtol=1e-12, atol=1e-12)


@given(sizes=sizes, seed=st.integers(0, 10_000))
def test_spread_is_the_transposed_incidence_matrix(sizes, seed):
    graph = random_graph(*sizes, seed=seed)
    v = torch.randn(graph.hidden, generator=torch.Generator().manual_seed(seed)).double()
    assert_close(flat(graph.group.spread(v)), graph.incidence().T @ v)


def test_spread_and_collect_are_adjoint():
    graph = random_graph(2, 5, 2, seed=3)
    v = torch.linspace(-1, 2, 5).double()
    left = v @ graph.group.collect(graph.params)
    right = flat(graph.group.spread(v)) @ flat(graph.params)
    assert_close(left, right)


def test_control_the_wrong_sign_is_not_adjoint():
    graph = random_graph(2, 5, 2, seed=3)
    v = torch.linspace(-1, 2, 5).double()
    incoming, outgoing = graph.group.totals(graph.params)
    wrong = v @ (incoming + outgoing)
    assert abs(wrong - flat(graph.group.spread(v)) @ flat(graph.params)) > 0.1


def test_an_entry_from_a_unit_to_itself_counts_in_neither_total():
    one = torch.ones(1, 1, dtype=torch.int64)
    group = GaugeGroup(1, {"u": slice(0, 1)}, {"w": Entry(one, one)}, {"w": torch.Size([1, 1])})
    incoming, outgoing = group.totals({"w": torch.full((1, 1), 7.0)})
    assert (incoming.item(), outgoing.item()) == (0.0, 0.0)


def test_restricting_counts_one_kind_of_parameter():
    model = hat()
    group, params = mlp_group(model), params_of(model)
    assert group.restrict("bias").collect(params).tolist() == [0.0, -1.0, -2.0]
    assert group.restrict("weight").collect(params).tolist() == [0.0, 3.0, 0.0]
    both = group.restrict("bias").collect(params) + group.restrict("weight").collect(params)
    assert_close(both, group.collect(params))


def test_restricting_to_an_unknown_kind_is_refused():
    with pytest.raises(GaugeError, match="'norm'"):
        mlp_group(hat()).restrict("norm")  # type: ignore[arg-type]


def test_random_scales_are_log_normal_and_reproducible():
    group = _many_units(4000)
    draws = [group.random(generator=torch.Generator().manual_seed(5), log_std=0.5) for _ in "ab"]
    assert torch.equal(*draws)
    logs = draws[0].log()
    assert abs(logs.mean().item()) < 0.05
    assert abs(logs.std().item() - 0.5) < 0.03


def _many_units(units):
    index = torch.arange(1, units + 1)
    entry = Entry(index, torch.zeros(1, dtype=torch.int64), "bias")
    return GaugeGroup(units, {"u": slice(0, units)}, {"b": entry}, {"b": torch.Size([units])})


@pytest.mark.parametrize("log_std", [-1.0, float("nan"), float("inf")])
def test_random_refuses_a_spread_that_is_none(log_std):
    with pytest.raises(GaugeError, match="log_std"):
        _many_units(2).random(log_std=log_std)


def test_values_of_the_wrong_shape_are_refused_by_name():
    model = hat()
    group, params = mlp_group(model), params_of(model)
    with pytest.raises(GaugeError, match=r"shape \(3,\); found \(4,\)"):
        group.spread(torch.ones(4))
    with pytest.raises(GaugeError, match=r"'0.weight' must have shape \(3, 1\), found \(1, 3\)"):
        group.collect({**params, "0.weight": params["0.weight"].T})
    with pytest.raises(GaugeError, match=r"missing \['2.bias'\], unknown \['extra'\]"):
        group.collect(
            {**{k: v for k, v in params.items() if k != "2.bias"}, "extra": params["2.bias"]}
        )


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (torch.tensor([1, 3]), "0..2"),
        (torch.tensor([-1, 1]), "0..2"),
        (torch.tensor([1.0, 2.0]), "int64"),
        (torch.tensor([1, 2, 1]), "broadcast"),
        (torch.tensor([[1], [2]]), "broadcast"),
    ],
)
def test_units_that_do_not_fit_are_refused(target, message):
    entry = Entry(target, torch.zeros(1, dtype=torch.int64))
    with pytest.raises(GaugeError, match=message):
        GaugeGroup(2, {"u": slice(0, 2)}, {"w": entry}, {"w": torch.Size([2])})


def test_a_group_is_frozen():
    group = mlp_group(hat())
    with pytest.raises(AttributeError):
        group.units = 4  # type: ignore[misc]
    with pytest.raises(TypeError):
        group.layers["0"] = slice(0, 1)  # type: ignore[index]


@pytest.mark.cuda
def test_the_map_is_device_transparent():
    model = hat().cuda()
    group, params = mlp_group(model), params_of(model)
    assert_close(group.collect(params).cpu(), mlp_group(hat()).collect(params_of(hat())))
    moved = group.to("cuda").spread(torch.ones(3, device="cuda"))
    assert moved["0.weight"].is_cuda
