"""PhasePlane: its JavaScript computes what torch and gaugelib compute; its traits refuse errors."""

import copy
import io
import json

import matplotlib.image
import pytest
import torch
import traitlets
from torch import Tensor, nn
from torch.autograd.functional import hessian, jacobian
from torch.func import functional_call

from gaugelib import GaugeError, generator, imbalance, mlp_group, rescale, weight_norm
from gaugelib.widgets import PhasePlane
from gaugelib.widgets.phase_plane import MODES
from tests.widgets.node import WIDGETS, NodeTests, evaluate

pytestmark = pytest.mark.xdist_group("phase_plane")

POINTS = 60
STATEMENTS = 9
PROBES = torch.linspace(-1.0, 1.5, 41, dtype=torch.float64)[:, None]
NAMES = ("0.weight", "2.weight")
LAYERS = (nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False))
NETWORK = nn.Sequential(*LAYERS).double().requires_grad_(False)


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    draws = torch.Generator().manual_seed(11)
    return [one_case(index, draws) for index in range(POINTS)]


def test_javascript_agrees_with_torch_to_ten_digits(cases, tmp_path):
    run(cases, tmp_path).require(at_least=POINTS + STATEMENTS)


def test_the_cases_reach_both_sides_both_signs_and_both_exponents(cases):
    seen = {(c["point"]["w"] > 0, c["point"]["v"] > 0, c["p"]) for c in cases}
    assert len(seen) == 8


@pytest.mark.parametrize(
    "what",
    ["f", "loss", "difference", "size", "gradient", "curvature", "imbalance", "tangent", "w", "v"],
)
def test_a_number_wrong_in_its_ninth_digit_is_noticed(cases, tmp_path, what):
    wrong = copy.deepcopy([c for c in cases if c["point"]["w"] > 0][:1])
    wanted, norm = wrong[0]["wanted"], weight_norm(*network_at(wrong[0]["point"])).item()
    # The inner product is zero: its digits are those of the products that cancel.
    wanted[what] += 1e-9 * (wanted["gradient"] * norm if what == "tangent" else abs(wanted[what]))
    done = run(wrong, tmp_path)
    assert not done.succeeded
    assert f"{what}: relative error" in done.output


@pytest.mark.parametrize("what", ["moved", "least", "crossing"])
def test_another_place_is_noticed(cases, tmp_path, what):
    wrong = copy.deepcopy([c for c in cases if c["crossing"]][:1])
    wrong[0][what]["w"] *= 1 + 1e-9
    assert not run(wrong, tmp_path).succeeded


def test_javascript_and_python_name_the_same_modes():
    module = (WIDGETS / "phase_plane/widget.js").as_uri()
    script = f"import {{ MODES }} from {module!r}; console.log(JSON.stringify(Object.keys(MODES)));"
    assert json.loads(evaluate(script)) == list(MODES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"mode": "moved"},
            "mode must be one of: 'orbit', 'flow', 'pairing', 'soft', 'edge'; found 'moved'",
        ),
        ({"p": 3}, "p must be 1 or 2, found 3"),
        ({"w": float("nan")}, "w must hold finite numbers, found nan"),
        ({"v": float("inf")}, "v must hold finite numbers, found inf"),
        ({"target": float("-inf")}, "target must hold finite numbers, found -inf"),
        ({"w": 0.0}, "w must not begin at 0"),
    ],
)
def test_a_bad_trait_is_refused_by_name(arguments, message):
    with pytest.raises(GaugeError, match=message) as caught:
        PhasePlane(**arguments)
    assert isinstance(caught.value, traitlets.TraitError)


def test_a_refused_trait_leaves_the_widget_as_it_was():
    widget = PhasePlane()
    for name, value in (("mode", "moved"), ("p", 0), ("w", float("nan"))):
        before = getattr(widget, name)
        with pytest.raises(GaugeError, match=name):
            setattr(widget, name, value)
        assert getattr(widget, name) == before


def test_a_network_goes_in_and_what_was_dragged_comes_out():
    for weight, value in zip(NETWORK.parameters(), (0.5, -1.5)):
        weight.fill_(value)
    widget = PhasePlane.from_model(NETWORK, target=-2.0)
    assert repr(widget) == "PhasePlane(w=0.5, v=-1.5, target=-2.0)"
    widget.w, widget.v = 1.0, -0.75
    x = PROBES
    torch.testing.assert_close(
        functional_call(NETWORK, widget.to_params(), (x,)), NETWORK(x), rtol=0, atol=0
    )
    shown = {"revealed": True, "smallest": True}
    assert widget._start == {"w": 0.5, "v": -1.5, "p": 2, **shown}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Linear(1, 1), "found Linear"),
        (nn.Sequential(LAYERS[0], nn.Tanh(), LAYERS[2]), "'Tanh'"),
        (nn.Sequential(nn.Linear(2, 1, bias=False), *LAYERS[1:]), r"'0.weight' of \(1, 2\)"),
        (nn.Sequential(nn.Linear(1, 1), *LAYERS[1:]), "found '0.bias' ="),
    ],
)
def test_another_network_is_refused_with_the_reason(model, message):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.5)
    with pytest.raises(GaugeError, match=message):
        PhasePlane.from_model(model)


@pytest.mark.parametrize("traits", [{}, {"p": 1, "v": 0.0}, {"w": -8.0, "v": 2.0, "target": -40.0}])
def test_the_still_picture_is_the_same_bytes_each_time(traits):
    first, second = (PhasePlane(**traits).still() for _ in range(2))
    assert first == second
    assert matplotlib.image.imread(io.BytesIO(first)).shape[:2] == (340, 720)


def test_the_still_picture_follows_the_traits_and_the_words_say_the_numbers():
    assert PhasePlane().still() != PhasePlane(w=1.5, v=0.8).still()
    words = PhasePlane().alt_text()
    for number in ("w v = 1.2", "(3, 0.4)", "w² + v² = 9.16", "2.4", "|w| = |v| = 1.1"):
        assert number in words


def run(cases, folder) -> NodeTests:
    fixtures = folder / "cases.json"
    fixtures.write_text(json.dumps(cases))
    return NodeTests("phase_plane/widget.test.mjs", FIXTURES=str(fixtures))


def one_case(index: int, draws: torch.Generator) -> dict:
    """A random point and what torch (by differentiation) and gaugelib say about it."""
    p = 1 + index % 2
    w, v, *start, target = torch.randn(5, generator=draws, dtype=torch.float64).mul(2).tolist()
    point, start = {"w": w, "v": v}, dict(zip("wv", start))
    params, group = network_at(point)
    scale = group.random(generator=draws)
    moved = rescale(params, scale, group)
    best = balanced(params, group, p)
    f, f0 = (functional_call(NETWORK, network_at(x)[0], (PROBES,)) for x in (point, start))
    weights = flat(params)
    slope = jacobian(lambda z: loss(z, target), weights)
    curvatures = torch.linalg.eigvalsh(hessian(lambda z: loss(z, target), weights))
    along = flat(generator(params, group.identity(), group))
    wanted = {
        "f": functional_call(NETWORK, params, (torch.ones(1, 1, dtype=torch.float64),)),
        "loss": loss(weights, target),
        "difference": (f - f0).abs().max(),
        "tangent": slope @ along,
        "w": params[NAMES[0]],
        "v": params[NAMES[1]],
        "size": weight_norm(params, group, p) ** p,
        "gradient": slope.norm(),
        "curvature": curvatures.max(),
        "imbalance": imbalance(params, group, p),
    }
    return {
        "name": f"{index}: ({w:.3g}, {v:.3g}), p = {p}",
        "point": point,
        "start": start,
        "target": target,
        "p": p,
        "wanted": {name: number.item() for name, number in wanted.items()},
        "scale": scale.item(),
        "moved": dict(zip("wv", flat(moved).tolist())),
        "least": dict(zip("wv", flat(best).tolist())),
        "crossing": crossing(point, target, p) if w > 0 and v * target > 0 else None,
    }


def network_at(point: dict[str, float]):
    params = {
        name: torch.tensor([[point[key]]], dtype=torch.float64) for name, key in zip(NAMES, "wv")
    }
    return params, mlp_group(NETWORK)


def flat(params: dict[str, Tensor]) -> Tensor:
    return torch.cat([params[name].flatten() for name in NAMES])


def loss(weights: Tensor, target: float) -> Tensor:
    params = {name: weight.reshape(1, 1) for name, weight in zip(NAMES, weights)}
    answer = functional_call(NETWORK, params, (torch.ones(1, 1, dtype=torch.float64),))
    return 0.5 * (answer - target).square().sum()


def balanced(params, group, p: int) -> dict[str, Tensor]:
    """The minimum-norm point: where incoming and outgoing norm agree, by bisection in log a."""

    def at(alpha: float) -> dict[str, Tensor]:
        return rescale(params, torch.tensor([alpha], dtype=torch.float64).exp(), group)

    low, high = -30.0, 30.0
    while (middle := (low + high) / 2) not in (low, high):
        too_much = imbalance(at(middle), group, p).item() > 0
        low, high = (low, middle) if too_much else (middle, high)
    return at(low)


def crossing(point: dict[str, float], product: float, p: int) -> dict[str, float]:
    """Where |w|^p - |v|^p = const through the point meets w v = product, by bisection."""
    charge = abs(point["w"]) ** p - abs(point["v"]) ** p
    low, high = 0.0, 1e3
    while (w := (low + high) / 2) not in (low, high):
        too_much = w**p - abs(product / w) ** p > charge
        low, high = (low, w) if too_much else (w, high)
    return {"product": product, "w": low, "v": product / low}


ASKED = {
    "orbit": ({"revealed": False, "smallest": False}, ("orbit", "smallest")),
    "flow": ({"mode": "flow", "revealed": False}, ("charge", "descent")),
    "pairing": ({"mode": "pairing", "revealed": False}, ("stays", "leaves")),
    "soft": ({"mode": "soft", "time": 0.0}, ("leads", "leaves")),
    "edge": ({"mode": "edge", "steps": 0}, ("descent", "after")),
}


@pytest.mark.parametrize("mode", ASKED)
def test_a_still_picture_does_not_answer_what_the_reader_is_asked(mode):
    hidden, answers = ASKED[mode]
    asked, told = PhasePlane(**hidden), PhasePlane(mode=mode)
    assert asked.still() != told.still()
    assert not any(word in asked.alt_text() for word in answers)
    assert all(word in told.alt_text() for word in answers)  # control
    assert 40 <= len(asked.alt_text()) <= 400
    assert repr(eval(repr(asked))) == repr(asked)
