"""Gauge fixing beside an optimizer: the imbalance that it guarantees, and when it looks."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gaugelib import EGD, GaugeError, GaugeFixing, mlp_group, params_of
from tests.optim.problems import balanced, batches, gamma, network, train, uneven

SGD, Adam = torch.optim.SGD, torch.optim.Adam

TRAINED = {
    "sgd": (2.0, lambda w: SGD(w, lr=0.05)),
    "sgd, large steps": (2.0, lambda w: SGD(w, lr=0.5)),
    "momentum": (2.0, lambda w: SGD(w, lr=0.1, momentum=0.9, nesterov=True)),
    "adam": (2.0, lambda w: Adam(w, lr=3e-3)),
    "egd": (1.0, lambda w: EGD(w, lr=0.3, weight_decay=1e-4)),
    "an odd exponent": (3.0, lambda w: SGD(w, lr=0.05)),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", TRAINED)
def test_the_tolerance_holds_after_each_step(name, dtype):
    p, make = TRAINED[name]
    model = network(dtype=dtype, bias=True)
    optimizer, group, seen = make(model.parameters()), mlp_group(model), []
    fixing = GaugeFixing(model, optimizer, p=p)

    def after():
        fixing.step()
        seen.append(gamma(model, group, p))

    losses = train(model, optimizer, batches(model, 120), after)
    assert all(map(math.isfinite, losses))
    assert max(seen) <= 1e-3
    assert seen[-1] - 3e-5 < fixing.imbalance < seen[-1] + 2e-4  # where it is known from batches
    assert fixing.imbalance <= 1e-3
    assert fixing.checks == fixing.steps == 120
    assert 1 <= fixing.rescalings <= 120


@pytest.mark.parametrize("name", TRAINED)
def test_control_without_gauge_fixing_the_tolerance_is_exceeded(name):
    p, make = TRAINED[name]
    model = balanced(bias=True, p=p)
    assert gamma(model, mlp_group(model), p) <= 1e-5
    train(model, make(model.parameters()), batches(model, 120))
    assert gamma(model, mlp_group(model), p) > 1e-3


def test_the_tolerance_holds_for_biases_where_they_count():
    model = network(bias=True)
    optimizer, group, seen = SGD(model.parameters(), lr=0.2), mlp_group(model), []
    fixing = GaugeFixing(model, optimizer, include_bias=True, tol=1e-4)

    def after():
        fixing.step()
        seen.append((gamma(model, group, include_bias=True), gamma(model, group)))

    train(model, optimizer, batches(model, 40), after)
    assert max(with_biases for with_biases, _ in seen) <= 1e-4
    assert max(without for _, without in seen) > 1e-4  # control


def test_it_looks_at_every_third_step_only():
    model = balanced()
    optimizer, group, seen = SGD(model.parameters(), lr=0.3), mlp_group(model), []
    fixing = GaugeFixing(model, optimizer, every=3)

    def after():
        fixing.step()
        seen.append(gamma(model, group))

    train(model, optimizer, batches(model, 31), after)
    assert fixing.checks == 10
    assert max(seen[2::3]) <= 1e-3
    assert max(seen[0::3]) > 1e-3  # control: in between it drifts


def test_what_is_balanced_is_not_touched():
    model = balanced(dtype=torch.float32)
    optimizer = SGD(model.parameters(), lr=1e-3)
    fixing = GaugeFixing(model, optimizer)
    before = params_of(model)
    assert not fixing.fix_()
    assert all(torch.equal(before[name], w) for name, w in model.named_parameters())
    train(model, optimizer, batches(model, 20), fixing.step)
    assert (fixing.checks, fixing.rescalings) == (21, 0)


def test_a_smaller_tolerance_is_reached_and_an_impossible_one_refused():
    model = network(dtype=torch.float32)
    optimizer, before = SGD(model.parameters(), lr=0.1), params_of(network(dtype=torch.float32))
    with pytest.raises(GaugeError, match="out of reach in the precision"):
        GaugeFixing(model, optimizer, tol=1e-10).fix_()
    assert_close(params_of(model), before, rtol=0, atol=0)
    fine = GaugeFixing(model, optimizer, tol=1e-5)
    assert fine.fix_()
    assert gamma(model, mlp_group(model)) <= 1e-5
    model = network()
    GaugeFixing(model, SGD(model.parameters(), lr=0.1), tol=1e-11).fix_()
    assert gamma(model, mlp_group(model)) <= 1e-11


@pytest.mark.parametrize("size", [1e-22, 1e-12, 1e12])
def test_squares_beyond_the_range_of_float32_are_counted(size):
    model = network(dtype=torch.float32)
    with torch.no_grad():
        for value in model.parameters():
            value.mul_(size)
    optimizer = SGD(model.parameters(), lr=0.1)
    fixing = GaugeFixing(model, optimizer)
    assert fixing.fix_()
    assert gamma(model, mlp_group(model)) <= 1e-3
    assert not fixing.fix_()


def test_dead_units_are_left_and_the_others_balanced():
    model = uneven(network())
    with torch.no_grad():
        model[0].weight[3] = 0.0  # nothing flows in
        model[4].weight[:, 7] = 0.0  # nothing flows out
    dead = model[2].weight[7].detach().clone()
    group, optimizer = mlp_group(model), SGD(model.parameters(), lr=0.1)
    fixing = GaugeFixing(model, optimizer)
    assert fixing.fix_()
    assert torch.equal(model[2].weight[7, 3], dead[3])
    assert fixing.imbalance <= 1e-3
    into, out = group.restrict("weight").totals({n: w**2 for n, w in params_of(model).items()})
    each = ((into - out).abs() / (into + out))[[u for u in range(66) if u not in (3, 37)]]
    assert each.max() <= 1e-3
    before = params_of(model)
    assert not fixing.fix_()
    assert_close(params_of(model), before, rtol=0, atol=0)
    with torch.no_grad():
        model[0].weight[3, 0] = 5.0  # it comes to life
    assert fixing.fix_()
    into, out = group.restrict("weight").totals({n: w**2 for n, w in params_of(model).items()})
    assert abs(into[3] - out[3]) / (into[3] + out[3]) <= 1e-3


def test_a_model_without_hidden_units_has_nothing_to_fix():
    model = nn.Sequential(nn.Linear(3, 2))
    fixing = GaugeFixing(model, SGD(model.parameters(), lr=0.1))
    assert not fixing.step()
    assert fixing.imbalance == 0.0


def test_near_balance_one_step_does_and_the_solver_rests(monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("the solver was called")

    model = balanced((30, 200, 150, 100, 10))
    optimizer = SGD(model.parameters(), lr=0.03, momentum=0.5)
    fixing, far = GaugeFixing(model, optimizer), network((30, 200, 150, 100, 10))
    monkeypatch.setattr("gaugelib.optim.kept.minimum_norm", refuse)
    train(model, optimizer, batches(model, 10), fixing.step)
    assert fixing.rescalings > 3
    assert gamma(model, mlp_group(model)) <= 1e-3
    with pytest.raises(AssertionError, match="was called"):  # control: from afar
        GaugeFixing(far, SGD(far.parameters(), lr=0.1)).fix_()
