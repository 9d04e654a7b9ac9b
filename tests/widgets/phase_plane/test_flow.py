"""PhasePlane's mode "flow": its JavaScript follows the flows that scipy and torch compute."""

import copy
import io
import itertools
import json

import matplotlib.image
import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from gaugelib import GaugeError, imbalance, mlp_group
from gaugelib.widgets import PhasePlane
from tests.widgets.node import NodeTests

pytestmark = pytest.mark.xdist_group("phase_plane-flow")

STATEMENTS = 14
MOMENTUM = 0.5


@pytest.fixture(scope="module")
def cases() -> dict[str, list[dict]]:
    draws = np.random.default_rng(7)
    settings = itertools.product((1, 2), (1, 2), (0.0, 0.15), (1, 2))
    flows = [one_flow(draws, *chosen) for chosen in settings]
    kinds = itertools.product((1, 2), ("descent", "momentum", "midpoint"), (1.0, -1.0))
    ladders = [one_ladder(draws, *chosen) for chosen in kinds]
    return {"flows": flows, "ladders": ladders}


def test_javascript_agrees_with_scipy_and_torch_to_ten_digits(cases, tmp_path):
    run(cases, tmp_path).require(at_least=16 + 12 + STATEMENTS)


@pytest.mark.parametrize("kind", ["flows", "ladders"])
@pytest.mark.parametrize("what", ["w", "v", "charge"])
def test_a_number_wrong_in_its_ninth_digit_is_noticed(cases, tmp_path, kind, what):
    wrong = {"flows": [], "ladders": []} | {kind: copy.deepcopy(cases[kind][-1:])}
    wanted = wrong[kind][0]["wanted"]
    if kind == "flows":
        wanted[what] += 1e-9 * (wanted["w"] ** 2 + wanted["v"] ** 2)
    else:
        wanted[what][-1] += 1e-9 * (wanted["w"][-1] ** 2 + wanted["v"][-1] ** 2)
    done = run(wrong, tmp_path)
    assert not done.succeeded
    assert f"{what}: relative error" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"w": 0.0}, "w must begin above 0 in the mode 'flow', found 0"),
        ({"w": -1.0}, "a silent neuron does not move"),
        ({"lr": 0.0}, "lr must be positive, found 0"),
        ({"lr": float("nan")}, "lr must hold finite numbers"),
        ({"method": "adam"}, "method must be one of: 'descent', 'momentum', 'midpoint'"),
        ({"p": 3}, "p must be 1 or 2, found 3"),
    ],
)
def test_a_bad_trait_is_refused_by_name(arguments, message):
    with pytest.raises(GaugeError, match=message):
        PhasePlane(mode="flow", **arguments)


def test_it_opens_with_numbers_of_its_own_and_says_what_differs():
    widget = PhasePlane(mode="flow")
    assert (widget.w, widget.v, widget.target, widget.p) == (2.0, 0.1, 6.0, 2)
    assert repr(widget) == "PhasePlane(mode='flow')"
    assert repr(PhasePlane(mode="flow", w=3.0, lr=0.05)) == (
        "PhasePlane(w=3.0, mode='flow', lr=0.05)"
    )
    start = {"w": 2.0, "v": 0.1, "p": 2, "lr": 0.1, "method": "descent", "revealed": True}
    assert widget._start == start
    assert repr(PhasePlane()) == "PhasePlane()"


@pytest.mark.parametrize("traits", [{}, {"p": 1, "v": -0.5}, {"w": 0.5, "v": -2.0}, {"lr": 3.0}])
def test_the_still_picture_is_the_same_bytes_each_time(traits):
    first, second = (PhasePlane(mode="flow", **traits).still() for _ in range(2))
    assert first == second
    assert matplotlib.image.imread(io.BytesIO(first)).shape[:2] == (340, 720)
    assert first != PhasePlane().still()


def test_the_words_say_the_numbers():
    words = PhasePlane(mode="flow").alt_text()
    for number in ("w² − v²", "(2, 0.1)", "3.99", "w v = 6", "step size 0.1", "2.31"):
        assert number in words
    assert "to w v = 0" in PhasePlane(mode="flow", w=0.5, v=-2.0).alt_text()


def run(cases, folder) -> NodeTests:
    fixtures = folder / "cases.json"
    fixtures.write_text(json.dumps(cases))
    return NodeTests("phase_plane/flow.test.mjs", FIXTURES=str(fixtures))


def one_flow(draws, p: int, q: int, decay: float, fan: int) -> dict:
    """A network with `fan` separate incoming weights, followed by scipy in all its weights."""
    w, v = draws.uniform(0.4, 2.5, size=2).tolist()
    target, until = draws.uniform(1.0, 4.0), draws.uniform(1.0, 4.0)
    x = np.full(fan, 1.0 / fan)

    def velocity(_, theta):
        inner, outer = theta[:-1], theta[-1]
        hidden = max(inner @ x, 0.0)
        error = outer * hidden - target
        slope = np.append(error * outer * x * (hidden > 0), error * hidden)
        slope += decay * np.sign(theta) * np.abs(theta) ** (q - 1)
        return -(np.abs(theta) ** (2 - p)) * slope

    start = [w] * fan + [v]
    done = solve_ivp(velocity, (0, until), start, method="DOP853", rtol=1e-13, atol=1e-14)
    end = done.y[:, -1]
    return {
        "name": f"p = {p}, q = {q}, decay = {decay}, fan = {fan}",
        "start": {"w": w, "v": v},
        "settings": {
            "target": target,
            "p": p,
            "q": q,
            "decay": decay,
            "fan": fan,
            "until": until,
        },
        "wanted": {"w": end[0], "v": end[-1], "charge": charge(end[:-1], end[-1], p)},
    }


def charge(inner, outer, p: int) -> float:
    """What gaugelib calls the imbalance of the one hidden unit."""
    params = {
        "0.weight": torch.tensor([list(inner)], dtype=torch.float64),
        "2.weight": torch.tensor([[outer]], dtype=torch.float64),
    }
    layers = torch.nn.Linear(len(inner), 1, bias=False), torch.nn.ReLU()
    model = torch.nn.Sequential(*layers, torch.nn.Linear(1, 1, bias=False))
    return imbalance(params, mlp_group(model), p).item()


def one_ladder(draws, p: int, method: str, side: float) -> dict:
    """Steps of torch's own SGD, in the weights or in their logarithms, or the midpoint rule."""
    w, v = draws.uniform(0.8, 2.0, size=2).tolist()
    v, target = side * v, side * draws.uniform(1.0, 3.0)
    lr, count = 0.05, 12
    theta = torch.tensor([w, v], dtype=torch.float64)
    points = [[w, v]]
    if method == "midpoint":
        for _ in range(count):
            theta = midpoint(theta, target, lr, p)
            points.append(theta.tolist())
    else:
        sign = theta.sign()
        # For p = 1 the exponentiated step is a plain one of log|theta|, by the slope sgn(theta) g.
        free = (theta if p == 2 else theta.abs().log()).clone().requires_grad_()
        rule = torch.optim.SGD([free], lr=lr, momentum=MOMENTUM if method == "momentum" else 0.0)
        for _ in range(count):
            weights = free if p == 2 else sign * free.exp()
            (slope,) = torch.autograd.grad(loss(weights, target), weights, retain_graph=True)
            free.grad = slope if p == 2 else sign * slope
            rule.step()
            points.append((free if p == 2 else sign * free.exp()).tolist())
    ws, vs = (list(path) for path in zip(*points, strict=True))
    return {
        "name": f"p = {p}, {method}, v of sign {side:+g}",
        "start": {"w": w, "v": v},
        "settings": {"target": target, "p": p, "method": method, "step": lr},
        "wanted": {"w": ws, "v": vs, "charge": [charge([w], v, p) for w, v in points]},
    }


def loss(weights: torch.Tensor, target: float) -> torch.Tensor:
    return 0.5 * (weights[1] * torch.relu(weights[0]) - target) ** 2


def midpoint(theta: torch.Tensor, target: float, lr: float, p: int) -> torch.Tensor:
    """The implicit midpoint rule in flat coordinates, by iteration with torch's gradient."""
    flat = 2 / p * theta.sign() * theta.abs() ** (p / 2)
    after = flat
    for _ in range(60):
        middle = ((flat + after) / 2).requires_grad_()
        weights = middle.sign() * (p / 2 * middle.abs()) ** (2 / p)
        (slope,) = torch.autograd.grad(loss(weights, target), middle)
        after = flat - lr * slope
    return after.sign() * (p / 2 * after.abs()) ** (2 / p)
