"""A reader searches: sections and statements are found, shown in prose, and landed on."""

import json
import re
import subprocess
from pathlib import Path

import nbformat
import pytest

from gaugebook.katex import node_path
from gaugebook.packed import LETTERS, packed, unpacked
from gaugebook.plain import ELLIPSIS, plain
from tools.execute_notebooks import find_notebooks
from tools.site_browser import pages

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BOTH = pytest.mark.parametrize("where", ["served", "disk"])
TEX = re.compile(r"\\|\$")

LANDED = """(id) => {
  const { top } = document.getElementById(id).getBoundingClientRect();
  return document.readyState === "complete" && top >= 0 && top <= 130;
}"""
TWENTY_FIRST = """() => document.activeElement.closest("li")
  === document.querySelectorAll("#search-results li")[20]"""

FIRST = {  # what a reader expects at the top
    "minimum norm": "minimum_norm.html",
    "minimum_norm": "reference.html#gaugelib.minimum_norm",
    "gl.soft_penalty": "reference_learning.html#gaugelib.soft_penalty",
    "GaugeGroup.spread": "reference.html#gaugelib.GaugeGroup.spread",
    "Noether": "conservation.html#noether-and-where-the-analogy-ends",
    "Theorem 2.1": "minimum_norm.html#thm-unique",
    "uniqueness": "minimum_norm.html#thm-unique",
    "Adam": "conservation.html#momentum-and-adam",
    "heavy ball": "conservation.html#prop-heavy-ball",
    "bias": "conservation_exercises.html#what-the-bias-takes",
    "pairing theorem": "pairing.html",
    "conservation laws": "conservation.html",
    "weight_norm": "reference.html#gaugelib.weight_norm",
    "statements": "statements.html",
    "Exercise 2.3": "minimum_norm_exercises.html#predict-the-saving",
    "Saul": "bibliography.html",
}


@pytest.fixture(scope="module")
def index(site):
    return unpacked((site / "searchindex.js").read_text("utf8"))


@pytest.fixture
def at(site_url, file_url):
    return lambda where, page: file_url(page) if where == "disk" else site_url + page


def test_pure_functions_in_node():
    done = subprocess.run(
        [node_path(), "--test", "--test-reporter=tap", str(HERE / "search.test.cjs")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"# pass (\d+)", done.stdout)[1]) >= 10


IN_NODE = """
const { unpacked } = require(process.argv[1]);
const script = require("node:fs").readFileSync(0, "utf8");
const [index, words] = new Function(`${script} return [searchIndex, searchWords]`)();
process.stdout.write(JSON.stringify(unpacked(index, words)));
"""


def in_full(script):
    """What the page of results makes of the file."""
    search = str(ROOT / "book" / "site" / "search.js")
    done = subprocess.run(
        [node_path(), "-e", IN_NODE, search], input=script.encode(), capture_output=True, check=True
    )
    return json.loads(done.stdout)


ODD = 'A "minimum",\na θ̇ minimum: \\minimum, Ā minimum, 𝔼 minimum_norm minimum_norm minimum_norm'


@pytest.mark.parametrize(
    "index",
    [
        [],
        [["a.html", "", [], [[ODD]]]],
        [[f"{letter} {letter}" for letter in LETTERS], ["a" * 9] * 9],
    ],
    ids=["nothing", "odd signs", "no letter is free"],
)
def test_shortened_words_are_read_in_full_by_the_page_and_by_the_tests(index):
    assert in_full(packed(index)) == unpacked(packed(index)) == index


def test_a_word_that_is_written_often_is_shortened_and_no_other_file_is_an_index():
    once, often = (packed([["conservation law"] * n]) for n in (1, 20))
    assert "conservation law" in once
    assert often.count("conservation") == 1
    with pytest.raises(ValueError, match="no index"):
        unpacked(often.removesuffix("\n"))


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"a>0", "a > 0"),
        (r"\theta_e'^2", "θₑ′²"),
        (r"\lVert W\rVert_p^p", "‖W‖ₚᵖ"),
        (r"\frac1p\log(1+x)", "1/plog(1+x)"),
        (r"\frac{a+b}{2}", "(a+b)/2"),
        (r"e^{-\lambda pt}", "e^(−λpt)"),
        (r"B^\top\xi", "Bᵀξ"),
        (r"\dot\theta", "θ\u0307"),
        (r"\nosuchcommand x", ELLIPSIS),
        (r"\begin{array}x", ELLIPSIS),
        (r"\frac{1}", ELLIPSIS),
        (r"a}b", ELLIPSIS),
    ],
)
def test_formula_as_text(tex, text):
    assert plain(tex) == text


def test_every_formula_within_a_line_of_the_book_can_be_read_as_text():
    texts = [path.read_text("utf8") for path in (ROOT / "book").glob("*.md")]
    for path in find_notebooks():
        cells = nbformat.read(path, as_version=4).cells
        texts += [cell.source for cell in cells if cell.cell_type == "markdown"]
    lines = "\n".join(
        re.sub(r"\$\$.*?\$\$|`[^`]*`|```.*?```", "", t, flags=re.DOTALL) for t in texts
    )
    formulas = {f for f in re.findall(r"(?<![\\$])\$([^$\n]+)\$", lines) if "begin" not in f}
    assert len(formulas) > 500
    assert {f: plain(f) for f in formulas if plain(f) == ELLIPSIS or TEX.search(plain(f))} == {}


def test_index_holds_prose_and_neither_code_nor_tex(index):
    places = [place for *_, places in index for place in places]
    text = "\n".join(part for place in places for part in place[2:])
    assert len(places) > 200
    assert "in mechanics a motion from one place" in text.lower()  # the control: prose is there
    assert re.findall(r"\\[a-zA-Z]+|\$\w", text) == []
    code = {
        line.strip()
        for path in find_notebooks()
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
        for line in cell.source.splitlines()
        if len(line.strip()) > 25
    }
    assert len(code) > 300
    assert {line for line in code if line in text} == set()
    assert "Checked by tests" not in text


def test_index_leads_to_places_that_are_there(index, site):
    for address, *_, places in index:
        page = (site / address).read_text("utf8")
        for _, anchor, *_ in places:
            assert not anchor or f'id="{anchor}"' in page, (address, anchor)


def test_every_page_is_in_the_index_in_the_order_of_the_contents(index, site):
    addresses = [address for address, *_ in index]
    assert {f"{a}" for a in addresses} == {p for p in pages(site) if p.startswith("book/")}
    assert addresses[0] == "book/intro.html"
    assert (
        addresses.index("book/symmetry_exercises.html") == addresses.index("book/symmetry.html") + 1
    )


@pytest.mark.parametrize("question", FIRST)
def test_first_result_is_what_a_reader_expects(open_page, question):
    page = open_page(f"search.html?q={question}")
    link = page.locator("#search-results li a").first
    link.wait_for()
    assert (link.get_attribute("href") or "").startswith(f"book/{FIRST[question]}")


@BOTH
def test_result_shows_where_it_is_and_its_excerpt_and_is_landed_on(open_page, at, where):
    page = open_page(at(where, "search.html") + "?q=Noether")
    result = page.locator("#search-results li").first
    assert "Conservation laws" in result.locator(".place").inner_text()
    assert result.locator("mark").first.inner_text() == "Noether"
    assert "import" not in result.inner_text()
    result.get_by_role("link").click()
    page.wait_for_url("**/conservation.html#noether-and-where-the-analogy-ends")
    page.wait_for_function(LANDED, arg="noether-and-where-the-analogy-ends")


def test_nothing_found_is_said_and_advice_is_given(open_page, axe):
    page = open_page("search.html?q=zzqxjk", width=320)
    assert "Nothing in this book matches “zzqxjk”" in page.get_by_role("status").inner_text()
    assert page.locator("#search-advice").get_by_role("link", name="Notation").is_visible()
    assert page.locator("#search-results li").count() == 0
    assert axe(page) == []


def test_advice_is_not_given_where_it_is_not_needed(open_page):
    page = open_page("search.html?q=symmetry")
    assert not page.locator("#search-advice").is_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 320)])
def test_results_are_accessible_and_the_rest_is_shown_by_keyboard(open_page, axe, theme, width):
    page = open_page("search.html?q=network", width=width, theme=theme)
    results = page.locator("#search-results li")
    assert results.count() == 20
    assert axe(page) == []
    page.locator("#search-more").focus()
    page.keyboard.press("Enter")
    assert results.count() > 20
    assert page.evaluate(TWENTY_FIRST)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_was_asked_for_stands_in_the_field_and_is_no_markup(open_page):
    page = open_page("search.html?q=<b>bold</b>")
    assert page.locator("#search-results b, #search-summary b").count() == 0
    assert page.locator(".bd-search-container input").input_value() == "<b>bold</b>"


def test_index_is_light_and_loaded_by_the_page_of_results_alone(site, index):
    script = (site / "searchindex.js").read_text("utf8")
    assert in_full(script) == index
    in_other_words = json.dumps(index, ensure_ascii=False)
    assert len(script.encode()) < 0.65 * len(in_other_words.encode())
    holders = {page for page in pages(site) if "searchindex.js" in (site / page).read_text("utf8")}
    assert holders == {"search.html"}
    for name in ("searchtools.js", "language_data.js"):
        assert not (site / "_static" / name).exists()
