"""In-place work is whole or not at all: it is known to finish before anything is written."""

import contextlib
import signal
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gaugelib import (
    EGD,
    GaugeError,
    GaugeFixing,
    load_params_,
    minimum_norm,
    minimum_norm_,
    mlp_group,
    params_of,
    rescale,
)
from gaugelib.memory import uninterrupted
from gaugelib.optim import fixing as fixing_module
from tests.optim.problems import batches, gamma, network, train, uneven

SGD, Adam = torch.optim.SGD, torch.optim.Adam
X = torch.linspace(-1.0, 1.0, 36, dtype=torch.float64).view(3, 12)


def whole():
    return uneven(network(bias=True))


def output_of(model):
    with torch.no_grad():
        return model(X)


def expanded(model):
    model[4].bias.data = torch.ones(1, dtype=torch.float64).expand(16)


def windows(model):
    model[6].weight.data = torch.ones(20, dtype=torch.float64).as_strided((5, 16), (1, 1))


def inference(model):
    with torch.inference_mode():
        model[6].weight = nn.Parameter(torch.ones(5, 16, dtype=torch.float64))


def sharing(model):
    store = torch.linspace(-1.0, 1.0, 340, dtype=torch.float64)
    model[4].weight.data, model[4].bias.data = store[:320].view(16, 20), store[310:326]


UNWRITABLE = {
    expanded: r"parameter '4\.bias' cannot be written in place: several .*replace it by its clone",
    windows: r"parameter '6\.weight' cannot be written in place: several",
    inference: r"parameter '6\.weight' .*inference_mode; replace it by a clone",
    sharing: r"parameter '4\.weight' and parameter '4\.bias' share memory",
}


def write_minimum(model):
    minimum_norm_(model, mlp_group(whole()))


def write_fixing(model):
    GaugeFixing(model, SGD(model.parameters(), lr=0.1), mlp_group(whole())).fix_()


def write_loaded(model):
    load_params_(model, {name: value + 1.0 for name, value in params_of(model).items()})


def write_egd(model):
    for value in model.parameters():
        value.grad = torch.ones(value.shape, dtype=value.dtype)
    EGD(model.parameters(), lr=0.1).step()


WRITERS = [write_minimum, write_fixing, write_loaded, write_egd]


@pytest.mark.parametrize("write", WRITERS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("spoil", UNWRITABLE, ids=lambda f: f.__name__)
def test_what_cannot_be_written_is_refused_before_anything_is(spoil, write):
    model = whole()
    spoil(model)
    before, output = params_of(model), output_of(model)
    message = UNWRITABLE[spoil]
    if write is write_egd:  # an optimizer does not know names
        message = r"parameter \d, of shape .*(cannot be written in place|share memory)"
    with pytest.raises(GaugeError, match=message):
        write(model)
    assert_close(params_of(model), before, rtol=0, atol=0)
    assert torch.equal(output_of(model), output)


@pytest.mark.parametrize("write", WRITERS, ids=lambda f: f.__name__)
def test_control_what_can_be_written_is(write):
    model, before = whole(), params_of(whole())
    write(model)
    moved = [n for n, value in model.named_parameters() if not torch.equal(value, before[n])]
    assert set(before) - {"6.bias"} <= set(moved)  # no gauge moves the outputs


def test_control_parameters_written_one_after_the_other_end_half_way():
    """What was done before: it moves the function."""
    model = whole()
    expanded(model)
    output = output_of(model)
    found = minimum_norm(params_of(model), mlp_group(model))
    own = {name: value.detach() for name, value in model.named_parameters()}
    with pytest.raises(RuntimeError, match="single memory location"):
        [own[name].copy_(value) for name, value in found.params.items()]
    assert (output_of(model) - output).abs().max() > 0.1 * output.abs().max()


def test_memory_that_becomes_odd_while_training_is_refused_too():
    model = whole()
    fixing = GaugeFixing(model, SGD(model.parameters(), lr=0.1))
    expanded(model)
    before = params_of(model)
    with pytest.raises(GaugeError, match=r"'4\.bias' cannot be written in place"):
        fixing.step()
    assert_close(params_of(model), before, rtol=0, atol=0)


def test_memory_of_numpy_is_written():
    """What numpy calls read-only torch does not know: this it cannot refuse."""
    model = whole()
    array = model[0].weight.detach().numpy().copy()
    model[0].weight.data = torch.from_numpy(array)
    output = output_of(model)
    minimum_norm_(model)
    assert_close(output_of(model), output, rtol=1e-12, atol=1e-13)
    assert np.array_equal(array, model[0].weight.detach().numpy())


# --- loading ---


def test_parameters_that_swap_are_both_read_before_either_is_written():
    model = network((4, 4, 4, 4))
    first, last = model[0].weight.detach().clone(), model[4].weight.detach().clone()
    own = {name: value.detach() for name, value in model.named_parameters()}
    load_params_(model, {**own, "0.weight": own["4.weight"], "4.weight": own["0.weight"]})
    assert torch.equal(model[0].weight, last)
    assert torch.equal(model[4].weight, first)
    load_params_(model, {**own, "0.weight": own["0.weight"].T})  # overlaps what it is written to
    assert torch.equal(model[0].weight, last.T)


@pytest.mark.parametrize("bad", [lambda v: v.to("meta"), lambda v: v.to_sparse()])
def test_values_that_are_none_are_refused_before_anything_is_written(bad):
    model = whole()
    before = params_of(model)
    new = {name: value + 1.0 for name, value in before.items()}
    with pytest.raises(GaugeError, match=r"'6\.weight' is on the meta device or sparse"):
        load_params_(model, new | {"6.weight": bad(new["6.weight"])})
    assert_close(params_of(model), before, rtol=0, atol=0)


# --- what a dtype cannot hold ---


def half(*, overflows):
    """float16: the first unit is to grow, and so its bias; or to shrink, and a small weight."""
    model = network((2, 3, 2), bias=True, dtype=torch.float16)
    with torch.no_grad():
        if overflows:
            model[0].weight[0].mul_(0.001)
            model[2].weight[:, 0].mul_(1000.0)
            model[0].bias[0] = 200.0
        else:
            model[0].weight[0] = torch.tensor([1000.0, 1e-7])
            model[2].weight[:, 0].mul_(0.01)
    return model


@pytest.mark.parametrize(
    ("overflows", "message"),
    [
        (True, r"'0\.bias' in this gauge .* torch\.float16: 1 of 3 entries would become infinite"),
        (
            False,
            r"'0\.weight' in this gauge .*: 1 of 6 entries would become 0, which .*wider dtype",
        ),
    ],
)
def test_what_a_dtype_cannot_hold_is_refused_before_anything_is_written(overflows, message):
    model = half(overflows=overflows)
    before = params_of(model)
    fixing = GaugeFixing(model, SGD(model.parameters(), lr=0.1))
    for write in (partial(minimum_norm_, model), fixing.fix_):
        with pytest.raises(GaugeError, match=message):
            write()
        assert_close(params_of(model), before, rtol=0, atol=0)
    with pytest.raises(GaugeError, match=message):
        minimum_norm(before, mlp_group(model))
    # control: as the message says, a wider dtype holds it, and the function stays
    wide, x = model.double(), torch.linspace(-1.0, 1.0, 8, dtype=torch.float64).view(4, 2)
    output = wide(x).detach()
    found = minimum_norm_(wide)
    assert found.converged
    assert_close(wide(x).detach(), output, rtol=1e-12, atol=1e-12)
    narrow = [value.half() for value in found.params.values()]
    spoiled = [bool(value.isinf().any()) for value in narrow]
    lost = [bool(((v == 0) & (w != 0)).any()) for v, w in zip(narrow, found.params.values())]
    assert (any(spoiled), any(lost)) == (overflows, not overflows)


@pytest.mark.parametrize("bias", [1.0, 3.4e38])
def test_a_small_step_that_a_dtype_cannot_hold_is_refused_too(bias):
    """Near balance no solver runs: the weights themselves are multiplied."""
    model = network((2, 3, 2), bias=True, dtype=torch.float32)
    minimum_norm_(model, tol=1e-6)
    with torch.no_grad():
        model[0].bias[0] = bias
        model[2].weight[:, 0].mul_(1.05)
    before = params_of(model)
    fixing = GaugeFixing(model, SGD(model.parameters(), lr=0.1))
    if bias == 1.0:  # control
        assert fixing.fix_()
        return
    with pytest.raises(GaugeError, match=r"'0\.bias' .* torch\.float32: 1 of 3 .* infinite"):
        fixing.fix_()
    assert 1e-3 < fixing.imbalance < 0.1
    assert_close(params_of(model), before, rtol=0, atol=0)


# --- what the optimizer remembers ---


def remembering(make=lambda w: SGD(w, lr=0.0, momentum=0.9)):
    model = uneven(network(bias=True))
    optimizer = make(model.parameters())
    train(model, optimizer, batches(model, 2))
    return model, optimizer


def memory_of(optimizer):
    return {
        (number, key): entry.clone()
        for number, state in enumerate(optimizer.state.values())
        for key, entry in state.items()
        if isinstance(entry, torch.Tensor)
    }


ODD = {
    "sparse": (lambda v, b: b.to_sparse(), r"'momentum_buffer' of '4\.bias' cannot.*to_dense"),
    "expanded": (lambda v, b: b[:1].expand(16), r"'momentum_buffer' of '4\.bias' cannot.*several"),
    "whole numbers": (lambda v, b: b.long(), r"'4\.bias', of torch.int64 on cpu"),
    "elsewhere": (
        lambda v, b: b.to("meta"),
        r"'4\.bias', of torch.float64 on meta, while the .*cpu",
    ),
    "the weight": (lambda v, b: v.detach(), r"'4\.bias' lies in the memory of parameter '4\.bias'"),
}


@pytest.mark.parametrize("kind", ODD)
def test_memory_that_cannot_be_carried_is_refused_before_anything_is_written(kind):
    spoil, message = ODD[kind]
    model, optimizer = remembering()
    state = optimizer.state[model[4].bias]
    state["momentum_buffer"] = spoil(model[4].bias, state["momentum_buffer"])
    before, kept = params_of(model), memory_of(optimizer)
    fixing = GaugeFixing(model, optimizer)
    with pytest.raises(GaugeError, match=message):
        fixing.fix_()
    assert_close(params_of(model), before, rtol=0, atol=0)
    if kind != "elsewhere":
        for key, entry in memory_of(optimizer).items():
            assert torch.equal(entry.to_dense(), kept[key].to_dense())


def test_memory_that_would_overflow_is_refused_and_what_vanishes_is_not():
    model, optimizer = remembering(lambda w: Adam(w, lr=0.0))
    model.float()
    for state in optimizer.state.values():
        for key in ("exp_avg", "exp_avg_sq"):
            state[key] = torch.full_like(state[key], 1e-45, dtype=torch.float32)
    squares = optimizer.state[model[2].weight]["exp_avg_sq"]
    squares.fill_(3e38)
    before, kept = params_of(model), memory_of(optimizer)
    fixing = GaugeFixing(model, optimizer)
    with pytest.raises(GaugeError, match=r"Adam's 'exp_avg_sq' of '2\.weight' .* become infinite"):
        fixing.fix_()
    assert_close(params_of(model), before, rtol=0, atol=0)
    assert_close(memory_of(optimizer), kept, rtol=0, atol=0)
    squares.fill_(1e-45)
    assert fixing.fix_()  # squares of gradients that small are 0 in that gauge
    assert gamma(model, mlp_group(model)) <= 1e-3


# --- sparse gradients, interruptions ---


def test_a_sparse_gradient_is_refused_before_any_parameter_moves():
    weights = [nn.Parameter(torch.ones(3)) for _ in range(2)]
    weights[0].grad, weights[1].grad = torch.ones(3), torch.ones(3).to_sparse()
    with pytest.raises(GaugeError, match=r"sparse.*No parameter was changed"):
        EGD(weights).step()
    assert all(torch.equal(w, torch.ones(3)) for w in weights)


def ringing(made):
    """The first of some writes, the interrupt key, and the others."""
    first, *others = made
    yield first
    yield partial(signal.raise_signal, signal.SIGINT)
    yield from others


def pairing(model, optimizer):
    """A vector times a covector: no gauge transformation changes it."""
    return {
        name: value.detach() * optimizer.state[value]["momentum_buffer"]
        for name, value in model.named_parameters()
    }


def interrupted(monkeypatch):
    """A model near balance that was interrupted while its weights were rescaled."""
    model, optimizer = remembering()
    minimum_norm_(model, tol=1e-6)
    uneven(model, log_std=0.005)
    output, before = output_of(model), pairing(model, optimizer)
    real = fixing_module.scalings
    monkeypatch.setattr(fixing_module, "scalings", lambda *args: ringing(real(*args)))
    fixing = GaugeFixing(model, optimizer)
    with pytest.raises(KeyboardInterrupt):
        fixing.fix_()
    return model, optimizer, output, before


def test_an_interruption_waits_until_all_is_written(monkeypatch):
    model, optimizer, output, before = interrupted(monkeypatch)
    assert_close(output_of(model), output, rtol=1e-12, atol=1e-13)
    assert_close(pairing(model, optimizer), before, rtol=1e-12, atol=0.0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_control_without_waiting_half_is_written(monkeypatch):
    monkeypatch.setattr(fixing_module, "uninterrupted", contextlib.nullcontext)
    model, optimizer, output, before = interrupted(monkeypatch)
    assert (output_of(model) - output).abs().max() > 1e-3 * output.abs().max()
    after = pairing(model, optimizer)
    assert any((after[name] / before[name] - 1.0).abs().max() > 1e-3 for name in after)


def test_an_interruption_inside_is_not_lost_and_an_error_passes():
    seen = []

    @uninterrupted()
    def act():
        signal.raise_signal(signal.SIGINT)
        seen.append("the end")

    @uninterrupted()
    def fail():
        raise ValueError("own")

    with pytest.raises(KeyboardInterrupt):
        act()
    assert seen == ["the end"]
    with pytest.raises(ValueError, match="own"):
        fail()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_rescaling_in_a_new_dictionary_asks_for_no_memory_of_its_own():
    """Only what writes in place needs it."""
    model = whole()
    expanded(model)
    group = mlp_group(model)
    scales = group.random(generator=torch.Generator().manual_seed(0))
    output = output_of(model)
    moved = torch.func.functional_call(model, rescale(params_of(model), scales, group), (X,))
    assert_close(moved.detach(), output, rtol=1e-12, atol=1e-13)
