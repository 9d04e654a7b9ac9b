"""A widget begins on a slide in the state that the slide names, or the build says why not."""

import doctest
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.extend(str(ROOT / each) for each in ("lecturer/_ext", "book/_ext"))

from lecturing import alive, slides  # noqa: E402
from lecturing.site import KitError, Site  # noqa: E402

ENTRY = {"model_module": "anywidget", "parts": ["dial-1", "dial-state-2"], "state": {}}
HELD = {
    "_anywidget_id": "gaugelib.widgets.dial.Dial",
    "_start": {"p": 2, "mode": "flow", "lr": 0.5},
    "_linkable": {
        "p": {"of": [1, 2]},
        "mode": {"of": ["flow", "edge"]},
        "scales": {"each": {"from": -4, "to": 4}, "least": 2, "most": 2},
        "lr": {
            "by": "mode",
            "cases": {
                "flow": {"from": 0, "to": 1, "opens": 0.5},
                "edge": {"from": 2, "to": 3, "opens": 2},
            },
        },
    },
    "p": 2, "mode": "flow", "scales": [0, 0], "lr": 0.5, "revealed": False, "weights": [1.5],
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    """A page with a figure and a widget, as the build of the book writes them."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "book").mkdir()
    (folder / "_static" / "widgets").mkdir(parents=True)
    view = f'<script type="{alive.VIEW}">{{"model_id": "m"}}</script>'
    embedded = json.dumps({"state": {"m": ENTRY}})
    (folder / "book" / "page.html").write_text(
        f'<script type="{alive.STATE}">{embedded}</script><article class="bd-article">'
        f'<figure id="fig-dial">{view}</figure><figure id="fig-still"></figure></article>',
        "utf8",
    )
    for name, content in (("dial-1", {"state": {"_esm": ""}}), ("dial-state-2", {"state": HELD})):
        text = f'(window.widgetParts ??= {{}})["{name}"] = {json.dumps(content)};\n'
        (folder / "_static" / "widgets" / f"{name}.js").write_text(text, "utf8")
    return Site(folder)


def begun(site: Site, **state: str) -> dict:
    return alive.widget_of(site, "fig-dial").begun(state)["state"]


def test_without_a_state_it_is_the_pages_own(site):
    assert alive.widget_of(site, "fig-dial").begun({}) == ENTRY


def test_what_differs_stands_in_the_entry_and_is_what_reset_returns_to(site):
    found = begun(site, p="1", scales="[1, -0.5]", revealed="true")
    start = {"p": 1, "mode": "flow", "lr": 0.5}
    assert found == {"p": 1, "scales": [1.0, -0.5], "revealed": True, "_start": start}


def test_a_trait_that_another_rules_opens_as_that_one_asks(site):
    assert begun(site, mode="edge")["lr"] == 2
    assert begun(site, mode="edge", lr="2.5")["lr"] == 2.5


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"p": "3"}, "p is one of 1, 2"),
        ({"scales": "1"}, "2 numbers from -4 to 4"),
        ({"mode": "edge", "lr": "0.5"}, "a number from 2 to 3"),
        ({"revealed": "perhaps"}, "revealed is true or false"),
    ],
)
def test_control_what_the_widget_cannot_show_is_refused(site, state, words):
    with pytest.raises(KitError, match=words):
        begun(site, **state)


def test_a_trait_of_which_nothing_is_said_is_tried_in_python():
    kept = {"steps": 3, "mode": "flow"}
    plane = alive.Widget("PhasePlane", {"state": {}}, kept)
    assert plane.begun({"mode": "edge", "steps": "7"})["state"] == {"mode": "edge", "steps": 7}
    with pytest.raises(KitError, match="PhasePlane refuses the state: steps"):
        plane.begun({"steps": "-1"})
    with pytest.raises(KitError, match="has no trait 'stepps'; it has mode, steps"):
        plane.begun({"stepps": "1"})


def test_control_a_figure_is_no_widget(site):
    with pytest.raises(KitError, match="no widget"):
        alive.widget_of(site, "fig-still")


def test_the_scripts_of_two_slides_are_two_widgets():
    one, two = (alive.scripts(ENTRY, name) for name in ("deck:1", "deck:2"))
    assert one != two
    assert alive.scripts({"x": "</script>"}, "").count("</script") == 2


@pytest.mark.parametrize("module", [alive, slides])
def test_examples(module):
    tried = doctest.testmod(module)
    assert (tried.failed, tried.attempted > 1) == (0, True)
