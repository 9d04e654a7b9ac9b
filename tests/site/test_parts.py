"""What widgets are made of lies in files that pages share; the page names them."""

import json

from gaugebook.widget_parts import STATE, divided
from tests.site import markup
from tools.site_browser import pages

MODULE = {"_esm": "export default 1", "_css": ".a{}", "_anywidget_id": "lib.widgets.dial.Dial"}
LAYOUT = {"model_module": "@jupyter-widgets/base", "state": {}}


def entry(**state):
    return {"model_module": "anywidget", "state": {**MODULE, **state}}


def handed_over(text):
    """What a part's script hands over."""
    return json.loads(text[text.index("] = ") + 4 :].rstrip(";\n"))


def put_together(page, files):
    """Every widget's state as the runtime puts it together."""
    for model, kept in json.loads(page)["state"].items():
        parts = [handed_over(files[name]) for name in kept["parts"]]
        yield model, {k: v for each in [*parts, kept] for k, v in each["state"].items()}


def test_no_trait_is_lost_and_one_module_is_written_once():
    states = {"a": entry(n=1), "b": entry(n=2), "c": entry(n=[0.5] * 1000), "layout": LAYOUT}
    page, files = divided(json.dumps({"state": states}))
    together = dict(put_together(page, files))
    assert together == {name: states[name]["state"] for name in "abc"}
    assert sorted(name.rpartition("-")[0] for name in files) == ["dial", "dial-state"]
    assert "export default" not in page
    assert len(page) < 1000


def test_buffers_go_with_the_state():
    buffers = [{"path": ["x"], "encoding": "base64", "data": "AA=="}]
    for size in (1, 1000):
        state = {"a": {**entry(n=[0.5] * size), "buffers": buffers}}
        page, files = divided(json.dumps({"state": state}))
        kept = json.loads(page)["state"]["a"]
        parts = [handed_over(files[name]) for name in kept["parts"]]
        assert [b for each in [*parts, kept] for b in each.get("buffers", [])] == buffers


def test_a_page_names_each_module_and_holds_none(site):
    named = set()
    for page in pages(site):
        for script in markup.read(site / page).find_all("script", {"type": STATE}):
            assert "export " not in script.text
            assert len(script.text) < 10_000
            for kept in json.loads(script.text)["state"].values():
                named.update(kept["parts"])
    assert len(named) >= 6
    assert {path.stem for path in (site / "_static/widgets").glob("*.js")} == named
