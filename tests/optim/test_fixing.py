"""Gauge fixing beside an optimizer: what it keeps, what it guarantees, and how it resumes."""

import io
import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gaugelib import GaugeError, GaugeFixing, hat, mlp_group, params_of, trace_group
from tests.balance.networks import WIRINGS, multilayer, wired
from tests.optim.problems import WIDTHS, batches, gamma, network, train, uneven

KINDS = [(torch.float32, 1e-6), (torch.float64, 1e-13)]
SGD, Adam = torch.optim.SGD, torch.optim.Adam


# --- the function ---


@pytest.mark.parametrize(("dtype", "room"), KINDS)
def test_the_function_does_not_change(dtype, room):
    model = uneven(network(dtype=dtype, bias=True))
    x = batches(model, 1)[0][0]
    before = model(x).detach()
    assert GaugeFixing(model, SGD(model.parameters(), lr=0.1)).fix_()
    assert (model(x) - before).abs().max() <= room * before.abs().max()


def test_control_another_activation_changes():
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2)).double()
    group = mlp_group(multilayer((4, 6, 2), bias=True))
    x = torch.ones(1, 4).double()
    before = model(x).detach()
    assert GaugeFixing(model, SGD(model.parameters(), lr=0.1), group).fix_()
    assert (model(x) - before).abs().max() > 1e-3 * before.abs().max()


@pytest.mark.parametrize("name", WIRINGS)
def test_models_of_any_wiring_are_fixed_and_compute_the_same(name):
    model, example = wired(name)
    before, group = model(example).detach(), trace_group(model, example)
    assert gamma(model, group) > 0.1
    fixing = GaugeFixing(model, SGD(model.parameters(), lr=0.1), example=example)
    assert fixing.fix_()
    assert (model(example) - before).abs().max() < 1e-13 * before.abs().max()
    assert gamma(model, group) <= 1e-3


def test_batch_normalisation_and_its_buffers_stay_right():
    torch.manual_seed(0)
    layers = [nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(5, 2)).double()
    x = torch.randn(9, 4).double()
    model(x)  # the buffers have seen something
    group, optimizer = trace_group(model.eval(), x), SGD(model.parameters(), lr=0.3)
    outputs = [model(x).detach()]
    model.train()
    outputs.append(model(x).detach())
    fixing = GaugeFixing(model, optimizer, group)
    assert fixing.fix_()
    assert_close(model(x), outputs[1], rtol=1e-11, atol=1e-13)
    model.load_state_dict(model.state_dict())
    for _ in range(20):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
        fixing.step()
        assert gamma(model, group) <= 1e-3


def test_losses_stay_finite_with_momentum():
    model = network()
    optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
    fixing = GaugeFixing(model, optimizer)
    losses = train(model, optimizer, batches(model, 150), fixing.step)
    assert all(map(math.isfinite, losses))
    assert sum(losses[-20:]) < 0.8 * sum(losses[:20])
    assert fixing.rescalings > 5


# --- the parameters ---


def test_parameters_stay_the_optimizers_own():
    model = network(bias=True)
    groups = [{"params": m.parameters(), "lr": 0.1 * k} for k, m in enumerate(model)]
    optimizer = SGD(groups, lr=0.1, momentum=0.9)
    before = list(model.parameters())
    fixing = GaugeFixing(model, optimizer)
    train(model, optimizer, batches(model, 5), fixing.step)
    assert all(a is b for a, b in zip(before, model.parameters(), strict=True))
    held = [w for part in optimizer.param_groups for w in part["params"]]
    assert all(a is b for a, b in zip(before, held, strict=True))
    assert all(w.is_leaf and w.requires_grad for w in before)
    assert fixing.rescalings > 0


def test_frozen_weights_are_rescaled_with_their_units():
    model = uneven(network())
    model[2].weight.requires_grad_(False)
    frozen, x = model[2].weight.detach().clone(), batches(model, 1)[0][0]
    before = model(x).detach()
    optimizer = SGD([w for w in model.parameters() if w.requires_grad], lr=0.1, momentum=0.9)
    fixing = GaugeFixing(model, optimizer)
    assert fixing.fix_()
    assert_close(model(x), before, rtol=1e-12, atol=1e-14)
    assert not torch.equal(model[2].weight, frozen)
    assert not model[2].weight.requires_grad
    train(model, optimizer, batches(model, 10), fixing.step)
    assert gamma(model, mlp_group(model)) <= 1e-3


def test_a_tied_weight_is_rescaled_once():
    model, example = wired("tied")
    optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
    fixing = GaugeFixing(model, optimizer, example=example)
    group = trace_group(model, example)
    for _ in range(20):
        optimizer.zero_grad()
        model(example).square().sum().backward()
        optimizer.step()
        before = model(example).detach()
        fixing.step()
        assert_close(model(example), before, rtol=1e-12, atol=1e-14)
        assert gamma(model, group) <= 1e-3
    assert fixing.rescalings > 1


def test_a_model_that_diverged_is_refused_and_stays():
    model = network(bias=True)
    optimizer = SGD(model.parameters(), lr=0.1)
    fixing = GaugeFixing(model, optimizer)
    with torch.no_grad():
        model[2].weight[0, 0] = torch.nan
    before = params_of(model)
    with pytest.raises(GaugeError, match=r"'2\.weight' holds NaN"):
        fixing.step()
    assert_close(params_of(model), before, rtol=0, atol=0, equal_nan=True)
    assert fixing.rescalings == 0


# --- stopping and resuming ---


@pytest.mark.parametrize("make", [lambda w: SGD(w, lr=0.2, momentum=0.9), lambda w: Adam(w, 3e-3)])
def test_resumed_training_is_the_same(make):
    def start():
        model = network(bias=True, dtype=torch.float32)
        optimizer = make(model.parameters())
        return model, optimizer, GaugeFixing(model, optimizer, every=3)

    data = batches(network(dtype=torch.float32), 40)
    whole = start()
    train(whole[0], whole[1], data[:20], whole[2].step)
    stored = [part.state_dict() for part in whole]
    stored = [torch.load(buffer, weights_only=True) for buffer in map(saved, stored)]
    train(whole[0], whole[1], data[20:], whole[2].step)
    again = start()
    for part, state in zip(again, stored, strict=True):
        part.load_state_dict(state)
    train(again[0], again[1], data[20:], again[2].step)
    pairs = zip(whole[0].parameters(), again[0].parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert whole[2].state_dict() == again[2].state_dict()
    assert whole[2].rescalings > 1
    # control: who forgets the counts looks at other steps
    other = start()
    for part, state in zip(other[:2], stored[:2], strict=True):
        part.load_state_dict(state)
    train(other[0], other[1], data[20:], other[2].step)
    pairs = zip(whole[0].parameters(), other[0].parameters(), strict=True)
    assert not all(torch.equal(a, b) for a, b in pairs)


def saved(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return buffer


def test_a_state_of_something_else_is_refused():
    model = hat()
    fixing = GaugeFixing(model, SGD(model.parameters(), lr=0.1))
    with pytest.raises(GaugeError, match=r"a state has \['steps', .*found \['state', 'step'\]"):
        fixing.load_state_dict({"step": 1, "state": {}})


# --- arguments ---


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"p": 0.0}, "exponent p"),
        ({"every": 0}, "every must be a whole number of steps >= 1, found 0"),
        ({"every": 2.5}, "every must be"),
        ({"tol": 0.0}, "tol must be"),
        ({"tol": math.nan}, "tol must be"),
        ({"group": mlp_group(network(WIDTHS[:3]))}, "not the parameters this group was built for"),
        ({"group": mlp_group(network()).restrict("weight")}, "whole group"),
    ],
)
def test_a_bad_argument_is_refused(options, message):
    model = network()
    with pytest.raises(GaugeError, match=message):
        GaugeFixing(model, SGD(model.parameters(), lr=0.1), **options)


def test_an_optimizer_of_another_model_is_refused():
    with pytest.raises(GaugeError, match="holds none of the model's parameters"):
        GaugeFixing(network(), SGD(network().parameters(), lr=0.1))


@pytest.mark.cuda
def test_training_on_cuda_keeps_the_tolerance():
    model = network(bias=True, dtype=torch.float32).cuda()
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    fixing = GaugeFixing(model, optimizer)
    data = [(x.cuda(), y.cuda()) for x, y in batches(model.cpu(), 50)]
    train(model.cuda(), optimizer, data, fixing.step)
    assert fixing.rescalings > 1
    assert gamma(model.cpu(), mlp_group(model)) <= 1e-3
