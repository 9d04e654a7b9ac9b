"""Majoriser by effect: driven by keyboard, it shows what gaugelib predicts."""

import pytest
import torch

from gaugelib import imbalance, incoming_norm, outgoing_norm, rescale, weight_norm
from gaugelib.widgets import Majoriser
from tests.widgets.majoriser.test_widget import GROUP, auxiliary, move, network
from tests.widgets.node import formatted
from tests.widgets.on_page import (
    OnPage,
    cleaned_up,
    fits_a_frame,
    misfits,
    shown_by,
)

CHAPTER = "book/minimum_norm.html"


class Proof(OnPage):
    """One Majoriser on a page, and what it should show."""

    def __init__(self, page, index: int = 0) -> None:
        super().__init__(page, ".gl-majoriser", index)

    def must_show(self, weights=(8, 1, 1), logs=(0, 0), *, p=2, exponent=1, steps=0) -> None:
        """Every readout after `steps` steps from `logs` is what gaugelib computes."""
        params = network(torch.tensor(weights, dtype=torch.float64))
        params = rescale(params, torch.tensor(logs, dtype=torch.float64).exp(), GROUP)
        for _ in range(steps):
            params = rescale(params, move(params, p, exponent).exp(), GROUP)
        step = move(params, p, exponent)
        moved = rescale(params, step.exp(), GROUP)
        ends = incoming_norm(params, GROUP, p) ** p, outgoing_norm(params, GROUP, p) ** p
        relative = (imbalance(params, GROUP, p) / sum(ends)).abs().max().item()
        here, after = (weight_norm(q, GROUP, p).item() ** p for q in (params, moved))
        numbers = {"here": here, "after": after, "bound": auxiliary(params, step, p).item()}
        assert {key: self.text(key) for key in numbers} == {
            key: formatted(value) for key, value in numbers.items()
        }
        signs = {True: "≤", False: ">"}
        assert self.text("below") == "≤"
        assert self.text("falls") == signs[numbers["bound"] <= here * (1 + 1e-12)]
        assert self.text("steps") == str(steps)
        assert self.text("gamma") == formatted(relative)
        sizes = [formatted(value.item()).replace("-", "−") for value in params.values()]
        assert self.text("weights") == f"({', '.join(sizes)})"


@pytest.fixture
def proof(view) -> Proof:
    return Proof(view(CHAPTER, anew=True))


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


# ---------------------------------------------------------------- on the page of the chapter


def test_it_opens_on_the_worked_numbers(proof):
    proof.must_show()
    keys = ("after", "bound", "here", "least")
    assert [proof.text(key) for key in keys] == ["26.46", "41.50", "66.00", "12.00"]
    assert proof.text("verdict") == "✓ it cannot go up"


def test_it_works_from_the_disk(open_page, file_url):
    proof = Proof(open_page(file_url(CHAPTER)))
    proof.push("Step")
    proof.must_show(steps=1)


def test_steps_go_down_to_the_balanced_chain(proof):
    for steps in (1, 2, 3):
        proof.push("Step")
        proof.must_show(steps=steps)
    assert proof.text("here") == "15.32"
    before = float("inf")
    for _ in range(12):
        proof.push("Step", 3)
        assert proof.number("here") <= before
        before = proof.number("here")
    assert proof.text("here") == proof.text("least") == "12.00"
    assert proof.text("weights") == "(2.000, 2.000, 2.000)"
    proof.push("Step", 70)
    assert proof.text("verdict") == "balanced: no step is left"
    count = proof.text("steps")
    proof.push("Step", 3)
    assert proof.text("steps") == count


def test_the_doubled_step_is_where_g_is_as_before(proof):
    proof.choose("exponent", "2")
    proof.must_show(exponent=2)
    assert proof.text("bound") == proof.text("here") == "66.00"
    assert proof.text("after") == "17.00"
    proof.push("Step")
    proof.must_show(exponent=2, steps=1)
    assert proof.text("weights") == "(2.828, 2.828, 1.000)"


def test_a_step_too_long_loses_the_bound_goes_up_and_runs_away(proof):
    proof.choose("exponent", "3")
    proof.must_show(exponent=3)
    assert proof.text("verdict") == "✗ the bound is lost: here it goes down"
    proof.push("Step", 2)
    proof.must_show(exponent=3, steps=2)
    assert proof.text("verdict") == "✗ the bound is lost: here it goes up"
    proof.push("Step", 30)
    assert proof.text("verdict") == "it has run away: stopped"
    assert int(proof.text("steps")) < 20


def test_back_and_reset_return(proof):
    proof.push("Step", 3)
    proof.push("Back")
    proof.must_show(steps=2)
    proof.choose("exponent", "3")
    proof.choose("norm", "1")
    proof.choose("cut along", "neuron 2")
    proof.push("Reset")
    proof.must_show()
    assert proof.control("combobox", "cut along").input_value() == "step"
    proof.push("Back", 2)  # there is nothing before the start
    proof.must_show()


@pytest.mark.parametrize("p", [0.5, 1, 3])
def test_it_holds_for_every_power(proof, p):
    proof.choose("norm", f"{p:g}")
    proof.must_show(p=p)
    proof.push("Step", 2)
    proof.must_show(p=p, steps=2)
    assert proof.text("verdict") == "✓ it cannot go up"


def test_the_reader_may_stand_anywhere(proof):
    proof.push("Step", 2)
    proof.push("Reset")
    proof.press(proof.control("slider", "neuron 1"), *["ArrowLeft"] * 10)
    proof.press(proof.control("slider", "neuron 2"), *["ArrowRight"] * 4)
    proof.must_show(logs=(-0.5, 0.2))
    proof.push("Step")
    proof.must_show(logs=(-0.5, 0.2), steps=1)


def test_in_the_picture_g_touches_f_and_lies_above_it(proof):
    for cut in ("step", "neuron 1", "neuron 2"):
        proof.choose("cut along", cut)
        for _ in range(3):
            heights = proof.root.evaluate(CURVES)
            f, g, here = heights["f"], heights["g"], heights["here"]
            shared = [(f[x], g[x]) for x in f.keys() & g.keys()]
            assert len(shared) > 50
            assert all(below >= above - 0.02 for below, above in shared)  # pixels count downwards
            gaps = {float(x): f[x] - g[x] for x in f.keys() & g.keys()}
            assert abs(here - min(gaps, key=gaps.get)) < 12
            proof.push("Step")
        proof.push("Reset")


CURVES = """(root) => {
  const points = (kind) => Object.fromEntries([...root.querySelector(`.gl-proof path.${kind}`)
    .getAttribute("d").matchAll(/[ML]([\\d.]+) ([\\d.]+)/g)].map(([, x, y]) => [x, Number(y)]));
  const here = Number(root.querySelector(".gl-proof .gl-here").getAttribute("cx"));
  return { f: points("gl-f"), g: points("gl-g"), here };
}"""


def test_it_speaks_once_the_reader_rests(proof):
    proof.push("Step")
    said = proof.spoken()
    assert "Step 1: pF after 18.42 ≤ pG after 21.50 ≤ pF here 26.46" in said


def test_everything_is_reached_by_the_tab_key_and_shows_its_focus(proof):
    expected = ["exponent", "Step", "Back", "Reset", "cut along", "norm", "neuron 1", "neuron 2"]
    for (name, visible), wanted in zip(proof.tabbed(), expected, strict=True):
        assert wanted in name
        assert visible, f"no visible focus on {name}"


# ---------------------------------------------------------------- on scratch pages


def test_two_copies_do_not_disturb_each_other(show):
    other = {"weights": (0.5, -3.0, 1.0), "p": 1.0}
    page = show({"a": Majoriser(), "b": Majoriser(**other)}, "ab")
    first, second = Proof(page, 0), Proof(page, 1)
    first.push("Step")
    first.must_show(steps=1)
    second.must_show(other["weights"], p=1)
    second.push("Step")
    second.must_show(other["weights"], p=1, steps=1)
    first.must_show(steps=1)
    assert page.locator("main [id]").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 640, 900])
def test_it_is_accessible_and_fits(show, axe, theme, width):
    wild = Majoriser(weights=(-1e5, 0.001, 3.0), exponent=3, p=3.0, cut="neuron 1")
    page = show({"a": Majoriser(), "b": wild}, "ab", theme=theme, width=width)
    Proof(page, 0).push("Step", 2)
    Proof(page, 1).push("Step", 2)
    assert axe(page, within=".gl-widget") == []
    assert misfits(page) == []


def test_cleanup_gives_everything_back(show):
    page = show({"a": Majoriser()}, "aa")
    Proof(page).push("Step")
    held, left = cleaned_up(page)
    assert "ResizeObserver" in held
    assert left == []


def test_arrow_keys_stay_in_the_widget_and_shortcuts_pass(show):
    page = show({"a": Majoriser()})
    page.evaluate("window.heard = []; addEventListener('keydown', (e) => heard.push(e.key))")
    proof = Proof(page)
    proof.press(proof.control("slider", "neuron 1"), "ArrowLeft", "Home", "Control+s")
    assert page.evaluate("heard") == ["Control", "s"]


def test_a_redraw_fits_into_a_frame(show):
    page = show({"a": Majoriser()})
    assert fits_a_frame(page, ".gl-majoriser")


def test_control_a_slow_redraw_does_not_fit_into_a_frame(show):
    burden = """(root) => root.addEventListener("input", () => {
      let sum = 0;
      for (let k = 0; k < 3e6; k += 1) sum += Math.sqrt(k);
      window.burnt = sum;
    })"""
    page = show({"a": Majoriser()})
    assert not fits_a_frame(page, ".gl-majoriser", burden=burden, count=5)
