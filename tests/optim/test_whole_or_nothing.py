"""In-place work is whole or not at all: it is known to finish before anything is written."""

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
from tests.optim.problems import network, uneven

SGD = torch.optim.SGD
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
        (True, r"1 of the 3 entries of .*'0\.bias' in this gauge become infinite: float16"),
        (
            False,
            r"1 of the 6 entries of .*'0\.weight' in this gauge become zero, which .*wider dtype",
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
    with pytest.raises(GaugeError, match=r"1 of the 3 .*'0\.bias' .* infinite: float32"):
        fixing.fix_()
    assert 1e-3 < fixing.imbalance < 0.1
    assert_close(params_of(model), before, rtol=0, atol=0)


def test_rescaling_in_a_new_dictionary_asks_for_no_memory_of_its_own():
    """Only what writes in place needs it."""
    model = whole()
    expanded(model)
    group = mlp_group(model)
    scales = group.random(generator=torch.Generator().manual_seed(0))
    output = output_of(model)
    moved = torch.func.functional_call(model, rescale(params_of(model), scales, group), (X,))
    assert_close(moved.detach(), output, rtol=1e-12, atol=1e-13)
