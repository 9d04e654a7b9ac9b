"""SharpnessAlongOrbit: its JavaScript and its Python find what torch's autograd finds."""

import copy
import json

import pytest
import torch
import traitlets
from torch import nn
from torch.testing import assert_close

from gaugelib import GaugeError, hat, minimum_norm, params_of
from gaugelib.widgets import SharpnessAlongOrbit
from tests.widgets.node import NodeTests
from tests.widgets.sharpness_along_orbit.second_order import ORDER, SecondOrder, flat, oracle

pytestmark = pytest.mark.xdist_group("sharpness_along_orbit")

NETWORKS, STATEMENTS = 12, 12
OPENING = (
    "w_in", "b_in", "w_out", "b_out", "inputs", "targets", "log2_scales", "point", "decay", "unit",
    "_minima",
)  # fmt: skip
STEPS, TANGENT = [-2.0, -0.5, 0.0, 1.0, 3.0], [-0.9, -0.3, 0.0, 0.5, 0.9]
GAUGES = [[0.0, 0.0, 0.0], [1.0, -2.0, 0.5], [3.0, 3.0, -3.0]]
POINTS = [
    {"point": "minimum", "decay": 0.0},
    {"point": "minimum", "decay": 0.004},
    {"point": "away", "decay": 0.0},
    {"point": "away", "decay": 0.008},
]


def network(units: int, draws: torch.Generator) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(1, units), nn.ReLU(), nn.Linear(units, 1)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draws, dtype=torch.float64))
    return model


def one_case(index: int, draws: torch.Generator) -> dict:
    """A network, data and a gauge, and what torch says of them."""
    units = 1 + index % 4
    origin = params_of(network(units, draws))
    x, y = torch.randn(2, 9, generator=draws, dtype=torch.float64)
    dials = (6 * torch.rand(units, generator=draws, dtype=torch.float64) - 3).tolist()
    decay, unit = [0.0, 0.01, 0.3][index % 3], index % units
    wanted = SecondOrder(origin, x, y, dials, decay)
    moves = [[d + s * (h == unit) for h, d in enumerate(dials)] for s in STEPS]
    orbit = [wanted.at(move) for move in moves]
    values = wanted.values()
    least = minimum_norm(origin, wanted.group, tol=1e-12, include_bias=True)
    return {
        "name": f"{units} hidden units, λ = {decay}, network {index}",
        "theta": flat(origin).tolist(),
        "log2_scales": dials,
        "decay": decay,
        "unit": unit,
        "data": {"x": x.tolist(), "y": y.tolist()},
        "steps": STEPS,
        "tangent": TANGENT,
        "wanted": {
            "gradient": flat(wanted.gradient()).tolist(),
            "hessian": wanted.matrix(penalised=False).tolist(),
            "values": values.tolist(),
            "trace": float(wanted.matrix().trace()),
            "top": float(values[0]),
            "curvature": wanted.curvature(),
            "formula": wanted.formula(),
            "loss": float(wanted.loss(wanted.params)),
            "penalised": float(wanted.penalised(wanted.params)),
            "slope": wanted.slope(),
            "generator": flat(wanted.tangent(unit)).tolist(),
            "balancing": least.scales.tolist(),
            "orbit": [float(wanted.loss(params)) for params in orbit],
            "bowl": [float(wanted.penalised(params)) for params in orbit],
            "line": wanted.line(unit, TANGENT),
        },
    }


@pytest.fixture(scope="module")
def cases() -> dict:
    draws = torch.Generator().manual_seed(14)
    return {
        "cases": [one_case(index, draws) for index in range(NETWORKS)],
        "opening": {name: getattr(SharpnessAlongOrbit(), name) for name in OPENING},
    }


def run(cases: dict, folder) -> NodeTests:
    file = folder / "cases.json"
    file.write_text(json.dumps(cases))
    return NodeTests("sharpness_along_orbit/widget.test.mjs", FIXTURES=str(file))


def test_javascript_differentiates_as_torch_does_to_ten_digits(cases, tmp_path):
    run(cases, tmp_path).require(at_least=NETWORKS + STATEMENTS)


@pytest.mark.parametrize(
    "what",
    [
        "gradient", "hessian", "values", "trace", "top", "curvature", "formula", "loss",
        "penalised", "slope", "generator", "balancing", "orbit", "bowl", "line",
    ],
)  # fmt: skip
def test_a_number_wrong_in_its_ninth_digit_is_noticed(cases, tmp_path, what):
    wrong = copy.deepcopy(cases["cases"][2])
    inside = {"it": wrong["wanted"][what]}
    numbers, last = inside, "it"
    while isinstance(numbers[last], list):
        numbers = numbers[last]
        sizes = [torch.tensor(each).abs().max().item() for each in numbers]
        last = sizes.index(max(sizes))
    numbers[last] *= 1 + 1e-9
    wrong["wanted"][what] = inside["it"]
    done = run(cases | {"cases": [wrong]}, tmp_path)
    assert not done.succeeded
    assert f"{what}: relative error" in done.output


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("gauge", GAUGES)
def test_python_finds_the_same_spectrum_and_parameters(point, gauge):
    widget = SharpnessAlongOrbit(log2_scales=gauge, **point)
    wanted = oracle(widget)
    found = widget.spectrum()
    assert_close(found, wanted.values(), rtol=0, atol=1e-10 * float(found[0]))
    params = widget.to_params()
    assert list(params) == list(ORDER)
    for name, value in wanted.params.items():
        assert_close(params[name], value, rtol=1e-14, atol=0)


def test_its_points_are_minima_of_the_penalised_loss_where_the_zeros_stand_at_twice_the_decay():
    for decay in SharpnessAlongOrbit().decays:
        wanted = oracle(SharpnessAlongOrbit(decay=decay))
        values = wanted.values()
        assert wanted.slope() <= 1e-12
        assert float(values[-1]) > (0 if decay else -1e-12)
        near = (values - 2 * decay).abs() <= 1e-12 * values[0]
        assert int(near.sum()) == 3
        hidden = wanted.x * wanted.params["0.weight"].T + wanted.params["0.bias"]
        assert bool((hidden > 0).any(0).all())  # no unit has died
        assert float(hidden.abs().min()) > 1e-3  # and no datum lies on a kink


def test_control_the_given_network_is_no_critical_point_and_has_no_zeros():
    for decay in (0.0, 0.004):
        wanted = oracle(SharpnessAlongOrbit(point="away", decay=decay))
        assert wanted.slope() > 0.1
        assert float((wanted.values() - 2 * decay).abs().min()) > 1e-4


def test_control_a_tanh_network_has_no_zeros_at_its_minimum_and_moves_along_the_orbit():
    wanted = oracle(SharpnessAlongOrbit())
    wanted.model[1] = nn.Tanh()
    assert abs(float(wanted.loss(wanted.at([1.0, 0.0, 0.0])) - wanted.loss(wanted.params))) > 0.01


def test_a_model_goes_in_unchanged_and_its_own_minimum_is_found():
    x = torch.linspace(-0.8, 2.9, 9, dtype=torch.float64)[:, None]
    model, before = hat(), params_of(hat())
    widget = SharpnessAlongOrbit.from_model(model, x, (-((x - 1) ** 2)).exp(), decay=0.002)
    for name, value in params_of(model).items():
        assert torch.equal(value, before[name])
    away = SharpnessAlongOrbit.from_model(model, x, (-((x - 1) ** 2)).exp(), point="away")
    for name, value in away.to_params().items():
        assert torch.equal(value, before[name])
    values = widget.spectrum()
    assert int(((values - 0.004).abs() <= 1e-10 * values[0]).sum()) == 3
    assert oracle(widget).slope() <= 1e-12


def test_the_decay_goes_as_far_as_all_units_live():
    x = torch.linspace(-0.8, 2.9, 9, dtype=torch.float64)[:, None]
    widget = SharpnessAlongOrbit.from_model(hat(), x, (x - 1).abs())
    assert widget.decays == widget._minima["decays"] == [0.0]
    with pytest.raises(GaugeError, match=r"decay must be one of: 0\.0; found 0\.004"):
        widget.decay = 0.004


def test_another_network_brings_its_own_minima():
    widget = SharpnessAlongOrbit(decay=0.002, unit=3)
    before = widget._minima
    with widget.hold_trait_notifications():
        widget.w_in, widget.b_in, widget.w_out = [-1.5, 1.0], [-0.5, -0.6], [1.2, 1.6]
        widget.log2_scales = [0.0, 0.0]
    assert widget._minima != before
    assert len(widget._minima["points"][0]) == 7
    assert widget.unit == 2
    assert int((widget.spectrum() - 2 * widget.decay).abs().lt(1e-9).sum()) >= 2


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        ({"w_in": [1.0]}, "must be of one length, found 1 in w_in, 3 in b_in"),
        ({"targets": [1.0]}, "inputs and targets must be of one length, found 16 in inputs, 1 in"),
        ({"w_out": [1.0, float("inf"), 1.0]}, "w_out must hold finite numbers, found inf"),
        ({"b_out": float("nan")}, "b_out must hold finite numbers, found nan"),
        (
            {name: [1.0] * 5 for name in ("w_in", "b_in", "w_out")},
            "w_in must hold 1 to 4 numbers, found 5",
        ),
        (
            {"inputs": list(range(65)), "targets": [0.0] * 65},
            "inputs must hold 2 to 64 numbers, found 65",
        ),
        ({"inputs": [0.2] * 3, "targets": [1.0] * 3}, "inputs must hold two different numbers"),
        ({"log2_scales": [0.0, 12.5, 0.0]}, "log2_scales must lie within ±12, found"),
        ({"w_out": [0.8, 0.0, 1.6]}, "the given network cannot be shown: unit 2 is dead"),
        ({"w_in": [-1.7, -1.2, -0.2]}, "the given network cannot be shown: unit 3 is dead"),
        ({"b_in": [-1.7 * 0.5, 0.0, -0.6]}, "a datum lies on a kink"),
        (
            {"inputs": [-1.0, 1.0], "targets": [1.0, -1.0], "w_out": [-1.0, -1.0, 1.0]},
            "no minimum of the loss was found from this network: ",
        ),
        ({"point": "saddle"}, "point must be one of: 'minimum', 'away'; found 'saddle'"),
        ({"decay": 0.003}, "decay must be one of: 0.0, 0.0005, .* found 0.003"),
        ({"unit": 4}, r"unit must lie in 1\.\.3, found 4"),
        ({"unit": 0}, r"unit must lie in 1\.\.3, found 0"),
        ({"random_state": -1}, r"random_state must lie in 0\.\.4294967295, found -1"),
    ],
)
def test_a_bad_trait_is_refused_by_name(traits, reason):
    with pytest.raises(GaugeError, match=reason) as caught:
        SharpnessAlongOrbit(**traits)
    assert isinstance(caught.value, traitlets.TraitError)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (nn.Linear(1, 1), "found Linear"),
        (nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1)), "found Linear, Tanh, Linear"),
        (nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), r"found widths \[2, 3, 1\]"),
        (nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(3, 2)), r"found widths \[1, 3, 2\]"),
        (
            nn.Sequential(nn.Linear(1, 3, bias=False), nn.ReLU(), nn.Linear(3, 1)),
            "whose layers both have biases",
        ),
    ],
)
def test_another_network_is_refused_with_the_reason(model, reason):
    with pytest.raises(GaugeError, match=reason):
        SharpnessAlongOrbit.from_model(model, torch.zeros(3, 1), torch.zeros(3, 1))
    with pytest.raises(GaugeError, match=r"targets must have the shape \(n, 1\), found \(3,\)"):
        SharpnessAlongOrbit.from_model(hat(), torch.zeros(3, 1), torch.zeros(3))


def test_a_refused_assignment_leaves_the_widget_as_it_was():
    widget = SharpnessAlongOrbit()
    shipped = widget._minima
    for name, value in (("w_in", [1.0]), ("decay", 1.0), ("w_out", [0.0, 1.0, 1.0])):
        before = getattr(widget, name)
        with pytest.raises(GaugeError):
            setattr(widget, name, value)
        assert getattr(widget, name) == before
    assert widget._minima == shipped


def test_what_the_page_writes_is_read_back_and_reset_is_known():
    widget = SharpnessAlongOrbit(decay=0.001, log2_scales=[1.0, 0.0, 0.0])
    widget.set_state({"log2_scales": [0.25, 0.5, -3], "point": "away", "decay": 0.008, "unit": 2})
    assert widget.scales.tolist() == [2**0.25, 2**0.5, 0.125]
    assert (widget.point, widget.decay, widget.unit) == ("away", 0.008, 2)
    assert widget._start == {
        "log2_scales": [1.0, 0.0, 0.0],
        "point": "minimum",
        "decay": 0.001,
        "unit": 1,
        "random_state": 1,
    }


def test_its_still_picture_follows_its_state_and_the_words_say_its_numbers():
    told = {
        "at a minimum": SharpnessAlongOrbit(),
        "with decay": SharpnessAlongOrbit(decay=0.004),
        "away": SharpnessAlongOrbit(point="away", log2_scales=[1.0, 0.0, -0.5]),
    }
    assert len({widget.still() for widget in told.values()}) == 3
    words = {name: widget.alt_text() for name, widget in told.items()}
    assert "10 bars from 0 to 4.88, 3 of them marked at zero" in words["at a minimum"]
    assert "3 of them marked at 2λ = 0.008" in words["with decay"]
    assert "none of them" in words["away"]
    curved = oracle(told["away"]).curvature()
    assert ", ".join(f"{value:.2g}" for value in curved) in words["away"]
