"""PhasePlane's mode "pairing": its charges follow what scipy computes in all three weights."""

import copy
import io
import itertools
import json
import math

import matplotlib.image
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from gaugelib import GaugeError
from gaugelib.widgets import PhasePlane
from tests.widgets.node import NodeTests
from tests.widgets.phase_plane.test_flow import charge

pytestmark = pytest.mark.xdist_group("phase_plane-pairing")

STATEMENTS = 6
UNTIL = 20.0


@pytest.fixture(scope="module")
def cases() -> list[dict]:
    draws = np.random.default_rng(3)
    chosen = itertools.product((1, 2), (1, 2), (True, False))
    return [one_case(draws.uniform(0.6, 2.0, size=2), *settings) for settings in chosen]


def test_javascript_agrees_with_scipy_to_ten_digits(cases, tmp_path):
    run(cases, tmp_path).require(at_least=8 + STATEMENTS)


@pytest.mark.parametrize("what", ["end", "promised", "change"])
def test_a_number_wrong_in_its_ninth_digit_is_noticed(cases, tmp_path, what):
    wrong = copy.deepcopy(cases[-1:])
    wrong[0]["wanted"][what] += 1e-9 * wrong[0]["wanted"]["size"]
    done = run(wrong, tmp_path)
    assert not done.succeeded
    assert f"{what}: relative error" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"w": -0.5}, "w must begin above 0 in the mode 'pairing', found -0.5"),
        ({"v": 0.0}, "v must begin above 0 in the mode 'pairing', found 0"),
        ({"decay": -0.1}, "decay must be positive, found -0.1"),
        ({"decay_p": 3}, "decay_p must be 1 or 2, found 3"),
    ],
)
def test_a_bad_trait_is_refused_by_name(arguments, message):
    with pytest.raises(GaugeError, match=message):
        PhasePlane(mode="pairing", **arguments)


def test_it_opens_with_numbers_of_its_own_and_says_what_differs():
    widget = PhasePlane(mode="pairing")
    assert repr(widget) == "PhasePlane(mode='pairing')"
    assert repr(PhasePlane(mode="pairing", decay=0.2, p=1, balanced=False)) == (
        "PhasePlane(p=1, mode='pairing', decay=0.2, balanced=False)"
    )
    assert widget._start == {
        "w": 0.5,
        "v": 1.0,
        "p": 2,
        "decay": 0.1,
        "decay_p": 1,
        "balanced": True,
        "revealed": True,
    }


@pytest.mark.parametrize("traits", [{}, {"balanced": False, "w": 2.5}, {"decay": 0.0}])
def test_the_still_picture_is_the_same_bytes_each_time(traits):
    first, second = (PhasePlane(mode="pairing", **traits).still() for _ in range(2))
    assert first == second
    assert matplotlib.image.imread(io.BytesIO(first)).shape[:2] == (340, 720)


def test_the_words_say_how_far_an_unpaired_charge_leaves_its_law(cases):
    words = PhasePlane(mode="pairing").alt_text()
    for p, q in ((1, 2), (2, 1)):
        wanted = one_case((0.5, 1.0), p, q, True, target=4.0)["wanted"]
        off = abs(wanted["end"] - wanted["promised"])
        assert f"{off:.2g} for p = {p}, q = {q}" in words


def run(cases, folder) -> NodeTests:
    fixtures = folder / "cases.json"
    fixtures.write_text(json.dumps(cases))
    return NodeTests("phase_plane/pairing.test.mjs", FIXTURES=str(fixtures))


def one_case(point, p: int, q: int, fixed: bool, *, target: float = 3.0) -> dict:
    """Two separate incoming weights and one outgoing, by scipy, with the integral beside them."""
    decay = 0.1
    w, v = (float(x) for x in point)
    start = minimum_norm(w, v, p) if fixed else (w, v)

    def velocity(_, state):
        theta = state[:3]
        hidden = max((theta[0] + theta[1]) / 2, 0.0)
        error = theta[2] * hidden - target
        slope = np.array([error * theta[2] / 2, error * theta[2] / 2, error * hidden])
        slope += decay * np.sign(theta) * np.abs(theta) ** (q - 1)
        sizes = np.abs(theta) ** q
        return np.append(-(np.abs(theta) ** (2 - p)) * slope, sizes[0] + sizes[1] - sizes[2])

    begin = [start[0], start[0], start[1], 0.0]
    done = solve_ivp(velocity, (0, UNTIL), begin, method="DOP853", rtol=1e-13, atol=1e-14)
    *inner, outer, integral = done.y[:, -1]
    first, last = charge([start[0]] * 2, start[1], p), charge(inner, outer, p)
    return {
        "name": f"p = {p}, q = {q}, {'balanced' if fixed else 'as it is'}",
        "point": {"w": w, "v": v},
        "settings": {"target": target, "p": p, "q": q, "decay": decay, "fixed": fixed},
        "wanted": {
            "end": last,
            "promised": first * math.exp(-decay * p * UNTIL),
            "change": last - first,
            "driven": -decay * p * integral,
            "size": 2 * inner[0] ** p + outer**p,
        },
    }


def minimum_norm(w: float, v: float, p: int) -> tuple[float, float]:
    """The point of the orbit with 2 w^p = v^p, by bisection in the logarithm of the scale."""
    low, high = -30.0, 30.0
    while (middle := (low + high) / 2) not in (low, high):
        too_much = charge([w * math.exp(middle)] * 2, v * math.exp(-middle), p) > 0
        low, high = (low, middle) if too_much else (middle, high)
    return w * math.exp(low), v * math.exp(-low)
