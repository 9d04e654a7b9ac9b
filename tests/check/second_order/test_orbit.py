"""Checkers of null vectors and of the curvature along an orbit: answers, and what they are of."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from gaugelib import check, generator, hessian, laplacian, trace_group
from tests.soft.problems import loss_of, network


def zero_modes(params, group):
    return torch.linalg.matrix_rank(laplacian(params, group, include_bias=True))


def parameters(params):
    return sum(value.numel() for value in params.values())


def ends(params):
    """Inputs and outputs, of a convolutional network its channels."""
    first, *_, last = (value for value in params.values() if value.dim() > 1)
    return first.shape[1], last.shape[0]


def with_a_weight(params, group):
    return int((laplacian(params, group, include_bias=True).diagonal() > 0).sum())


def each_pixel(params, group):
    pictures = any(value.dim() == 4 for value in params.values())
    return 35 if pictures else zero_modes(params, group)


def orbit_curvature(params, slopes, group):
    return -2 * group.totals({name: params[name] * slopes[name] for name in params})[0]


def work(side, factor, kinds=("weight", "bias")):
    """A multiple of what one side of each unit, or both, give to ⟨g, w⟩."""

    def answer(params, slopes, group):
        counted = {n: float(group.entries[n].kind in kinds) * w for n, w in params.items()}
        into, out = group.totals({name: counted[name] * slopes[name] for name in params})
        return factor * {"in": into, "both": into + out}[side]

    return answer


REFERENCES = {"zero_modes": zero_modes, "orbit_curvature": orbit_curvature}
MISTAKES = {
    "zero_modes": [
        (lambda params, group: len(group.layers), "not one for each layer"),
        (lambda params, group: parameters(params), "counts parameters"),
        (lambda params, group: parameters(params) - group.units, "the zeros are asked for"),
        (lambda params, group: group.units + ends(params)[0], "come from the world"),
        (lambda params, group: group.units + ends(params)[1], "read by the world"),
        (lambda params, group: group.units + sum(ends(params)), "neither inputs nor outputs"),
        (lambda params, group: group.units, "rescaling it moves nothing"),
        (with_a_weight, "two of them are parallel"),
        (each_pixel, "all of its pixels share"),
        (lambda params, group: 2, "how many of the tangents"),
    ],
    "orbit_curvature": [
        (work("in", 0), "to first order alone"),
        (work("in", 2), "to the other side"),
        (work("in", -2, ["weight"]), "moves with it"),
        (work("in", -1), "adds as much as what flows in"),
        (work("in", 1), "half of it, and"),
        (work("both", -2), "one factor 2 is for both"),
        (work("both", 2), "twice too much, and"),
        (lambda p, g, group: -group.collect({n: x * x for n, x in g.items()}), "not by slopes"),
        (lambda p, g, group: -2 * group.totals(g)[0], "by its own"),
        (work("in", -3), "once more along v_h"),
    ],
}


def spectrum_at_a_minimum(widths, activation=nn.ReLU, dead=()):
    """Eigenvalues where a network fits its own outputs, with its parameters and its group."""
    draw = torch.Generator().manual_seed(1)
    layers = [[nn.Linear(m, n, bias=False), activation()] for m, n in pairwise(widths)]
    model = nn.Sequential(*[part for layer in layers for part in layer][:-1]).double()
    params = {n: torch.randn(p.shape, generator=draw).double() for n, p in model.named_parameters()}
    for unit in dead:
        params["0.weight"][unit] = 0.0
        params["2.weight"][:, unit] = 0.0
    x = torch.randn(300, widths[0], generator=draw).double()
    targets = torch.func.functional_call(model, params, (x,))

    def loss(theta):
        return (torch.func.functional_call(model, theta, (x,)) - targets).square().mean()

    return torch.linalg.eigvalsh(hessian(loss, params)), params, trace_group(model, x)


def zeros(values):
    return int((values.abs() < 1e-10 * values.abs().max()).sum())


@pytest.mark.parametrize("widths", [(4, 3, 1), (3, 4, 2)])
def test_that_many_eigenvalues_are_zero_at_a_minimum(widths):
    values, params, group = spectrum_at_a_minimum(widths)
    assert zeros(values) == zero_modes(params, group) == sum(widths[1:-1])


def test_with_a_second_hidden_layer_there_are_at_least_as_many():
    values, params, group = spectrum_at_a_minimum((3, 4, 4, 2))
    assert zeros(values) >= zero_modes(params, group) == 8


def test_with_a_dead_unit_there_are_more_zeros_and_fewer_of_them_by_rescaling():
    values, params, group = spectrum_at_a_minimum((4, 3, 1), dead=[1])
    assert zero_modes(params, group) == 2
    assert zeros(values) == 2 + 4 + 1  # the unit's own weights


def test_control_a_bent_activation_has_no_zero_mode():
    values, params, group = spectrum_at_a_minimum((4, 3, 1), nn.Tanh)
    assert zeros(values) == zero_modes(params, group) == 0 == group.units


def straight(loss, params, direction, h=1e-4):
    """The second difference along a straight line."""
    ahead, behind = ({n: params[n] + s * direction[n] for n in params} for s in (h, -h))
    return (loss(ahead) - 2 * loss(params) + loss(behind)) / h**2


@pytest.mark.parametrize("name", ["layered", "convolutional", "residual"])
def test_the_curvature_asked_for_is_that_of_the_straight_line_along_the_tangent(name):
    model, example, params, group = network(name)
    loss = loss_of(model, example)
    found = orbit_curvature(params, torch.func.grad(loss)(params), group)
    units = torch.eye(group.units).double()
    measured = torch.stack([straight(loss, params, generator(params, u, group)) for u in units])
    assert (found - measured).abs().max() < 1e-4 * found.abs().max()
    assert not (found + measured).abs().max() < 0.1 * found.abs().max()  # a wrong sign is seen


def test_control_a_penalty_on_the_weights_is_not_level_along_the_orbit():
    model, example, params, group = network("layered")
    plain = loss_of(model, example)

    def loss(theta):
        return plain(theta) + sum(value.square().sum() for value in theta.values())

    found = orbit_curvature(params, torch.func.grad(loss)(params), group)
    tangent = generator(params, torch.eye(group.units).double()[0], group)
    assert abs(float(found[0] - straight(loss, params, tangent))) > 0.1


def doubled(params, slopes, group):
    found = orbit_curvature(params, slopes, group)
    for value in params.values():
        value.mul_(2)
    return found


def products_in_place(params, slopes, group):
    for name in slopes:
        slopes[name] *= params[name]
    return -2 * group.totals(slopes)[0]


def emptied(params, slopes, group):
    found = orbit_curvature(params, slopes, group)
    params.clear()
    return found


@pytest.mark.parametrize("answer", [doubled, products_in_place, emptied])
def test_an_answer_that_writes_into_a_dictionary_is_told(answer):
    verdict = check.orbit_curvature(answer)
    assert not verdict
    assert "wrote into its arguments" in verdict.message
