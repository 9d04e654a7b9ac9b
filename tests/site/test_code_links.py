"""Names of the library in code lead to the reference; everything else is as it was."""

import json
import re

import pytest
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonConsoleLexer, PythonLexer

from gaugebook.code_links import with_links
from gaugebook.code_names import imported, parsed
from tests.meta.prose import ROOT
from tests.site import markup
from tools.site_browser import pages

KNOWN = {"gaugelib.rescale", "gaugelib.hessian", "gaugelib.soft.vertical", "gaugelib.check.balance"}
LINK = re.compile(r'<a class="api" href="([^"]*)">([^<]*)</a>')


def block(code, prompts=False):
    kind = "doctest highlight-default" if prompts else "highlight-ipython3"
    lexer = PythonConsoleLexer() if prompts else PythonLexer()
    return f'<div class="{kind} notranslate">{highlight(code, lexer, HtmlFormatter())}</div>'


def links(*cells, prompts=False):
    html = "".join(block(cell, prompts) for cell in cells)
    body = with_links(html, lambda name: f"#{name}" if name in KNOWN else "")
    assert LINK.sub(r"\2", body) == html  # nothing else has changed
    return LINK.findall(body)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import gaugelib as gl\ngl.rescale(p)", "gaugelib.rescale"),
        ("import gaugelib\ngaugelib.soft.vertical(p)", "gaugelib.soft.vertical"),
        ("from gaugelib.soft import vertical as v\nv(1); v(2)", "gaugelib.soft.vertical"),
        ("from gaugelib import check\nθ = check.balance('<&')", "gaugelib.check.balance"),
        ("import gaugelib as gl\n'é<&', gl.rescale", "gaugelib.rescale"),
        ("%pip install x\nimport gaugelib as gl\ngl.hessian", "gaugelib.hessian"),
    ],
)
def test_a_name_is_linked_where_it_first_stands(code, name):
    assert links(code) == [(f"#{name}", name.rpartition(".")[2])]


def test_imports_of_an_earlier_cell_count():
    assert (
        links("import gaugelib as gl", "gl.rescale", "gl.rescale")
        == [("#gaugelib.rescale", "rescale")] * 2
    )


@pytest.mark.parametrize(
    "code",
    [
        "gl.rescale(p)",
        "import torch as gl\ngl.rescale(p)",
        "import gaugelib as gl\ngl.nothing(p)",
        "import gaugelib as gl\nother.gl.rescale(p)",
        "from gaugelib import check\ndef f(check):\n    return check.balance",
        "import gaugelib as gl\nnot ( python: gl.rescale",
        "import gaugelib as gl\n'gl.rescale'  # gl.rescale",
    ],
)
def test_control_other_names_are_left_alone(code):
    assert links(code) == []


def test_an_example_with_prompts_stands_by_itself():
    example = ">>> from gaugelib import hessian\n>>> x = [\n...     hessian(p),\n... ]\n[hessian]\n"
    assert links(example, prompts=True) == [("#gaugelib.hessian", "hessian")]
    assert links(example, ">>> hessian(p)\n", prompts=True) == [("#gaugelib.hessian", "hessian")]


def test_a_name_with_two_meanings_has_none():
    trees = [parsed("from gaugelib import hessian", False), parsed("hessian = 1", False)]
    assert imported(trees[:1]) == {"hessian": "gaugelib.hessian"}
    assert imported(trees) == {}


def test_the_code_of_the_book_leads_to_the_reference(site):
    """That each link leads somewhere is a test of every page."""
    found = {page: LINK.findall((site / page).read_text("utf8")) for page in pages(site)}
    assert sum(map(len, found.values())) > 200
    assert ("reference.html#gaugelib.rescale", "rescale") in found["book/symmetry.html"]


def test_code_with_links_reads_as_its_source(site):
    page = markup.read(site / "book" / "drift.html")
    cells = json.loads((ROOT / "book" / "drift.ipynb").read_text("utf8"))["cells"]
    sources = ["".join("".join(cell["source"]).split()) for cell in cells]
    blocks = page.select("div.cell_input pre:has(a.api)")[1:]  # the first one is not as its source
    assert len(blocks) > 5
    for block in blocks:
        assert "".join(block.get_text().split()) in sources


def test_the_links_of_a_page_weigh_little(site):
    for page in pages(site):
        text = (site / page).read_text("utf8")
        assert len(text) - len(LINK.sub(r"\2", text)) < 20_000, page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_link_in_code_is_quiet_legible_and_reached_by_keyboard(open_page, axe, theme):
    page = open_page("book/symmetry.html", theme=theme)
    link = page.locator("pre a.api:visible").first
    colour = "(link) => getComputedStyle(link).color"
    plain = link.evaluate("(link) => getComputedStyle(link.closest('pre')).color")
    assert link.evaluate(colour) == plain
    link.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert link.evaluate("(link) => link === document.activeElement")
    assert "underline" in link.evaluate("(link) => getComputedStyle(link).textDecorationLine")
    assert axe(page, within=".cell_input") == []


def test_the_copy_button_copies_the_code_and_no_address(open_page, site):
    page = open_page("book/symmetry.html")
    cell = page.locator(".cell_input:has(a.api)").last
    text = cell.locator("pre").evaluate("(pre) => pre.innerText")
    assert "reference" not in text
    assert cell.locator("button.copybtn").count() == 1
    target = cell.locator("button.copybtn").get_attribute("data-clipboard-target")
    assert page.locator(target).evaluate("(pre) => pre.innerText") == text
