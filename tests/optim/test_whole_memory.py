"""What an optimizer remembers is carried with the weights as a whole, interrupted or not."""

import contextlib
import signal
from functools import partial

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gaugelib import EGD, GaugeError, GaugeFixing, minimum_norm_, mlp_group, params_of
from gaugelib.memory import uninterrupted
from gaugelib.optim import fixing as fixing_module
from tests.optim.problems import batches, gamma, network, train, uneven

SGD, Adam = torch.optim.SGD, torch.optim.Adam
X = torch.linspace(-1.0, 1.0, 36, dtype=torch.float64).view(3, 12)


@pytest.fixture(autouse=True)
def _interruptions_are_python_s():
    """As in a terminal: what runs in the background may have been started with them ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def output_of(model):
    with torch.no_grad():
        return model(X)


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
    monkeypatch.setattr(fixing_module, "scalings", lambda *a, **k: ringing(real(*a, **k)))
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
