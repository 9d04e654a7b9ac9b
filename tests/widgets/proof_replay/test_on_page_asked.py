"""ProofReplay asks before it tells: the reader is the first to say what will fail."""

import pytest

from tests.widgets.proof_replay.on_page import ON_THE_PAGE, in_chapter, traced


@pytest.fixture
def chapter(view):
    """The widget of the chapter that replays a proof."""
    return in_chapter(view)


def test_the_reader_is_asked_before_being_told(chapter):
    replay = chapter("lemma_auxiliary")
    assert replay.root.get_by_role("button", name="Show which").count() == 0  # nothing is dropped
    replay.push("Next", times=4)  # to a step that will fail
    replay.choose("drop a hypothesis", "triple")
    trace = traced("lemma_auxiliary", drop="triple")
    replay.must_show(trace, 5, told=False)
    assert replay.text("summary") == "Which step will fail?"
    for number in range(1, 9):  # the numbers can be looked at, the verdicts cannot
        replay.press(replay.control("button", f"step {number}"), "Enter")
        replay.must_show(trace, number, told=False)
    said = replay.spoken()
    assert said.startswith("Step 8 of 8: ")
    assert said.endswith("Which step will fail?")
    replay.push("Show which steps fail")
    replay.must_show(trace, 5)
    assert replay.text("summary") == "✗ steps 5 and 7 fail"
    said = replay.spoken()
    assert said.startswith("Step 5 of 8 fails: ")
    assert said.endswith("On the whole, steps 5 and 7 fail.")
    assert replay.page.evaluate("document.activeElement.textContent") == "Hide the marks"


def test_another_network_keeps_what_was_told_and_another_hypothesis_asks_anew(chapter):
    replay = chapter("lemma_auxiliary")
    replay.drop("triple", step=7)
    replay.push("Another network")
    replay.must_show(traced("lemma_auxiliary", drop="triple", network=2), 7)
    replay.choose("drop a hypothesis", "double")
    replay.must_show(traced("lemma_auxiliary", drop="double", network=2), 7, told=False)
    replay.choose("drop a hypothesis", "")
    replay.must_show(traced("lemma_auxiliary", network=2), 7)
    replay.drop("double", step=7)
    replay.push("Hide the marks")
    replay.must_show(traced("lemma_auxiliary", drop="double", network=2), 7, told=False)
    replay.push("Reset")
    replay.must_show(traced("lemma_auxiliary"), 1)


@pytest.mark.parametrize(("width", "beside"), [(1280, True), (740, True), (375, False)])
def test_the_list_lies_beside_the_card_where_there_is_room(chapter, width, beside):
    for name in ON_THE_PAGE.values():
        replay = chapter(name, width=width, height=720)
        card, steps = (
            replay.root.locator(part).bounding_box() for part in (".gl-stage", ".gl-all")
        )
        assert (steps["x"] >= card["x"] + card["width"]) is beside
        assert (steps["y"] < card["y"] + 10) is beside
        together = max(card["height"], steps["height"])
        assert together < 640 or not beside  # they are seen together
