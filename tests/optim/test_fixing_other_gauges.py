"""Gauge fixing by coefficients: which gauge is kept, what is carried, and what is refused."""

import copy
import itertools

import pytest
import torch
from torch.testing import assert_close

from gaugelib import GaugeError, GaugeFixing, mlp_group, params_of, trace_group
from gaugelib.gauges import gauss_newton_diagonal, gradient_square
from tests.balance.networks import wired
from tests.optim.problems import balanced, batches, gamma, network, train, uneven

SGD, Adam = torch.optim.SGD, torch.optim.Adam


def squares_of(model, x, y):
    """The mean squared gradient, example by example, with torch alone."""
    params = dict(model.named_parameters())
    total = {name: torch.zeros_like(value) for name, value in params.items()}
    for k in range(len(x)):
        loss = torch.nn.functional.cross_entropy(model(x[k : k + 1]), y[k : k + 1])
        for name, slope in zip(params, torch.autograd.grad(loss, list(params.values()))):
            total[name] += slope.square() / len(x)
    return {name: value.detach() for name, value in total.items()}


def uneven_by(coefficients, group, include_bias=True):
    """Largest relative imbalance of coefficients, entry by entry; units that see nothing aside."""
    into, out = [0.0] * (group.units + 1), [0.0] * (group.units + 1)
    for name, entry in group.entries.items():
        if entry.kind == "weight" or (include_bias and entry.kind == "bias"):
            value = coefficients[name]
            ends = (index.expand(value.shape).reshape(-1) for index in (entry.target, entry.source))
            for target, source, c in zip(*ends, value.reshape(-1).tolist()):
                into[target] += c
                out[source] += c
    return max(abs(i - o) / (i + o) for i, o in list(zip(into, out))[1:] if i and o)


def problem(seed=0):
    model = uneven(network((5, 9, 7, 4), bias=True, seed=seed))
    return model, *batches(model, 1)[0]


def keeper(model, x, y, optimizer, **options):
    return GaugeFixing(model, optimizer, coefficients=lambda: squares_of(model, x, y), **options)


# --- the gauge that is kept ---


@pytest.mark.parametrize("make", [lambda w: SGD(w, lr=0.1, momentum=0.9), lambda w: Adam(w, 3e-3)])
def test_the_gauge_of_the_smallest_gradient_is_kept_while_training(make):
    model, x, y = problem()
    optimizer, group = make(model.parameters()), mlp_group(model)
    fixing = keeper(model, x, y, optimizer)
    before = uneven_by(squares_of(model, x, y), group)
    for batch in batches(model, 12):
        train(model, optimizer, [batch])
        was = model(x).detach()
        fixing.step()
        assert_close(model(x), was, rtol=1e-11, atol=1e-13)
        assert uneven_by(squares_of(model, x, y), group) <= 1e-3
        assert fixing.imbalance <= 1e-3
    assert before > 0.1
    assert fixing.rescalings > 3
    assert gamma(model, group) > 0.05  # control: it is not that of the norm


def test_control_with_the_exponent_of_weights_it_is_not():
    model, x, y = problem()
    fixing = keeper(model, x, y, SGD(model.parameters(), lr=0.1), exponent=2.0)
    fixing.fix_()
    assert uneven_by(squares_of(model, x, y), mlp_group(model)) > 0.1


def test_the_library_s_own_coefficients_serve():
    model, x, y = problem()
    group = mlp_group(model)

    def outputs(theta, some):
        return torch.func.functional_call(model, theta, (some,))

    def loss(theta, k):
        return torch.nn.functional.cross_entropy(outputs(theta, x[k]), y[k])

    def gradients():
        return gradient_square(loss, dict(model.named_parameters()), torch.arange(16).split(4))

    def curvature():
        return gauss_newton_diagonal(outputs, params_of(model), x, loss="cross-entropy")

    for coefficients in (gradients, curvature):
        fixing = GaugeFixing(model, SGD(model.parameters(), lr=0.1), coefficients=coefficients)
        assert fixing.fix_()
        assert not fixing.fix_()
        assert uneven_by(coefficients(), group) <= 1e-3


def test_with_powers_of_the_weights_it_is_the_gauge_of_their_norm():
    for p in (2.0, 1.0):
        one, other = (uneven(network(bias=True)) for _ in range(2))

        def powers(model=other, p=p):
            return {n: v.detach().abs() ** p for n, v in model.named_parameters()}

        options = {"tol": 1e-6}
        GaugeFixing(one, SGD(one.parameters(), lr=0.1), p=p, **options).fix_()
        fixing = GaugeFixing(
            other,
            SGD(other.parameters(), lr=0.1),
            coefficients=powers,
            exponent=p,
            include_bias=False,
            **options,
        )
        assert fixing.fix_()
        assert_close(params_of(other), params_of(one), rtol=1e-5, atol=0)
        assert gamma(other, mlp_group(other), p) <= 1e-6


@pytest.mark.parametrize("name", ["residual", "convolutional", "tied"])
def test_models_of_any_wiring_are_kept(name):
    model, example = wired(name)
    group, before = trace_group(model, example), model(example).detach()

    def squares():
        loss = model(example).square().sum()
        slopes = torch.autograd.grad(loss, list(model.parameters()))
        return {n: s.square() for (n, _), s in zip(model.named_parameters(), slopes)}

    optimizer = SGD(model.parameters(), lr=0.1)
    fixing = GaugeFixing(model, optimizer, coefficients=squares, example=example)
    assert fixing.fix_()
    assert (model(example) - before).abs().max() < 1e-13 * before.abs().max()
    into, out = group.totals(squares())
    live = (into > 0) & (out > 0)
    assert ((into - out).abs() / (into + out))[live].max() <= 1e-3


# --- what is carried, and when it looks ---


def test_what_the_optimizer_remembers_is_carried_along():
    model, x, y = problem()
    optimizer = Adam(model.parameters(), 3e-3)
    train(model, optimizer, batches(model, 3))
    before = params_of(model)
    held = {
        n: [optimizer.state[w][k].clone() for k in ("exp_avg", "exp_avg_sq")]
        for n, w in model.named_parameters()
    }
    assert keeper(model, x, y, optimizer).fix_()
    for name, value in model.named_parameters():
        factor = value.detach() / before[name]
        first, second = held[name]
        assert_close(optimizer.state[value]["exp_avg"], first / factor, rtol=1e-9, atol=0)
        assert_close(optimizer.state[value]["exp_avg_sq"], second / factor**2, rtol=1e-9, atol=0)
    assert (model[0].weight / before["0.weight"] - 1).abs().max() > 0.01


def test_coefficients_are_asked_for_once_a_look():
    model, x, y = problem()
    optimizer, asked = SGD(model.parameters(), lr=0.05), []

    def counted():
        asked.append(torch.is_grad_enabled())
        return squares_of(model, x, y)

    fixing = GaugeFixing(model, optimizer, coefficients=counted, every=3)
    train(model, optimizer, batches(model, 9), fixing.step)
    assert asked == [True] * 3
    assert fixing.checks == 3
    assert fixing.rescalings >= 1


def test_units_that_see_nothing_keep_their_scale():
    model, x, y = problem()
    with torch.no_grad():
        model[0].bias[2] = -1e3  # never active
    before = params_of(model)
    fixing = keeper(model, x, y, SGD(model.parameters(), lr=0.1))
    assert fixing.fix_()
    assert torch.equal(model[0].weight[2], before["0.weight"][2])
    assert not torch.equal(model[0].weight[1], before["0.weight"][1])
    zeros = {name: torch.zeros_like(value) for name, value in before.items()}
    none = GaugeFixing(model, SGD(model.parameters(), lr=0.1), coefficients=lambda: zeros)
    assert not none.fix_()
    assert none.imbalance == 0.0


def test_resumed_training_is_the_same_and_the_state_is_as_it_was():
    def start():
        model, x, y = problem()
        optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
        return model, optimizer, keeper(model, x, y, optimizer, every=2)

    model, optimizer, fixing = start()
    data = batches(model, 10)
    train(model, optimizer, data[:5], fixing.step)
    state = fixing.state_dict()
    assert list(state) == ["steps", "checks", "rescalings", "imbalance"]
    again, other, fresh = start()
    again.load_state_dict(model.state_dict())
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    fresh.load_state_dict(state)
    for parts in ((model, optimizer, fixing), (again, other, fresh)):
        train(*parts[:2], data[5:], parts[2].step)
    assert_close(params_of(again), params_of(model), rtol=0, atol=0)
    assert fresh.state_dict() == fixing.state_dict()


# --- the default ---


def test_without_coefficients_nothing_is_otherwise():
    """p = 2, weights alone; said or not."""
    found = []
    for options in ({}, {"p": 2.0, "include_bias": False}, {"coefficients": None}):
        model = balanced(bias=True)
        optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
        fixing = GaugeFixing(model, optimizer, **options)
        train(model, optimizer, batches(model, 8), fixing.step)
        assert (fixing.p, fixing.include_bias) == (2.0, False)
        found.append((params_of(model), fixing.state_dict()))
    for (one, counts), (other, others) in itertools.pairwise(found):
        assert_close(one, other, rtol=0, atol=0)
        assert counts == others


# --- what is refused ---


def test_contradictory_arguments_are_refused():
    model, x, y = problem()
    optimizer = SGD(model.parameters(), lr=0.1)

    def refused(match, **options):
        with pytest.raises(GaugeError, match=match):
            GaugeFixing(model, optimizer, **options)

    refused("give p or coefficients, not both", p=2.0, coefficients=dict)
    refused("exponent belongs to coefficients", exponent=-2.0)
    refused("exponent belongs to coefficients", exponent=2.0, p=2.0)
    refused("a finite number other than 0", exponent=0.0, coefficients=dict)
    refused("a function that returns them .* found dict", coefficients=squares_of(model, x, y))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: {**c, "2.bias": -c["2.bias"]}, r"must not be negative, .* in '2\.bias'"),
        (lambda c: {**c, "2.bias": c["2.bias"] * torch.nan}, r"real number; '2\.bias' holds"),
        (lambda c: {"2.bias": c["2.bias"]}, "missing"),
        (lambda c: {**c, "2.bias": c["2.bias"][:2]}, "must have shape"),
    ],
)
def test_coefficients_that_cannot_be_balanced_are_refused_and_nothing_is_changed(change, match):
    model, x, y = problem()
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    train(model, optimizer, batches(model, 2))
    before, held = params_of(model), copy.deepcopy(optimizer.state_dict()["state"])
    fixing = GaugeFixing(
        model, optimizer, coefficients=lambda: change(squares_of(model, x, y)), tol=1e-2
    )
    with pytest.raises(GaugeError, match=match):
        fixing.step()
    assert_close(params_of(model), before, rtol=0, atol=0)
    assert_close(optimizer.state_dict()["state"], held, rtol=0, atol=0)
    assert fixing.rescalings == 0


def test_a_weight_that_is_not_finite_is_refused_though_no_coefficient_sees_it():
    model, x, y = problem()
    seen = squares_of(model, x, y)
    with torch.no_grad():
        model[2].weight[0, 0] = torch.nan
    fixing = GaugeFixing(model, SGD(model.parameters(), lr=0.1), coefficients=lambda: seen)
    with pytest.raises(GaugeError, match=r"'2\.weight' holds NaN"):
        fixing.step()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_parameters_may_be_of_few_digits(dtype):
    """The coefficients are balanced in float64; the weights follow as well as they can."""
    model, x, y = problem()
    seen, before = squares_of(model, x, y), params_of(model)
    model.to(dtype)
    fixing = GaugeFixing(model, SGD(model.parameters(), lr=0.1), coefficients=lambda: seen)
    assert fixing.fix_()
    assert fixing.imbalance <= 1e-3
    into, out = mlp_group(model).totals(seen)
    assert ((into - out).abs() / (into + out)).max() > 0.1  # they were not balanced before
    room = 4 * torch.finfo(dtype).eps
    ratio = model[0].weight.double() / before["0.weight"]
    assert_close(ratio, ratio[:, :1].expand_as(ratio), rtol=room, atol=0)
    assert all(value.dtype == dtype for value in model.parameters())
