"""The runtime mounts anywidgets from a page's embedded state, and says aloud when it cannot."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gaugebook.katex import node_path

HERE = Path(__file__).parent
RUNTIME = HERE.parents[1] / "book/site/widgets.js"
KIND = "application/vnd.jupyter.widget"
PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Runtime</title>
<link rel="icon" href="data:,"><script type="{kind}-state+json">{state}</script>
<script defer src="widgets.js"></script></head>
<body><main><h1>Runtime</h1>{views}</main></body></html>"""

COUNTER = """
export default async () => ({
  initialize({ model }) {
    window.initialized = (window.initialized ?? 0) + 1;
    model.set("n", model.get("n") + 1);
  },
  render({ model, el, signal }) {
    const button = document.createElement("button");
    const draw = () => { button.textContent = `count ${model.get("n")}`; };
    button.onclick = () => { model.set("n", model.get("n") + 1); model.save_changes(); };
    model.on("change:n", draw); draw(); el.append(button);
    signal.addEventListener("abort", () => { window.aborted = true; });
    return () => localStorage.setItem("cleaned", Number(localStorage.getItem("cleaned")) + 1);
  },
});
"""


def anywidget(source, **state):
    return {"model_module": "anywidget", "state": {"_esm": source, **state}}


@pytest.fixture
def show(tmp_path, serve, open_page):
    """Opens a page with these widgets' state and views, served or from the disk."""
    shutil.copy(RUNTIME, tmp_path)
    address = serve(tmp_path)

    def show_it(entries, views, *, clean=True, disk=False):
        scripts = [
            f'<script type="{KIND}-view+json">{{"model_id": "{id}"}}</script>' for id in views
        ]
        state = json.dumps({"state": entries}).replace("</", r"<\/")
        page = PAGE.format(kind=KIND, state=state, views="".join(scripts))
        (tmp_path / "page.html").write_text(page, "utf8")
        where = (tmp_path / "page.html").as_uri() if disk else f"{address}page.html"
        return open_page(where, clean=clean)

    return show_it


def test_model_keeps_what_anywidget_promises():
    tests = HERE / "widgets_runtime.test.cjs"
    done = subprocess.run(
        [node_path(), "--test", "--test-reporter=tap", str(tests)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    written = tests.read_text("utf8").count("\ntest(")
    assert f"# pass {written}\n" in done.stdout


@pytest.mark.parametrize("disk", [False, True])
def test_two_views_share_one_model_that_is_initialised_once(show, disk):
    page = show({"a": anywidget(COUNTER, n=0)}, ["a", "a"], disk=disk)
    buttons = page.locator("button")
    assert buttons.all_text_contents() == ["count 1", "count 1"]
    buttons.first.click()
    assert buttons.all_text_contents() == ["count 2", "count 2"]
    assert page.evaluate("window.initialized") == 1


def test_two_widgets_of_one_class_do_not_share_their_state(show):
    page = show({"a": anywidget(COUNTER, n=0), "b": anywidget(COUNTER, n=5)}, ["a", "b"])
    page.locator("button").first.click()
    assert page.locator("button").all_text_contents() == ["count 2", "count 6"]


def test_cleanup_runs_when_the_page_is_left(show, file_url):
    page = show({"a": anywidget(COUNTER, n=0)}, ["a", "a"])
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    page.wait_for_timeout(50)
    assert page.evaluate("localStorage.getItem('cleaned')") is None  # it may come back alive
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: false }))")
    page.wait_for_function("localStorage.getItem('cleaned') === '2'")
    assert page.evaluate("window.aborted") is True
    page.locator("button").first.click()
    assert page.locator("button").all_text_contents() == ["count 1", "count 1"]  # no longer listens


def test_style_of_a_widget_is_applied_once(show):
    source = "export default { render({ el }) { el.append('styled'); } }"
    style = ".widget-live { color: rgb(1, 2, 3); }"
    page = show({name: anywidget(source, _css=style) for name in "ab"}, ["a", "b", "a"])
    assert page.locator("style").count() == 1
    assert (
        page.locator(".widget-live").first.evaluate("e => getComputedStyle(e).color")
        == "rgb(1, 2, 3)"
    )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (anywidget("export default { render() { throw new Error('no ink'); } }"), "no ink"),
        (anywidget("export default { async render() { throw new Error('late'); } }"), "late"),
        (anywidget("export default {"), "could not start"),
        (anywidget("export default { initialize() {} }"), "no render"),
        (anywidget("export const render = 1"), "no render"),
        ({"model_module": "@jupyter-widgets/controls", "state": {}}, "not an anywidget"),
    ],
)
def test_failure_is_shown_on_the_page_and_in_the_console(show, open_page, entry, words):
    page = show({"bad": entry, "good": anywidget(COUNTER, n=0)}, ["bad", "good"], clean=False)
    assert words in page.locator("[role=alert]").text_content()
    assert any(problem.startswith("console:") for problem in open_page.problems(page))
    assert page.locator("button").all_text_contents() == ["count 1"]  # the others live


def test_view_without_state_is_an_error(show):
    page = show({}, ["ghost"], clean=False)
    assert "not in this page" in page.locator("[role=alert]").text_content()
