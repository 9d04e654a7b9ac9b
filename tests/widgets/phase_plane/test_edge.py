"""PhasePlane's mode "edge": its steps are torch's, its sharpness and its map are gaugelib's."""

import copy
import functools
import io
import json
import math

import matplotlib.image
import pytest
import torch
from matplotlib.figure import Figure

from gaugelib import GaugeError
from gaugelib.curvature import edge_path, hessian
from gaugelib.widgets import PhasePlane
from gaugelib.widgets.phase_plane import edge
from tests.widgets.node import WIDGETS, NodeTests, evaluate
from tests.widgets.phase_plane.test_flow import charge

pytestmark = pytest.mark.xdist_group("phase_plane-edge")

STATEMENTS = 8
# No path here amplifies rounding: those that come very near to balance, or to running away, do.
PATHS = {
    (2.0, 0.1): (0.05, 0.25, 0.45, 0.6, 0.75),
    (4.0, 0.1): (0.05, 0.12, 0.15, 0.22),
    (3.0, 0.2): (0.2, 0.3, 0.4),
}


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    paths = [(start, lr, 1.0) for start, rates in PATHS.items() for lr in rates]
    return [one_case(*path) for path in [*paths, ((-0.5, 1.5), 0.3, 0.75), ((1.5, 0.5), 0.4, -0.5)]]


def test_javascript_agrees_with_gaugelib_to_ten_digits(cases, tmp_path):
    run(cases, tmp_path).require(at_least=len(cases) + STATEMENTS)


@pytest.mark.parametrize("what", ["w", "v", "product", "size", "charge", "sharpness"])
def test_a_number_wrong_in_its_ninth_digit_is_noticed(cases, tmp_path, what):
    wrong = copy.deepcopy(cases[1:2])
    wanted = wrong[0]["wanted"]
    wanted[what][3] += 1e-9 * wanted["size"][3]
    done = run(wrong, tmp_path)
    assert not done.succeeded
    assert f"{what}: relative error" in done.output


def test_javascript_and_python_draw_the_same_number_of_steps():
    module = (WIDGETS / "phase_plane/edge.js").as_uri()
    assert evaluate(f"import {{ LAST }} from {module!r}; console.log(LAST);") == str(edge.LAST)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr": 0.0}, "lr must be positive, found 0"),
        ({"steps": 41}, "steps must lie in 0..40, found 41"),
        ({"steps": -1}, "steps must lie in 0..40, found -1"),
        ({"w": math.nan}, "w must hold finite numbers, found nan"),
    ],
)
def test_a_bad_trait_is_refused_by_name(arguments, message):
    with pytest.raises(GaugeError, match=message):
        PhasePlane(mode="edge", **arguments)


def test_a_network_with_a_relu_is_refused():
    layers = torch.nn.Linear(1, 1, bias=False), torch.nn.ReLU(), torch.nn.Linear(1, 1, bias=False)
    with pytest.raises(GaugeError, match="the mode 'edge' has no ReLU"):
        PhasePlane.from_model(torch.nn.Sequential(*layers), mode="edge")


def test_it_opens_with_numbers_of_its_own_and_says_what_differs():
    widget = PhasePlane(mode="edge")
    assert repr(widget) == "PhasePlane(mode='edge')"
    assert widget._start == {"w": 2.0, "v": 0.1, "target": 1.0, "lr": 0.25, "steps": 40}
    other = PhasePlane(mode="edge", w=-1.0, lr=0.1, steps=0)
    assert repr(other) == "PhasePlane(w=-1.0, mode='edge', lr=0.1, steps=0)"


def test_the_default_state_does_not_end_balanced():
    wanted = one_case((2.0, 0.1), 0.25, 1.0)["wanted"]
    assert wanted["end"]["charge"] > 0.9 * wanted["charge"][0]


@pytest.mark.parametrize(
    "traits",
    [{}, {"lr": 1.0}, {"steps": 0}, {"w": 1.0, "v": 1.0}, {"w": -1.0, "v": 2.0, "target": -1.5}],
)
def test_the_still_picture_is_the_same_bytes_each_time(traits):
    first, second = (PhasePlane(mode="edge", **traits).still() for _ in range(2))
    assert first == second
    assert matplotlib.image.imread(io.BytesIO(first)).shape[:2] == (340, 720)


FLAT = [{"w": 0.0, "v": 0.0, "target": 0.0}, {"w": 1.0, "v": -1.0, "target": 0.0}]
HUGE = [{"lr": 1e300}]


@pytest.mark.parametrize("traits", FLAT + HUGE, ids=str)
def test_it_is_drawn_where_nothing_is_sharp_and_where_all_runs_away(traits):
    figure = Figure()
    picture = PhasePlane(mode="edge", **traits)._picture()
    picture.draw(figure)
    low, high = next(a for a in figure.axes if a.get_ylabel() == "sharpness λ").get_ylim()
    assert low < high
    assert "run away" in picture.in_words() or traits in FLAT


@pytest.mark.parametrize(("start", "lr"), [(k, lr) for k, rates in PATHS.items() for lr in rates])
def test_the_still_picture_draws_the_steps(start, lr):
    widget = PhasePlane(mode="edge", w=start[0], v=start[1], lr=lr)
    drawn, wanted = edge._run(widget._picture()), one_case(start, lr, 1.0)["wanted"]
    for name in ("w", "v", "sharpness", "charge"):
        assert getattr(drawn, name) == pytest.approx(wanted[name], rel=1e-10, abs=1e-10)


def test_the_words_say_the_numbers():
    words = PhasePlane(mode="edge").alt_text()
    for number in ("(2, 0.1)", "w v = 1", "sharpness 4.46", "2/η = 8", "sharpness 4.32", "3.83"):
        assert number in words
    assert "run away after 3 steps" in PhasePlane(mode="edge", lr=1.0).alt_text()


def run(cases, folder) -> NodeTests:
    fixtures = folder / "cases.json"
    fixtures.write_text(json.dumps(cases))
    return NodeTests("phase_plane/edge.test.mjs", FIXTURES=str(fixtures))


def loss(params: dict[str, torch.Tensor], target: float) -> torch.Tensor:
    return 0.5 * (params["w"] * params["v"] - target).square().sum()


@functools.cache
def one_case(start: tuple[float, float], lr: float, target: float, least=2000) -> dict:
    """Steps of torch's optimiser, with the eigenvalue of gaugelib's Hessian, and the map."""
    params = {
        name: torch.tensor([value], dtype=torch.float64, requires_grad=True)
        for name, value in zip("wv", start, strict=True)
    }
    rule = torch.optim.SGD(params.values(), lr=lr)
    seen = {name: [] for name in ("w", "v", "charge", "sharpness")}
    for _ in range(edge.LAST + 1):
        w, v = (value.item() for value in params.values())
        matrix = hessian(lambda theta: loss(theta, target), params)
        largest = torch.linalg.eigvalsh(matrix)[-1].item()
        for name, value in zip(seen, (w, v, charge([w], v, 2), largest), strict=True):
            seen[name].append(value)
        rule.zero_grad()
        loss(params, target).backward()
        rule.step()
    rho, size = edge_path(
        math.prod(start), start[0] ** 2 + start[1] ** 2, target=target, lr=lr, steps=least
    )
    # At the end the map knows |Δ|; its sign is that of the factors.
    factors = 1 - (lr * (rho - target)).square()
    final = charge([start[0]], start[1], 2) * factors.prod().item()
    return {
        "name": f"from {start} with {lr} to {target}",
        "start": dict(zip("wv", start, strict=True)),
        "settings": {"target": target, "lr": lr},
        "wanted": {
            **seen,
            "product": rho[: edge.LAST + 1].tolist(),
            "size": size[: edge.LAST + 1].tolist(),
            "end": {"sharpness": size[-1].item(), "charge": final},
        },
    }
