"""ChargeMonitor: its JavaScript trains as torch does; its traits refuse what it cannot train."""

import copy
import io
import itertools
import json
from dataclasses import fields

import matplotlib.image
import pytest
import torch
import traitlets
from torch import nn
from torch.testing import assert_close

from gaugelib import GaugeError, hat
from gaugelib.widgets import ChargeMonitor
from gaugelib.widgets.charge_monitor.descent import Settings
from tests.widgets.charge_monitor.training import Training
from tests.widgets.node import NodeTests

pytestmark = pytest.mark.xdist_group("charge_monitor")

STATEMENTS = 10
KINDS = [
    dict(zip(("p", "method", "momentum", "decay", "batch"), values, strict=True))
    for values in itertools.chain(
        itertools.product((1, 2), ("descent",), (0.0, 0.6), (0.0, 0.1), (0, 3)),
        itertools.product((1, 2), ("adam",), (0.0,), (0.0, 0.1), (0, 3)),
    )
]
SHAPES = [(1, 6, 1), (2, 4, 3, 1), (2, 3, 2), (3, 2, 2, 2, 1)]


@pytest.fixture(scope="module")
def cases() -> dict:
    draws = torch.Generator().manual_seed(5)
    return {
        "cases": [one_case(k, kind, draws) for k, kind in enumerate(KINDS)],
        "opening": {name: getattr(ChargeMonitor(), name) for name in OPENING},
    }


OPENING = (
    "weights", "biases", "inputs", "targets", "until", "lr", "p", "method", "momentum", "decay",
    "batch", "random_state",
)  # fmt: skip


def test_javascript_trains_as_torch_does_to_ten_digits(cases, tmp_path):
    run(cases, tmp_path).require(at_least=len(KINDS) + STATEMENTS)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (("charges", 7, 0), "charges"),
        (("gradient", 2), "gradient"),
        (("outputs", 3), "outputs"),
        (("losses", 0), "loss"),
        (("losses", 1), "last loss"),
        (("off",), "off"),
        (("first", "measured"), "first step"),
        (("first", "formula"), "formula"),
        (("misfit",), "misfit"),
    ],
)
def test_a_number_wrong_in_its_ninth_digit_is_noticed(cases, tmp_path, place, message):
    kind = {"p": 1, "method": "descent", "momentum": 0.6, "decay": 0.1, "batch": 3}
    wrong = copy.deepcopy(cases["cases"][KINDS.index(kind)])
    *way, last = ("wanted", *place)
    inside = wrong
    for key in way:
        inside = inside[key]
    size = max(map(abs, inside)) if isinstance(inside, list) else abs(inside[last])
    if last == "misfit":  # a difference of charges
        size = max(abs(x) for charges in inside["charges"] for x in charges)
    inside[last] += 1e-9 * size
    done = run(cases | {"cases": [wrong]}, tmp_path)
    assert not done.succeeded
    assert f"{message}: relative error" in done.output


def test_python_trains_as_torch_does():
    draws = torch.Generator().manual_seed(6)
    for k, kind in enumerate(KINDS):
        widget = a_widget(k, kind, draws)
        wanted = Training(widget)
        times, charges = widget.history()
        assert_close(charges, torch.stack(wanted.charges), rtol=1e-10, atol=1e-12)
        assert_close(times[-1].item(), widget.until)
        assert_close(widget._run(widget.lr).losses, tuple(wanted.losses), rtol=1e-10, atol=0)
    _, other = widget.history(lr=widget.lr / 2)
    assert_close(other, torch.stack(Training(widget, widget.lr / 2).charges))


def test_a_run_that_runs_away_ends_there():
    widget = ChargeMonitor(lr=16.0, until=1600.0, batch=0)
    times, charges = widget.history()
    assert len(times) == len(charges) < 50
    assert "ran away" in widget.alt_text()
    assert ChargeMonitor(lr=16.0, until=1600.0, batch=0).still() == widget.still()


def test_a_model_goes_in_unchanged_and_comes_out():
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    before = copy.deepcopy(model.state_dict())
    x, y = torch.randn(9, 2), torch.randn(9, 1)
    widget = ChargeMonitor.from_model(model, x, y, until=2.0, lr=0.25, batch=0)
    for name, value in widget.to_params().items():
        assert_close(value, model.state_dict()[name].double(), rtol=0, atol=0)
        assert torch.equal(model.state_dict()[name], before[name])
    wanted = Training(widget)
    assert_close(widget.history()[1], torch.stack(wanted.charges))
    bare = nn.Sequential(nn.Linear(2, 4, bias=False), nn.ReLU(), nn.Linear(4, 1, bias=False))
    assert ChargeMonitor.from_model(bare, x, y).biases == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 3}, "p must be one of: 1, 2; found 3"),
        ({"method": "rmsprop"}, "method must be one of: 'descent', 'adam'; found 'rmsprop'"),
        ({"lr": 0.0}, "lr must make 1 to 4096 steps until t = 16, found 0"),
        ({"lr": 17.0}, "lr must make 1 to 4096 steps"),
        ({"lr": float("nan")}, "lr must hold finite numbers"),
        ({"tried": (1e-9,)}, "tried must make 1 to 4096 steps"),
        ({"until": -1.0}, "until must be positive, found -1"),
        ({"momentum": 1.0}, "momentum must be at least 0 and below 1, found 1"),
        ({"decay": -0.1}, "decay must be at least 0, found -0.1"),
        ({"batch": 13}, r"batch must lie in 0\.\.12, found 13"),
        ({"random_state": -1}, r"random_state must lie in 0\.\.4294967295, found -1"),
        ({"weights": [[[1.0]]], "biases": ()}, "at least two matrices, found 1"),
        ({"weights": [[[1.0], [1.0, 2.0]], [[1.0, 1.0]]]}, r"weights\[0\] must be a matrix"),
        ({"weights": [[[1.0]], [[1.0, 1.0]]]}, r"weights\[1\] takes 2 neurons, .* makes 1"),
        (
            {"weights": [[[1.0]], [[float("inf")]]], "biases": ()},
            "weights must hold finite numbers, found inf",
        ),
        ({"biases": [[0.0]]}, r"biases must be none or lists of \[6, 1\] numbers, found \[1\]"),
        ({"inputs": []}, "a target for each datum is needed, found 0 and 12"),
        ({"inputs": [[1.0, 2.0]] * 12}, "inputs must be lists of 1 numbers each, found 2"),
        ({"targets": [[1.0, 2.0]] * 12}, "targets must be lists of 1 numbers each, found 2"),
        (
            {"weights": [[[1.0]] * 13, [[1.0] * 13]], "biases": ()},
            "at most 12 hidden units and 4000 parameters times data .*, found 13 and 312",
        ),
    ],
)
def test_a_bad_trait_is_refused_by_name(arguments, message):
    with pytest.raises(GaugeError, match=message) as caught:
        ChargeMonitor(**arguments)
    assert isinstance(caught.value, traitlets.TraitError)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Linear(1, 1), "found Linear"),
        (nn.Sequential(nn.Linear(1, 2), nn.Tanh(), nn.Linear(2, 1)), "found Linear, Tanh, Linear"),
        (nn.Sequential(nn.Linear(1, 2), nn.ReLU()), "found Linear, ReLU"),
        (
            nn.Sequential(nn.Linear(1, 2, bias=False), nn.ReLU(), nn.Linear(2, 1)),
            r"biases must be none or lists of \[2, 1\] numbers, found \[1\]",
        ),
    ],
)
def test_another_network_is_refused_with_the_reason(model, message):
    with pytest.raises(GaugeError, match=message):
        ChargeMonitor.from_model(model, torch.zeros(3, 1), torch.zeros(3, 1))
    with pytest.raises(GaugeError, match=r"targets must have two dimensions, found \(3,\)"):
        ChargeMonitor.from_model(hat(), torch.zeros(3, 1), torch.zeros(3))


def test_it_says_what_differs_from_its_defaults():
    assert repr(ChargeMonitor()) == "ChargeMonitor()"
    assert repr(ChargeMonitor(lr=0.25, p=1)) == "ChargeMonitor(lr=0.25, p=1)"
    assert ChargeMonitor(momentum=0.5)._start["momentum"] == 0.5


@pytest.mark.parametrize("traits", [{}, {"decay": 0.1, "p": 1}, {"method": "adam"}])
def test_the_still_picture_is_the_same_bytes_each_time_and_the_words_say_its_numbers(traits):
    first, second = (ChargeMonitor(**traits).still() for _ in range(2))
    assert first == second
    assert matplotlib.image.imread(io.BytesIO(first)).shape[:2] == (340, 720)
    widget = ChargeMonitor(**traits)
    assert f"end {Training(widget).off:.2g} from the law" in widget.alt_text()
    assert widget.still() != ChargeMonitor(**traits, lr=0.25).still()


def run(cases, folder) -> NodeTests:
    fixtures = folder / "cases.json"
    fixtures.write_text(json.dumps(cases))
    return NodeTests("charge_monitor/widget.test.mjs", FIXTURES=str(fixtures))


def a_widget(index: int, kind: dict, draws: torch.Generator) -> ChargeMonitor:
    widths = SHAPES[index % len(SHAPES)]
    model = nn.Sequential(
        *[
            layer
            for m, n in itertools.pairwise(widths)
            for layer in (nn.Linear(m, n, bias=index % 3 > 0).double(), nn.ReLU())
        ][:-1]
    )
    with torch.no_grad():
        for w in model.parameters():
            w.copy_(torch.randn(w.shape, generator=draws, dtype=torch.float64))
    x, y = (
        torch.randn(7, n, generator=draws, dtype=torch.float64) for n in (widths[0], widths[-1])
    )
    lr = 0.01 if kind["method"] == "adam" else 0.02
    return ChargeMonitor.from_model(model, x, y, lr=lr, until=24 * lr, random_state=index, **kind)


def one_case(index: int, kind: dict, draws: torch.Generator) -> dict:
    """A network, data and settings, and torch's training of it."""
    widget = a_widget(index, kind, draws)
    wanted = Training(widget)
    settings = {field.name: getattr(widget, field.name) for field in fields(Settings)}
    return {
        "name": ", ".join(f"{name} = {value}" for name, value in kind.items()),
        "widths": [len(widget.weights[0][0]), *map(len, widget.weights)],
        "weights": widget.weights,
        "biases": widget.biases,
        "inputs": widget.inputs,
        "targets": widget.targets,
        "settings": settings | {"seed": settings["random_state"]},
        "wanted": {
            "losses": wanted.losses,
            "gradient": [g for slope in wanted.gradient for g in slope.flatten().tolist()],
            "outputs": wanted.outputs.flatten().tolist(),
            "charges": [charges.tolist() for charges in wanted.charges],
            "off": wanted.off,
            "first": wanted.first,
            "misfit": wanted.misfit,
        },
    }
