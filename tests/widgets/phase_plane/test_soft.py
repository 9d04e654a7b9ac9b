"""PhasePlane's mode "soft": its relaxations are those of gaugelib's own penalties."""

import copy
import functools
import io
import itertools
import json
import math

import matplotlib.image
import pytest
import torch
from scipy.integrate import solve_ivp

from gaugelib import GaugeError, mlp_group, weight_norm
from gaugelib.soft import soft_flow, soft_penalty
from gaugelib.widgets import PhasePlane
from gaugelib.widgets.phase_plane import PENALTIES
from tests.widgets.node import WIDGETS, NodeTests, evaluate
from tests.widgets.phase_plane.test_flow import charge

pytestmark = pytest.mark.xdist_group("phase_plane-soft")

STATEMENTS = 6
NETWORK = torch.nn.Sequential(
    torch.nn.Linear(1, 1, bias=False), torch.nn.ReLU(), torch.nn.Linear(1, 1, bias=False)
)
GROUP = mlp_group(NETWORK)


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    starts = ((3.0, 0.5), (0.7, 2.2))
    return [one_case(*chosen) for chosen in itertools.product(PENALTIES, starts)]


def test_javascript_agrees_with_gaugelib_to_ten_digits(cases, tmp_path):
    run(cases, tmp_path).require(at_least=8 + STATEMENTS)


@pytest.mark.parametrize("what", ["w", "v", "u", "charge", "product", "factor"])
def test_a_number_wrong_in_its_ninth_digit_is_noticed(cases, tmp_path, what):
    wrong = copy.deepcopy(cases[:1])
    wanted = wrong[0]["wanted"]
    size = {"charge": wanted["w"] ** 2 + wanted["v"] ** 2, "u": 1.0}.get(what, wanted[what])
    wanted[what] += 1e-9 * size
    done = run(wrong, tmp_path)
    assert not done.succeeded
    assert f"{what}: relative error" in done.output


def test_javascript_and_python_name_the_same_penalties():
    module = (WIDGETS / "phase_plane/penalties.js").as_uri()
    script = f"import {{ PENALTIES as p }} from {module!r}; console.log(Object.keys(p).join());"
    assert evaluate(script).split(",") == list(PENALTIES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"w": 0.0}, "w must begin above 0 in the mode 'soft', found 0"),
        ({"v": -1.0}, "v must begin above 0 in the mode 'soft', found -1"),
        ({"strength": 0.0}, "strength must be positive, found 0"),
        ({"time": 11.0}, "time must be from 0 to 10, found 11"),
        ({"penalty": "l1"}, "penalty must be one of: 'imbalance', 'log-ratio', 'gauge', 'decay'"),
    ],
)
def test_a_bad_trait_is_refused_by_name(arguments, message):
    with pytest.raises(GaugeError, match=message):
        PhasePlane(mode="soft", **arguments)


def test_it_opens_with_numbers_of_its_own_and_says_what_differs():
    widget = PhasePlane(mode="soft")
    assert repr(widget) == "PhasePlane(mode='soft')"
    assert repr(PhasePlane(mode="soft", v=1.0, penalty="gauge", time=5.0)) == (
        "PhasePlane(v=1.0, mode='soft', penalty='gauge', time=5.0)"
    )
    assert widget._start == {
        "w": 3.0,
        "v": 0.5,
        "penalty": "imbalance",
        "strength": 0.5,
        "time": 2.0,
    }


@pytest.mark.parametrize("traits", [{}, {"w": 0.5, "v": 2.0}, {"w": 1.0, "v": 1.0}])
def test_the_still_picture_is_the_same_bytes_each_time(traits):
    first, second = (PhasePlane(mode="soft", **traits).still() for _ in range(2))
    assert first == second
    assert matplotlib.image.imread(io.BytesIO(first)).shape[:2] == (340, 720)


def test_the_words_say_the_numbers():
    words = PhasePlane(mode="soft").alt_text()
    for number in ("(3, 0.5)", "u = log(w / v) = 1.79", "w v = 1.5", "cosh u = 3.08"):
        assert number in words


def run(cases, folder) -> NodeTests:
    fixtures = folder / "cases.json"
    fixtures.write_text(json.dumps(cases))
    return NodeTests("phase_plane/soft.test.mjs", FIXTURES=str(fixtures))


@functools.cache
def one_case(penalty: str, start: tuple[float, float], strength=0.3, time=1.7) -> dict:
    """The relaxation from a start: downhill by torch's gradient and scipy, or gaugelib's own."""
    if penalty == "gauge":
        done = soft_flow(
            weights(torch.tensor(start, dtype=torch.float64)),
            GROUP,
            until=time,
            steps=400,
            strength=strength,
            kind="log-ratio",
            saved=2,
        )
        w, v = (value.item() for value in done.at(-1).values())
    else:

        def velocity(_, theta):
            leaf = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
            (slope,) = torch.autograd.grad(energy(leaf, penalty, strength), leaf)
            return -slope.numpy()

        done = solve_ivp(velocity, (0, time), start, method="DOP853", rtol=1e-13, atol=1e-14)
        w, v = done.y[:, -1].tolist()
    return {
        "name": f"{penalty} from {start}",
        "start": dict(zip("wv", start, strict=True)),
        "settings": {"penalty": penalty, "strength": strength, "time": time},
        "wanted": {
            "w": w,
            "v": v,
            "u": math.log(w / v),
            "charge": charge([w], v, 2),
            "product": w * v,
            "factor": w * v / math.prod(start),
        },
    }


def weights(theta: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"0.weight": theta[:1, None], "2.weight": theta[1:, None]}


def energy(theta: torch.Tensor, penalty: str, strength: float) -> torch.Tensor:
    params = weights(theta)
    if penalty == "decay":
        return 0.5 * strength * weight_norm(params, GROUP, 2) ** 2
    return soft_penalty(params, GROUP, kind=penalty, strength=strength)
