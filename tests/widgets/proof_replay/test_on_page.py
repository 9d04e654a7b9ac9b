"""ProofReplay by effect: driven by keyboard, it shows what the proofs say of the same networks."""

import pytest

from gaugelib import hat, mlp_group, params_of, proofs
from gaugelib.widgets import ProofReplay
from tests.widgets.on_page import cleaned_up, misfits, shown_by
from tests.widgets.proof_replay.on_page import (
    CHAPTER,
    ON_THE_PAGE,
    Replay,
    in_chapter,
    traced,
    written,
)

THEOREM = "theorem_uniqueness"
SCRATCH = {
    "theorem_soft": ("homogeneous", "log", "bias", "dead"),
    "theorem_zero_modes": ("homogeneous", "penalty", "critical", "empty"),
    "theorem_splitting": ("activation", "seen", "unequal", "rates"),
    "theorem_barriers": ("data", "two", "metric", "large"),
}


@pytest.fixture
def show(open_page, serve, tmp_path):
    return shown_by(open_page, serve, tmp_path)


@pytest.fixture
def chapter(view):
    """The widget of the chapter that replays a proof."""
    return in_chapter(view)


# ---------------------------------------------------------------- on the page of the chapter


@pytest.mark.parametrize("name", ON_THE_PAGE.values())
def test_it_opens_at_the_first_step_and_every_step_holds(chapter, name):
    replay = chapter(name)
    replay.must_show(traced(name), 1)
    assert replay.text("summary") == "✓ every step holds"
    assert replay.text("network").startswith("1 of 6: random, number 1; 5 hidden units, 14 weights")


@pytest.mark.parametrize("name", ["lemma_auxiliary", THEOREM])
def test_every_step_of_every_hypothesis_is_reached_by_keyboard(chapter, name):
    replay, whole = chapter(name), traced(name)
    for drop in ("", *whole.drops):
        replay.drop(drop)
        trace = traced(name, drop=drop)
        for number in range(1, len(trace.steps) + 1):
            replay.must_show(trace, number)
            replay.push("Next")
        replay.must_show(trace, len(trace.steps))  # the last step has no next one
        replay.push("Back", times=len(trace.steps) + 1)
        replay.must_show(trace, 1)


def test_a_dropped_hypothesis_is_struck_out_and_the_broken_steps_are_named(chapter):
    replay = chapter("lemma_auxiliary")
    assert replay.root.locator("del").count() == 0
    replay.drop("triple")
    struck = replay.root.locator("del").text_content()
    assert struck == traced("lemma_auxiliary").hypotheses[1].text
    assert "dropped: three times that exponent" in replay.root.locator("li").all_text_contents()[1]
    assert replay.text("summary") == "✗ steps 5 and 7 fail"
    replay.drop("double")
    assert replay.text("summary") == "✗ step 5 fails"
    replay.drop("")
    assert replay.text("summary") == "✓ every step holds"


def test_another_network_redraws_all_numbers_and_comes_round(chapter):
    replay, seen = chapter("lemma_auxiliary"), []
    for network in (1, 2, 3, 4, 5, 6, 1):
        replay.must_show(traced("lemma_auxiliary", network=network), 1)
        seen.append((replay.text("left"), replay.root.locator(".gl-edge").count()))
        replay.push("Another network")
    assert len(set(seen)) == 6
    assert seen[0] == seen[6]


def test_three_times_the_exponent_raises_the_norm_of_the_last_network(chapter):
    replay = chapter("lemma_auxiliary")
    replay.drop("triple")
    replay.push("Another network", times=5)
    assert replay.text("summary") == "✗ steps 5, 7 and 8 fail"
    replay.press(replay.control("button", "step 8"), "Enter")
    assert (replay.text("left"), replay.text("right")) == ("3.078", "3.000")


def test_arrow_keys_walk_through_the_steps(chapter):
    replay, trace = chapter("lemma_compact"), traced("lemma_compact")
    first = replay.control("button", "step 1")
    replay.press(first, "ArrowDown", "ArrowRight", "ArrowDown")
    replay.must_show(trace, 4)
    assert replay.page.evaluate("document.activeElement.textContent").startswith("step 4")
    ways = {"ArrowUp": 3, "ArrowLeft": 2, "End": 7, "ArrowDown": 7, "Home": 1}
    for key, number in ways.items():
        replay.page.keyboard.press(key)
        replay.frame()
        replay.must_show(trace, number)
    replay.press(replay.control("button", "Next"), "ArrowRight")  # in the stage as in the list
    replay.must_show(trace, 2)


def test_what_a_step_speaks_of_is_lit_in_the_network(chapter):
    replay = chapter("lemma_compact")
    for number in range(1, 8):
        place = traced("lemma_compact").steps[number - 1].place
        assert replay.lit() == len(place.edges)
        nodes = {source or "x" for source, _ in place.edges}
        nodes |= {target or "y" for _, target in place.edges} | set(place.units)
        assert replay.root.locator(".gl-node.gl-lit").count() == len(nodes)
        label = replay.root.locator(".gl-sketch").get_attribute("aria-label")
        assert label.endswith(f"Lit: {place.words}." if place.words else "an output.")
        replay.push("Next")


def test_bars_are_as_long_as_their_numbers(chapter):
    replay = chapter("lemma_auxiliary")
    step = traced("lemma_auxiliary").steps[0]
    track = replay.root.locator(".gl-track").first.bounding_box()["width"]
    lengths = [
        replay.root.locator(f".gl-fill-{side}").bounding_box()["width"] / track
        for side in ("left", "right")
    ]
    assert lengths == pytest.approx([step.left.value / step.right.value, 1.0], abs=0.01)
    gaps = replay.root.locator(".gl-gap").first.bounding_box()["width"] / track
    assert gaps == pytest.approx(step.slack / step.right.value, abs=0.01)


def test_reset_returns_to_the_start(chapter):
    replay = chapter("lemma_balanced_is_minimal")
    replay.drop("layers")
    replay.push("Another network")
    replay.push("Next", times=4)
    replay.push("Reset")
    replay.must_show(traced("lemma_balanced_is_minimal"), 1)
    assert replay.control("combobox", "drop a hypothesis").input_value() == ""
    assert replay.text("network").startswith("1 of 6")


def test_it_speaks_once_the_reader_rests(chapter):
    replay = chapter("lemma_auxiliary")
    replay.drop("triple")
    replay.push("Next", times=6)
    said = replay.spoken()
    step = traced("lemma_auxiliary", drop="triple").steps[6]
    assert said.startswith("Step 7 of 8 fails: G(ã) ≤ G(1).")
    for words in (written(step.left.value), written(step.slack), step.text, "steps 5 and 7 fail"):
        assert words in said


@pytest.mark.parametrize("where", ["over HTTP", "from the disk"])
def test_it_needs_no_network(open_page, file_url, where):
    page = open_page(CHAPTER if where == "over HTTP" else file_url(CHAPTER))
    assert page.locator(".gl-replay").count() >= len(ON_THE_PAGE)
    replay = Replay(page)
    replay.push("Next")
    assert replay.text("step") == "Step 2 of 8"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_is_accessible_whole_and_broken(chapter, axe, theme, width):
    replay = chapter("lemma_auxiliary", theme=theme, width=width)
    assert axe(replay.page, within=".gl-widget") == []
    replay.drop("dead")
    replay.push("Next", times=5)
    assert replay.text("verdict") == "✗ fails"
    assert axe(replay.page, within=".gl-widget") == []


# ---------------------------------------------------------------- on scratch pages


def test_the_theorem_and_its_three_exceptions(show):
    replay = Replay(show({"a": ProofReplay(proof=THEOREM, p=1.0)}))
    for drop in ("", "dead", "bias", "isolated"):
        replay.drop(drop)
        replay.must_show(traced(THEOREM, drop=drop, p=1.0), 1)
        replay.press(replay.control("button", "step 5"), "Enter")
        replay.must_show(traced(THEOREM, drop=drop, p=1.0), 5)


@pytest.mark.parametrize(
    ("name", "drop"), [(name, drop) for name, drops in SCRATCH.items() for drop in ("", *drops)]
)
def test_the_theorems_of_later_chapters_step_by_step(show, name, drop):
    replay, trace = Replay(show({"a": ProofReplay(proof=name)})), traced(name, drop=drop)
    replay.drop(drop)
    for number in range(1, len(trace.steps) + 1):
        replay.must_show(trace, number)
        replay.push("Next")


def test_it_opens_where_it_is_told_to_and_returns_there(show):
    start = {"drop": "double", "network": 4, "step": 7, "revealed": "double"}
    replay = Replay(show({"a": ProofReplay(**start)}))
    trace = traced("lemma_auxiliary", network=4, drop="double")
    replay.must_show(trace, 7)
    replay.push("Hide the marks")
    replay.push("Another network")
    replay.push("Next")
    replay.push("Reset")
    replay.must_show(trace, 7)


def test_a_network_of_the_readers_own(show):
    params, group = params_of(hat()), mlp_group(hat())
    replay = Replay(show({"a": ProofReplay.from_params(params, group, proof="lemma_compact")}))
    assert replay.text("network").startswith("1 of 4: yours; 3 hidden units, 6 weights")
    replay.must_show(proofs.lemma_compact(params, group), 1)
    replay.push("Another network")
    assert "random gauge 1" in replay.text("network")


def test_two_copies_do_not_disturb_each_other(show):
    page = show({"a": ProofReplay(), "b": ProofReplay(proof="lemma_compact")}, "ab")
    first, second = Replay(page, 0), Replay(page, 1)
    first.push("Next", times=3)
    first.drop("dead", step=4)
    second.must_show(traced("lemma_compact"), 1)
    second.push("Next")
    first.must_show(traced("lemma_auxiliary", drop="dead"), 4)
    assert page.locator("main [id]").count() == 0


def test_two_views_of_one_widget_agree(show):
    page = show({"a": ProofReplay()}, "aa")
    Replay(page, 0).push("Next", times=2)
    Replay(page, 1).must_show(traced("lemma_auxiliary"), 3)


def test_cleanup_gives_everything_back(show):
    page = show({"a": ProofReplay(), "b": ProofReplay(proof=THEOREM)}, "ab")
    Replay(page).push("Next")
    held, left = cleaned_up(page)
    assert len(held) > 20
    assert left == []


def test_arrow_keys_stay_in_the_widget_and_shortcuts_pass(show):
    page = show({"a": ProofReplay()})
    page.evaluate("window.heard = []; addEventListener('keydown', (e) => heard.push(e.key))")
    replay = Replay(page)
    replay.press(replay.control("button", "step 1"), "ArrowDown", "End", "Control+s")
    assert page.evaluate("heard") == ["Control", "s"]


def test_everything_is_reached_by_the_tab_key_and_shows_its_focus(show):
    replay = Replay(show({"a": ProofReplay()}))
    reached = replay.tabbed()
    assert all(visible for _, visible in reached)
    names = [name for name, _ in reached]
    wanted = ["drop a hypothesis", "Another network", "Reset", "Back", "Next", "step 1", "step 8"]
    assert all(any(want in name for name in names) for want in wanted)
    assert len(reached) == 5 + 8


@pytest.mark.parametrize("width", [320, 812])
def test_every_proof_fits_and_can_be_read_and_touched(show, width):
    names = (*ON_THE_PAGE.values(), *SCRATCH)
    widgets = {chr(97 + k): ProofReplay(proof=name) for k, name in enumerate(names)}
    page = show(widgets, "".join(widgets), width=width)
    assert misfits(page) == []
    for index in range(len(widgets)):
        replay = Replay(page, index)
        keys = replay.root.locator("option").evaluate_all("(all) => all.map((o) => o.value)")
        replay.drop(keys[-1])
    assert misfits(page) == []


@pytest.mark.parametrize("name", [THEOREM, *SCRATCH])
@pytest.mark.parametrize("width", [320, 812])
def test_the_buttons_stay_under_the_finger(show, width, name):
    replay = Replay(show({"a": ProofReplay(proof=name)}, width=width))
    box = "(e) => { const { x, y } = e.getBoundingClientRect(); return [x, y + scrollY]; }"
    next_button = replay.root.get_by_role("button", name="Next", exact=True)
    places = set()
    for _ in range(9):
        places.add(tuple(next_button.evaluate(box)))
        replay.push("Next")
    assert len(places) == 1
