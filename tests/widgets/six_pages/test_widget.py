"""SixPages: its JavaScript and its Python find what gaugelib finds."""

import copy
import json
from itertools import product

import numpy as np
import pytest
import torch
import traitlets
from sympy.combinatorics import CyclicGroup, SymmetricGroup
from torch.testing import assert_close

from gaugelib import GaugeError
from gaugelib.equivariance import (
    Representation,
    deep_sets,
    descend,
    equivariant_space,
    homomorphisms,
    natural,
    teacher_gradient,
    teacher_loss,
    trivial,
)
from gaugelib.widgets import SixPages
from gaugelib.widgets.six_pages.descent import FRAMES, ORDERS, noisy, on_page, page_matrix, path
from tests.widgets.node import NodeTests

pytestmark = pytest.mark.xdist_group("six_pages")

NETWORKS, STATEMENTS = 12, 14
TEACHERS = [(-0.5, 1.0), (1.0, 0.0), (1.0, 0.4), (1.0, -0.5)]
PATHS = [
    {"units": 3, "teacher": [-0.5, 1.0], "delta": 0.6, "mean": 0.0, "relaxed": True},
    {"units": 3, "teacher": [1.0, 0.0], "delta": -0.8, "mean": 0.1, "relaxed": True},
    {"units": 3, "teacher": [1.0, -0.5], "delta": -0.9, "mean": 0.3, "relaxed": False},
    {"units": 2, "teacher": [-0.5, 1.0], "delta": 0.6, "mean": 0.0, "relaxed": True},
]
OPENING = ("units", "teacher", "delta", "mean", "relaxed", "shown", "turn", "random_state")


def pages(n: int) -> list[Representation]:
    """The isomorphisms of the symmetric group into the permutations of the units, in the order of
    the widget: the page of s sends g to s g s⁻¹."""
    group = SymmetricGroup(n)
    plain = natural(group)
    found = []
    for order in ORDERS[n]:
        inverse = [order.index(k) for k in range(n)]
        turned = torch.tensor(
            [[order[images[inverse[i]]] for i in range(n)] for images in plain.images.tolist()]
        )
        found += [each for each in homomorphisms(group, n) if torch.equal(each.images, turned)]
    return found


def away(n: int, W: torch.Tensor, hidden: Representation, group) -> float:
    """How far W is from the equivariant matrices, by the library's projection."""
    space = equivariant_space([natural(group), hidden, trivial(group)])
    return float(space.distance({"0.weight": W, "2.weight": torch.ones(1, n, dtype=W.dtype)}))


def one_case(index: int, draws: torch.Generator) -> dict:
    """A matrix and a teacher, and what gaugelib says of them."""
    n = 2 + index % 2
    W = torch.randn(n, n, generator=draws, dtype=torch.float64)
    a, b = torch.randn(2, generator=draws, dtype=torch.float64).tolist()
    ones, teacher = torch.ones(n, dtype=torch.float64), deep_sets(a, b, n=n)
    slope = teacher_gradient(W, ones, teacher)[0]
    cyclic = CyclicGroup(n)
    turn = np.exp(2j * np.pi / n)
    shares = [float(W.roll(-k, 0).diagonal().mean()) for k in range(n)]  # by row minus column
    around = sum(share * turn**k for k, share in enumerate(shares))
    return {
        "name": f"{n} units, matrix {index}",
        "n": n,
        "W": W.flatten().tolist(),
        "teacher": [a, b],
        "random_state": index + 5,
        "wanted": {
            "loss": float(teacher_loss(W, ones, teacher)),
            "gradient": slope.flatten().tolist(),
            "projected": projected(n, slope).flatten().tolist(),
            "on_page": [
                float(teacher_loss(projected(n, W), ones, teacher)),
                *teacher_gradient(projected(n, W), ones, teacher)[0].flatten().tolist(),
            ],
            "distances": [away(n, W, each, SymmetricGroup(n)) for each in pages(n)],
            "round": [
                around.real,
                around.imag if n == 3 else 0.0,
                float(W.mean()),
                away(n, W, natural(cyclic), cyclic),
            ],
            "noisy": noisy(W.numpy(), index + 5).flatten().tolist(),
            "step": float(W.norm() / (W.norm() + teacher[0].norm()) / n**2),
        },
    }


def projected(n: int, W: torch.Tensor) -> torch.Tensor:
    group = SymmetricGroup(n)
    space = equivariant_space([natural(group), natural(group), trivial(group)])
    return space.project({"0.weight": W, "2.weight": torch.ones(1, n, dtype=W.dtype)})["0.weight"]


def one_path(traits: dict) -> dict:
    state = 7 if traits["relaxed"] else None
    places = path(traits["units"], tuple(traits["teacher"]), traits["delta"], traits["mean"], state)
    return {
        "name": f"the path of {traits}",
        "n": traits["units"],
        "traits": {**traits, "random_state": 7},
        "wanted": {
            "steps": [place.step for place in places],
            "losses": [place.loss for place in places],
            "weights": [place.weights.flatten().tolist() for place in places],
        },
    }


def sides(n: int) -> list[dict]:
    """Where the library's descent ends from starts on either side of the page, for each teacher."""
    group = SymmetricGroup(n)
    space = equivariant_space([natural(group), natural(group), trivial(group)])
    starts = product((1, -1), (0.2, 1.2), (-0.4, 0.1, 0.7))
    side, delta, mean = torch.tensor(list(starts), dtype=torch.float64).T
    b = mean - side * delta / n
    W, v = deep_sets(b + side * delta, b, n=n)
    T, u = deep_sets(*torch.tensor(TEACHERS, dtype=torch.float64).T[:, :, None], n=n)
    run = descend(W, v, (T, u), lr=0.1, steps=1500, space=space, train_v=False)
    losses = run.loss[-1].clamp(min=0)
    assert bool((run.W[-1, ..., 0, 0] - run.W[-1, ..., 0, 1]).mul(side).gt(0).all())
    return [
        {"n": n, "teacher": teacher, "side": s, "least": float(losses[k][side == s].min())}
        for (k, teacher), s in product(enumerate(TEACHERS), (1, -1))
    ]


@pytest.fixture(scope="module")
def cases() -> dict:
    draws = torch.Generator().manual_seed(15)
    return {
        "cases": [one_case(index, draws) for index in range(NETWORKS)],
        "paths": [one_path(traits) for traits in PATHS],
        "sides": sides(2) + sides(3),
        "opening": {name: getattr(SixPages(), name) for name in OPENING},
    }


def run(cases: dict, folder) -> NodeTests:
    file = folder / "cases.json"
    file.write_text(json.dumps(cases))
    return NodeTests("six_pages/widget.test.mjs", FIXTURES=str(file))


def test_javascript_finds_what_gaugelib_finds_to_ten_digits(cases, tmp_path):
    run(cases, tmp_path).require(at_least=NETWORKS + len(PATHS) + len(cases["sides"]) + STATEMENTS)


@pytest.mark.parametrize(
    "what", ["loss", "gradient", "projected", "on_page", "distances", "round", "noisy", "step"]
)
def test_a_number_wrong_in_its_ninth_digit_is_noticed(cases, tmp_path, what):
    wrong = copy.deepcopy(cases["cases"][1])
    numbers = wrong["wanted"]
    if isinstance(numbers[what], list):
        numbers[what][0] += 1e-9 * max(1.0, *map(abs, numbers[what]))
    else:
        numbers[what] += 1e-9 * max(1.0, abs(numbers[what]))
    done = run(cases | {"cases": [wrong], "paths": [], "sides": []}, tmp_path)
    assert not done.succeeded
    assert f"{what}: relative error" in done.output


def test_python_follows_the_librarys_descent_on_the_page_and_off_it():
    group = SymmetricGroup(3)
    space = equivariant_space([natural(group), natural(group), trivial(group)])
    places = path(3, (-0.5, 1.0), 0.6, 0.0, 1)
    stuck = places[FRAMES[0]]
    v = torch.ones(3, dtype=torch.float64)
    teacher = deep_sets(-0.5, 1.0)
    for begun, kept, end in (
        (places[0].weights, space, stuck),
        (noisy(stuck.weights, 1), None, places[-1]),
    ):
        W = torch.from_numpy(begun)
        steps = 4000 if kept else 12000
        found = descend(W, v, teacher, lr=0.05, steps=steps, space=kept, train_v=False)
        assert_close(found.W[-1], torch.from_numpy(end.weights), rtol=0, atol=1e-4)
        assert float(found.loss[-1]) == pytest.approx(end.loss, abs=1e-9)


def test_its_weights_are_those_of_the_place_that_is_shown():
    widget = SixPages()
    assert_close(widget.weights(), deep_sets(1.47799, 0.01154)[0], rtol=0, atol=1e-4)
    widget.shown = 0
    assert_close(widget.weights(), deep_sets(0.4, -0.2)[0])
    free = SixPages(relaxed=True)
    assert free.shown == sum(FRAMES)
    rows = sorted(row.index(min(row)) for row in free.weights().tolist())
    assert rows == [0, 1, 2]
    assert [row.index(min(row)) for row in free.weights().tolist()] != [0, 1, 2]


def test_a_page_is_read_back():
    assert on_page(page_matrix(3, 0.7, -0.2)) == pytest.approx((0.7, -0.2))
    assert page_matrix(2, 1.0, 0.5).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        ({"units": 4}, "units must be one of: 2, 3; found 4"),
        ({"teacher": (1.0,)}, r"teacher must be two numbers \(a, b\), found 1"),
        ({"teacher": (1.0, float("nan"))}, "teacher must hold finite numbers, found nan"),
        ({"teacher": (0.0, 0.0)}, r"teacher must have a larger entry between 0.1 and 2.0 in size"),
        ({"teacher": (1.0, 1e300)}, r"larger entry between 0.1 and 2.0 in size, found \(1.0, 1e"),
        ({"delta": float("inf")}, "delta must hold finite numbers, found inf"),
        ({"mean": float("nan")}, "mean must hold finite numbers, found nan"),
        ({"delta": 5.0}, "delta must lie within ±4, found 5"),
        ({"mean": -1e9}, r"mean must lie within ±4, found -1e\+09"),
        ({"delta": 0.0, "mean": 0.0}, "delta and mean must not both be 0: .* set the one first"),
        ({"delta": 1e-200, "mean": 0.0}, "delta and mean must not both be 0"),
        ({"shown": 73}, r"shown must lie in 0\.\.72, found 73"),
        ({"turn": 360}, r"turn must lie in 0\.\.359, found 360"),
        ({"random_state": -1}, r"random_state must lie in 0\.\.4294967295, found -1"),
    ],
)
def test_a_bad_trait_is_refused_by_name(traits, reason):
    with pytest.raises(GaugeError, match=reason) as caught:
        SixPages(**traits)
    assert isinstance(caught.value, traitlets.TraitError)


def test_a_refused_assignment_leaves_the_widget_as_it_was():
    widget = SixPages(delta=0.0, mean=0.4)
    for name, value in (("mean", 0.0), ("teacher", [0.0, 0.0]), ("units", 1)):
        before = getattr(widget, name)
        with pytest.raises(GaugeError):
            setattr(widget, name, value)
        assert getattr(widget, name) == before


def test_what_the_page_writes_is_read_back_and_reset_is_known():
    widget = SixPages(turn=20)
    widget.set_state({"delta": -0.5, "mean": 0.2, "relaxed": True, "shown": 72, "random_state": 3})
    assert (widget.delta, widget.relaxed, widget.shown) == (-0.5, True, 72)
    assert widget._start == {
        "units": 3,
        "teacher": [-0.5, 1.0],
        "delta": 0.6,
        "mean": 0.0,
        "relaxed": False,
        "shown": FRAMES[0],
        "turn": 20,
        "random_state": 1,
    }


def test_its_still_picture_follows_its_state_and_the_words_say_its_numbers():
    told = [SixPages(), SixPages(relaxed=True), SixPages(units=2), SixPages(shown=3)]
    assert len({widget.still() for widget in told}) == 4
    words = [widget.alt_text() for widget in told]
    assert "Descent from a - b = 0.6, above 0: step 515, loss 0.0543." in words[0]
    assert "page of e, where a - b has not the teacher's sign." in words[0]
    assert "without the constraint and with noise" in words[1]
    assert "page of (1 3 2), where a - b has the teacher's sign." in words[1]
    assert "2 by 2" in words[2]


def test_on_the_spine_the_words_name_no_side():
    begun = SixPages(delta=0.0, mean=0.3, shown=0).alt_text()
    assert "Descent from a - b = 0, on the spine: step 0," in begun
    assert "not the teacher's sign" in begun
    alike = SixPages(teacher=(0.5, 0.5), delta=-0.6, mean=0.2, shown=0).alt_text()
    assert "below 0: step 0" in alike
    assert alike.endswith("away from the page of e.")


@pytest.mark.parametrize("mean", [-0.3, 0.3])
def test_from_the_spine_it_rests_on_the_spine(mean):
    W = SixPages(delta=0.0, mean=mean).weights()
    assert torch.equal(W, W[0, 0].expand(3, 3))
    assert abs(W[0, 0]) > 1e-3
