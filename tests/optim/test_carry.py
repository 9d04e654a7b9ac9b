"""What an optimizer remembers, carried to another gauge: gradients are covectors."""

import itertools
import math

import pytest
import torch
from torch import nn, optim
from torch.func import functional_call
from torch.testing import assert_close

from gaugelib import GaugeError, GaugeFixing, params_of
from tests.balance.newton import newton
from tests.optim.problems import batches, network, train

# Their memory is made of gradients alone; ε is tiny, for no gauge transformation moves it.
AVERAGING = {
    "momentum": lambda w, lr: optim.SGD(w, lr=lr, momentum=0.9, dampening=0.1),
    "nesterov": lambda w, lr: optim.SGD(w, lr=lr, momentum=0.9, nesterov=True),
    "adam": lambda w, lr: optim.Adam(w, lr=lr, eps=1e-30),
    "amsgrad": lambda w, lr: optim.AdamW(w, lr=lr, eps=1e-30, amsgrad=True),
    "nadam": lambda w, lr: optim.NAdam(w, lr=lr, eps=1e-30),
    "radam": lambda w, lr: optim.RAdam(w, lr=lr, eps=1e-30),
    "adamax": lambda w, lr: optim.Adamax(w, lr=lr, eps=1e-30),
    "adagrad": lambda w, lr: optim.Adagrad(w, lr=lr, eps=1e-30),
    "rmsprop": lambda w, lr: optim.RMSprop(w, lr=lr, eps=1e-30, momentum=0.9, centered=True),
}


def resting(model, make, data):
    """An optimizer that has seen gradients at one point, and did not move."""
    optimizer = make(model.parameters(), 0.0)
    train(model, optimizer, data)
    return optimizer


def tensors_of(model, optimizer):
    return {
        (name, key): entry.clone()
        for name, value in model.named_parameters()
        for key, entry in optimizer.state[value].items()
        if isinstance(entry, torch.Tensor)
    }


def factors_between(before, after):
    """By how much each entry was multiplied."""
    return {name: after[name] / before[name] for name in before}


@pytest.mark.parametrize("name", AVERAGING)
def test_memory_is_as_if_all_gradients_had_been_taken_in_this_gauge(name):
    model = network(bias=True)
    data = batches(model, 6)
    optimizer = resting(model, AVERAGING[name], data)
    unmoved = tensors_of(model, optimizer)
    assert GaugeFixing(model, optimizer).fix_()
    expected = tensors_of(model, resting(model, AVERAGING[name], data))
    found = tensors_of(model, optimizer)
    assert_close(found, expected, rtol=1e-10, atol=1e-13)
    # control: what was not carried belongs to another gauge
    shaped = [k for k, v in unmoved.items() if v.dim() and not k[1].startswith("momentum")]
    wrong = [k for k in shaped or unmoved if not torch.allclose(unmoved[k], expected[k], rtol=1e-3)]
    assert len(wrong) > len(shaped or unmoved) / 2


@pytest.mark.parametrize("power", [0, -1])
def test_momentum_acts_on_the_function_as_before(power):
    r"""⟨velocity, moved tangent⟩ is the derivative of the accumulated loss along that tangent."""
    model = network()
    before, data = params_of(model), batches(model, 4)
    optimizer = resting(model, lambda w, lr: optim.SGD(w, lr=lr, momentum=0.5), data)
    draw = torch.Generator().manual_seed(9)
    tangent = {n: torch.randn(w.shape, generator=draw).double() for n, w in before.items()}

    def accumulated(params):
        total = torch.zeros(()).double()
        for x, y in data:
            total = 0.5 * total + nn.functional.cross_entropy(functional_call(model, params, x), y)
        return total

    def paired(along):
        return sum(
            float((optimizer.state[w]["momentum_buffer"] * along[n]).sum())
            for n, w in model.named_parameters()
        )

    gradient = torch.func.grad(accumulated)(before)
    slope = sum(float((gradient[n] * tangent[n]).sum()) for n in tangent)
    assert math.isclose(paired(tangent), slope, rel_tol=1e-10)
    assert GaugeFixing(model, optimizer).fix_()
    factors = factors_between(before, params_of(model))
    # power 0: the tangent moves with the weights; control, power -1: as if it stayed where it was
    along = {n: tangent[n] * factors[n] ** (1 + power) for n in tangent}
    assert math.isclose(paired(along), slope, rel_tol=1e-10) == (power == 0)


def test_momentum_is_divided_by_the_exact_factors():
    model = network()
    optimizer = resting(model, AVERAGING["momentum"], batches(model, 3))
    held, before = tensors_of(model, optimizer), params_of(model)
    fixing = GaugeFixing(model, optimizer, tol=1e-9)
    a = newton(before, fixing._group).exp()  # the independent solver
    assert fixing.fix_()
    ends = torch.cat([torch.ones(1).double(), a]).split([1, 30, 20, 16])
    one = torch.ones(1).double()
    ends = [one.expand(12), *ends[1:], one.expand(5)]
    for number, (source, target) in enumerate(itertools.pairwise(ends)):
        key = (f"{2 * number}.weight", "momentum_buffer")
        expected = held[key] / target[:, None] * source
        assert_close(tensors_of(model, optimizer)[key], expected, rtol=1e-8, atol=0.0)


def step_of(make, model, data):
    """The next step of an optimizer that is set to move."""
    before = params_of(model)
    train(model, make, data)
    return {name: w - before[name] for name, w in params_of(model).items()}


def steps_in_two_gauges(make):
    """The next step in the old gauge, the next step in the new one, and the factors between."""
    found = []
    for fix in (False, True):
        model = network()
        data = batches(model, 5)
        optimizer = make(model.parameters())
        train(model, optimizer, data[:4])
        for kept in optimizer.state.values():
            if "acc_delta" in kept:  # it begins at ε, which no gauge transformation moves
                kept["acc_delta"].fill_(1e-6)
        before = params_of(model)
        if fix:
            assert GaugeFixing(model, optimizer).fix_()
            found.append(factors_between(before, params_of(model)))
        found.append(step_of(optimizer, model, data[4:]))
    return found[0], found[2], found[1]


def agree(a, b, rtol=1e-7):
    return all(torch.allclose(a[n], b[n], rtol=rtol, atol=1e-17) for n in a)


@pytest.mark.parametrize(
    "make",
    [
        lambda w: optim.Adam(w, lr=1e-3, eps=1e-30),
        lambda w: optim.RMSprop(w, lr=1e-3, eps=1e-30, momentum=0.5),
        lambda w: optim.Adagrad(w, lr=1e-3, eps=1e-30),
    ],
)
def test_steps_of_adam_stay_the_same_entry_by_entry_while_weights_do_not(make):
    old, new, factors = steps_in_two_gauges(make)
    assert agree(new, old)
    assert not agree(new, {n: factors[n] * old[n] for n in old})  # what a covariant step would be


def test_steps_of_gradient_descent_shrink_where_weights_grow():
    old, new, factors = steps_in_two_gauges(lambda w: optim.SGD(w, lr=1e-3, momentum=0.9))
    assert agree(new, {n: old[n] / factors[n] for n in old})
    assert not agree(new, old)  # control


@pytest.mark.parametrize(
    "make",
    [
        lambda w: optim.Adadelta(w, lr=1.0, eps=1e-30),
        lambda w: optim.Rprop(w, lr=1e-4, step_sizes=(0.0, 50)),
    ],
)
def test_optimizers_that_remember_their_steps_are_covariant(make):
    old, new, factors = steps_in_two_gauges(make)
    assert agree(new, {n: factors[n] * old[n] for n in old})
    assert not agree(new, old)  # control


def test_an_average_of_the_weights_moves_with_them():
    model = network()
    optimizer = resting(model, lambda w, lr: optim.ASGD(w, lr=lr, t0=1.0), batches(model, 4))
    assert GaugeFixing(model, optimizer).fix_()
    for value in model.parameters():
        assert_close(optimizer.state[value]["ax"], value.detach(), rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_memory_keeps_its_tensors_and_dtype(dtype):
    model = network(dtype=dtype)
    optimizer = resting(model, AVERAGING["adam"], batches(model, 2))
    held = [entry for state in optimizer.state.values() for entry in state.values()]
    assert GaugeFixing(model, optimizer).fix_()
    again = [entry for state in optimizer.state.values() for entry in state.values()]
    assert all(a is b for a, b in zip(held, again, strict=True))
    assert {entry.dtype for entry in again if entry.dim()} == {dtype}


# --- what is not known ---


class Odd(optim.Optimizer):
    """Keeps something under a name of its own."""

    def __init__(self, params, kept):
        super().__init__(params, {})
        for value in self.param_groups[0]["params"]:
            self.state[value] = {"count": 3, "label": "x", "none": None, "lookahead": kept(value)}

    def step(self, closure=None):
        """Does nothing."""


def test_unknown_memory_is_refused_by_name_and_nothing_changes():
    model = network()
    before = params_of(model)
    optimizer = Odd(model.parameters(), torch.clone)
    fixing = GaugeFixing(model, optimizer)
    with pytest.raises(GaugeError, match=r"Odd keeps 'lookahead' for '0\.weight', .*state=\{"):
        fixing.step()
    assert_close(params_of(model), before, rtol=0, atol=0)
    for degree in (1, -1, 0):
        model = network()
        optimizer = Odd(model.parameters(), torch.clone)
        assert GaugeFixing(model, optimizer, state={"lookahead": degree}).step()
        factors = factors_between(before, params_of(model))
        for name, value in model.named_parameters():
            found = optimizer.state[value]["lookahead"] / before[name]
            assert_close(found, factors[name] ** -degree, rtol=1e-10, atol=0.0)


def test_memory_of_another_shape_is_refused():
    model = network()
    optimizer = Odd(model.parameters(), lambda value: value.sum(1))
    with pytest.raises(GaugeError, match=r"found \(30,\): it is not of the shape \(30, 12\)"):
        GaugeFixing(model, optimizer, state={"lookahead": 1}).step()
    assert GaugeFixing(model, optimizer, state={"lookahead": 0}).step()


def test_quasi_newton_memory_is_refused_by_name():
    model = network()
    x, y = batches(model, 1)[0]
    optimizer = optim.LBFGS(model.parameters(), lr=0.1, max_iter=3)

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        return loss

    optimizer.step(closure)
    with pytest.raises(GaugeError, match=r"LBFGS keeps '\w+' for '0\.weight'"):
        GaugeFixing(model, optimizer).step()
