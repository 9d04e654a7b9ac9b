"""An address opens a widget in a state, its button copies such an address, and neither reveals."""

import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Page

from gaugebook.states import address
from gaugelib.widgets import GaugeRace, Majoriser, PhasePlane, RescaleNeuron
from tests.site.visit import resize
from tests.widgets.linking import FORMS, others, put
from tests.widgets.scratch import RUNTIME, STATES, scratch_page
from tools.site_browser import SITE
from tools.widget_heights import pages_with_widgets

WITH_WIDGETS = pages_with_widgets(Path(os.environ.get("BOOK_SITE", SITE)))
SHOWN = """(name) => {
  const copy = document.querySelector(`#fig-${name} .gl-widget`).cloneNode(true);
  for (const said of copy.querySelectorAll("[aria-live]")) said.remove();
  for (const e of copy.querySelectorAll("*")) e.removeAttribute("data-lm-suppress-shortcuts");
  return copy.outerHTML;
}"""
QUESTION = """<form class="predict-form" data-predict="q"><p>Where will “once” lie?</p></form>"""
ANSWER = """<div class="predict-here" data-predict="q"></div>"""


@pytest.fixture
def show(tmp_path, serve, open_page):
    """Opens a page with these widgets in figures of their names, at an address."""
    for script in (RUNTIME, STATES):
        shutil.copy(script, tmp_path)
    served = serve(tmp_path)

    def show_it(widgets, hash_="", *, around=("", ""), disk=False, **options) -> Page:
        html = scratch_page(widgets, widgets, linked=True)
        html = html.replace("</h1>", f"</h1>{around[0]}").replace("</main>", f"{around[1]}</main>")
        (tmp_path / "page.html").write_text(html, "utf8")
        where = (tmp_path / "page.html").as_uri() if disk else f"{served}page.html"
        return open_page(f"{where}{hash_}", **options)

    return show_it


def drawn(page: Page, name: str) -> str:
    """What a widget shows, once it has come to rest, as a digest: pages of numbers tell little."""
    page.evaluate("() => new Promise((go) => requestAnimationFrame(() => setTimeout(go, 30)))")
    return sha256(page.evaluate(SHOWN, name).encode()).hexdigest()


def notes(page: Page) -> list[str]:
    """What is said of links that could not be used."""
    page.wait_for_timeout(150)
    return page.locator(".link-note[role=status]").all_text_contents()


def push_link(page: Page, name: str) -> str:
    """Press the button of a widget by keyboard; the address that it gives where none is copied."""
    page.locator(f"#fig-{name} .link-copy").press("Enter")
    field = page.locator(f"#fig-{name} .link-box input")
    field.wait_for()
    return field.input_value()


WITHOUT_CLIPBOARD = "() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }"


def test_every_widget_opens_as_its_address_says_and_copies_that_address(show):
    linked = {name: make() for name, make in FORMS.items()}
    states = {name: others(widget) for name, widget in linked.items()}
    python = {f"{name}-py": make() for name, make in FORMS.items()}
    for name, state in states.items():
        put(python[f"{name}-py"], state)
    parts = [address("", f"fig-{name}", state)[1:] for name, state in states.items()]
    page = show(linked | python, f"#{';'.join(parts)}")
    assert notes(page) == []
    page.evaluate(WITHOUT_CLIPBOARD)
    opened = {name: drawn(page, name) for name in linked}
    for name, part in zip(linked, parts, strict=True):
        assert opened[name] == drawn(page, f"{name}-py"), name
        assert push_link(page, name) == f"{page.url.split('#')[0]}#{part}"
    page.evaluate(f"location.hash = '{';'.join(f'fig-{name}?' for name in linked)}'")
    for name in linked:  # the page's own start is another
        assert drawn(page, name) != opened[name], name


BROKEN = ("p=3", "q=1", "p=1&log2_scales=1,2", "__proto__=1", "_start=1", "p=1&p=2", "%22%3E=1")


def test_a_broken_link_leaves_every_widget_as_the_page_has_it_and_says_so(show):
    widgets = {f"w{k}": RescaleNeuron() for k in range(len(BROKEN))} | {"own": RescaleNeuron()}
    parts = [f"fig-w{k}?{text}" for k, text in enumerate(BROKEN)]
    page = show(widgets, f"#fig-none?p=1;{';'.join(parts)}")
    said = notes(page)
    assert len(said) == len(BROKEN)
    names = ("“p”", "“q”", "“log2_scales”", "“__proto__”", "“_start”", "“p”", "a part of it")
    for line, name in zip(said, names, strict=True):
        assert name in line
        assert "the figure is as the page has it" in line
    for k in range(len(BROKEN)):
        assert drawn(page, f"w{k}") == drawn(page, "own")
    assert page.evaluate("({}).p") is None
    page.evaluate("location.hash = '#fig-w0?p=1'")  # one that can be used
    assert drawn(page, "w0") != drawn(page, "own")
    assert len(notes(page)) == len(BROKEN) - 1


def test_a_link_works_on_the_open_page_again_and_again_and_reset_goes_to_the_pages_start(show):
    link = "<a href='#fig-b?exponent=3&p=1'>three</a>"
    page = show({"a": RescaleNeuron(), "b": Majoriser()}, around=(link, ""))
    start = drawn(page, "b")
    page.get_by_text("three").press("Enter")
    linked = drawn(page, "b")
    assert linked != start
    assert page.evaluate("document.querySelector(':target').id") == "fig-b"
    assert page.url.endswith("#fig-b?exponent=3&p=1")
    page.locator("#fig-b").get_by_role("button", name="Reset").press("Enter")
    assert drawn(page, "b") == start
    page.get_by_text("three").press("Enter")  # changes no address
    assert drawn(page, "b") == linked


@pytest.mark.parametrize("disk", [False, True])
def test_the_button_copies_or_shows_the_link_to_what_is_seen(show, disk):
    page = show({"a": Majoriser()}, disk=disk)
    copy = page.get_by_role(
        "button", name="Copy link to this state: A bound that touches from above", exact=True
    )
    plain = page.url
    if disk:
        page.evaluate(WITHOUT_CLIPBOARD)
        copy.press("Enter")
        field = page.get_by_role("textbox", name="The link to this state: A bound")
        assert field.input_value() == f"{plain}#fig-a"  # as the page has it
        assert page.evaluate("getSelection().toString()") == field.input_value()
        assert field.get_attribute("readonly") is not None
        page.keyboard.press("Tab")
        field.wait_for(state="hidden")
        return
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#fig-a").get_by_role("combobox", name="exponent").select_option("3")
    copy.press("Enter")
    page.locator(".link-box [role=status]", has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{plain}#fig-a?exponent=3"


def test_what_would_answer_an_open_question_waits_for_the_answer(show):
    widgets = {"a": GaugeRace(epoch=0), "b": PhasePlane(revealed=False)}
    link = "#fig-a?epoch=20&depth=5;fig-b?revealed=true"
    page = show(widgets, link, around=(QUESTION, ANSWER))
    race = page.locator("#fig-a")
    assert race.get_by_role("slider", name="epoch").input_value() == "0"
    assert race.get_by_role("combobox", name="weight layers").input_value() == "5"
    told, refused = notes(page)
    assert "“epoch” would answer the question above" in told
    assert "“revealed”" in refused
    assert not page.locator("#fig-b").get_by_role("checkbox", name="show the orbits").is_checked()
    page.evaluate("document.querySelector('.predict-form').classList.add('done')")
    page.evaluate("location.hash = '#fig-a?epoch=20'")
    page.wait_for_timeout(50)
    assert race.get_by_role("slider", name="epoch").input_value() == "20"


def test_a_view_can_carry_its_state_and_only_a_figure_has_an_address(show, open_page, tmp_path):
    page = show({"a": Majoriser()})
    start = drawn(page, "a")
    html = (tmp_path / "page.html").read_text("utf8")
    html = html.replace('view+json">', 'view+json" data-state="p=1">')
    html = html.replace("<figure", "<div").replace("figure>", "div>")
    # Another file: of one that changed within a second a browser may show what it has kept.
    (tmp_path / "carried.html").write_text(html, "utf8")
    page.goto(page.url.replace("page.html", "carried.html"))
    page.wait_for_function("document.documentElement.dataset.widgets === 'mounted'")
    assert drawn(page, "a") != start
    assert page.locator(".link-copy").count() == 0


# ---------------------------------------------------------------- in the book


@pytest.mark.parametrize("page", WITH_WIDGETS or ["book/symmetry.html"])
def test_every_widget_of_the_book_has_a_link_to_its_state(view, page):
    shown = view(page)
    frames = shown.locator("figure[id] .gl-frame")
    assert frames.count() == shown.locator(".gl-frame").count() > 0
    for frame in frames.all():
        name = frame.locator(".gl-widget").get_attribute("aria-label")
        label = f"Copy link to this state: {name}"
        assert frame.get_by_role("button", name=label, exact=True).count() == 1


# The two buttons of a widget, and the words of its first line, where they lie on one another.
OVERLAPS = """() => [...document.querySelectorAll(".gl-frame")].flatMap((frame) => {
  const box = (kind) => frame.querySelector(kind).getBoundingClientRect();
  const [copy, whole] = [box(".link-copy"), box(".gl-whole")];
  const words = [...frame.querySelectorAll(".gl-question, .gl-title")].flatMap((line) => {
    const all = document.createRange();
    all.selectNodeContents(line);
    return [...all.getClientRects()];
  });
  const near = words.filter((e) => e.right > copy.left && e.top < copy.bottom);
  return [whole.left - copy.right, ...near.map(() => -1)].filter((room) => room < 2);
})"""


def test_an_address_of_the_book_leads_to_its_figure_and_paper_has_no_button(open_page, file_url):
    where = file_url("book/symmetry.html") + "#fig-hat?log2_scales=1,0,-1&p=1;fig-plane?w=1"
    page = open_page(where)
    page.wait_for_function("() => document.querySelector('#fig-hat .gl-widget')")
    top = page.locator("#fig-hat").bounding_box()["y"]
    assert 0 <= top < 200
    assert notes(page) == []
    dials = page.locator("#fig-hat .gl-slider .gl-value").all_text_contents()
    assert dials == ["a = 2.000", "a = 1.000", "a = 0.5000"]
    assert page.locator("#fig-hat").get_by_role("combobox").input_value() == "1"
    assert page.evaluate(OVERLAPS) == []
    for width in (545, 320):
        resize(page, width)
        assert page.evaluate(OVERLAPS) == [], width
    page.emulate_media(media="print")
    assert not page.locator(".link-copy").first.is_visible()
