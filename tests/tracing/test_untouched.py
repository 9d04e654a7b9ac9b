"""Tracing leaves the model, its memory, its mode and every generator as they were."""

import copy
import gc
import random

import numpy as np
import pytest
import torch
from torch import nn

from gaugelib import GaugeError, trace_group
from gaugelib.testing import assert_gauge_invariant
from tests.tracing.zoo import ZOO, build


def fingerprint(model):
    """Everything that a caller could see change."""
    tensors = {
        name: (id(value), value.data_ptr(), value._version, value.detach().clone(), value.grad)
        for name, value in (*model.named_parameters(), *model.named_buffers())
    }
    state = [(name, part.training, sorted(vars(part))) for name, part in model.named_modules()]
    return tensors, state


def generators():
    """States of the generators that models draw from."""
    legacy = np.random.get_state()  # noqa: NPY002
    return torch.get_rng_state().tolist(), random.getstate(), legacy[1].tolist()


def assert_same(before, after):
    assert before[1] == after[1]
    assert before[0].keys() == after[0].keys()
    for name, (*identity, value, grad) in before[0].items():
        *identity_now, value_now, grad_now = after[0][name]
        assert identity == identity_now, name
        assert torch.equal(value, value_now), name
        assert grad is grad_now, name


@pytest.mark.parametrize("name", ZOO)
def test_model_input_and_generators_are_untouched(name):
    model, x = build(name)
    model(x).sum().backward()
    before, x_before = fingerprint(model), (x.clone(), x._version)
    states = generators()
    group = trace_group(model, x)
    assert_gauge_invariant(model, x, group=group)
    assert_same(before, fingerprint(model))
    assert torch.equal(x, x_before[0])
    assert x._version == x_before[1]
    assert generators() == states


def test_control_the_fingerprint_sees_a_step_in_place():
    model, _ = build("mlp")
    before = fingerprint(model)
    with torch.no_grad():
        model[0].weight.mul_(1.0)
    with pytest.raises(AssertionError):
        assert_same(before, fingerprint(model))


class Fails(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Linear(3, 4), nn.BatchNorm1d(4)

    def forward(self, x):
        random.random()
        torch.rand(2)
        return self.norm(self.first(x)).kthvalue(1).values


def test_a_refusal_leaves_them_untouched_too():
    model = Fails()
    before = fingerprint(model)
    states = generators()
    with pytest.raises(GaugeError):
        trace_group(model, torch.randn(4, 3, generator=torch.Generator().manual_seed(0)))
    assert_same(before, fingerprint(model))
    assert generators() == states


def test_the_same_model_gives_the_same_group():
    model, x = build("resnet, batch norm")
    one, two = trace_group(model, x), trace_group(copy.deepcopy(model), x)
    for name, entry in one.entries.items():
        assert torch.equal(entry.target, two.entries[name].target)
        assert torch.equal(entry.source, two.entries[name].source)


def test_the_group_does_not_depend_on_the_example():
    model, x = build("u-net")
    one, two = trace_group(model, x), trace_group(model, torch.zeros(1, 1, 16, 12).double())
    assert one.layers == two.layers
    for name, entry in one.entries.items():
        assert torch.equal(entry.target, two.entries[name].target)


def test_it_works_under_a_default_dtype_device_and_inference_mode():
    model, x = build("cnn", torch.float32)
    with torch.inference_mode(), torch.device("meta"):
        group = trace_group(model, x)
    assert group.units == ZOO["cnn"].units
    assert group.entries["0.weight"].target.device.type == "cpu"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_models(dtype):
    model, x = build("mlp", dtype)
    assert trace_group(model, x).units == ZOO["mlp"].units


@pytest.mark.cuda
@pytest.mark.parametrize("name", ZOO)
def test_models_on_a_gpu(name):
    model, x = build(name)
    group = trace_group(model.cuda(), x.cuda())
    assert group.units == ZOO[name].units
    assert_gauge_invariant(model, x.cuda(), group=group, tol=1e-13)


class Plain(nn.Module):
    """Its stand-ins refer to each other, and only the collector ends them."""

    def __init__(self, keeps):
        super().__init__()
        self.weight, self.keeps, self.kept = nn.Parameter(torch.ones(2, 3)), keeps, None

    def forward(self, x):
        self.kept = x @ self.weight.T if self.keeps else None
        return torch.relu(x @ self.weight.T)


@pytest.mark.parametrize("keeps", [False, True])
def test_the_collector_of_garbage_is_as_it_was(keeps):
    model, x = Plain(keeps), torch.ones(4, 3)
    assert gc.get_freeze_count() == 0
    if keeps:
        with pytest.raises(GaugeError, match="kept"):
            trace_group(model, x)
    else:
        trace_group(model, x)
    assert gc.get_freeze_count() == 0
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        trace_group(Plain(False), x)
        assert 0.9 * frozen < gc.get_freeze_count() <= frozen  # some end, and none is let go
    finally:
        gc.unfreeze()
