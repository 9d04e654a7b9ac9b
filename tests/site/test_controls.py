"""Controls: a page broken on purpose is caught, or the tests of every page prove nothing."""

import json

import pytest

from tests.site import findings, markup
from tests.site.findings import COLOURS

FRAME = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Control</title>
<link rel="icon" href="data:,"></head><body><main><h1>Control</h1>{}</main></body></html>"""
LINK = '<p>A sentence with <a href="/">a link</a> in its midst.</p>'


@pytest.fixture
def broken(tmp_path, serve, open_page):
    """Opens a page with the given body; returns it and what went wrong on the way."""
    address = serve(tmp_path)

    def open_it(body, **options):
        (tmp_path / "page.html").write_text(FRAME.format(body), "utf8")
        return open_page(f"{address}page.html", clean=False, **options)

    return open_it


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('<img src="https://example.org/a.png" alt="far">', "request to https://example.org"),
        ('<script src="absent.js"></script>', "404"),
        ("<script>console.error('oh')</script>", "console: oh"),
        ("<script>throw new Error('ah')</script>", "script: ah"),
        ("<script>fetch('http://other.invalid/')</script>", "other.invalid"),
    ],
)
def test_page_that_is_not_self_contained_is_caught(open_page, broken, body, word):
    assert any(word in problem for problem in open_page.problems(broken(body)))


def test_sound_page_is_not_accused(open_page, broken, axe, tmp_path):
    page = broken("<p>A price of 5 $, a <code>$x$</code> in code.</p>", width=320)
    assert open_page.problems(page) == []
    assert axe(page) == findings.raw_mathematics(page) == findings.sideways(page) == []
    assert markup.images_without_alt(tmp_path / "page.html") == []


@pytest.mark.parametrize(
    "body",
    [
        "<p>raw $x^2$ here</p>",
        r"<p>raw \(x\) here</p>",
        r"<p>\frac{1}{2}</p>",
        "<p>$$</p>",
        '<span class="math">x</span>',
        '<span class="katex-error">x</span>',
    ],
)
def test_raw_mathematics_is_caught(broken, body):
    assert findings.raw_mathematics(broken(body))


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ('<img src="data:,">', "image-alt"),
        ('<p style="color:#999;background:#fff">pale</p>', "color-contrast"),
        ("<input type=range>", "label"),
        ("<button></button>", "button-name"),
        ("<style>a { color: #222; text-decoration: none }</style>" + LINK, "link-in-text-block"),
    ],
)
def test_accessibility_violation_is_caught(broken, axe, body, rule):
    assert any(line.startswith(f"{rule}:") for line in axe(broken(body)))


@pytest.mark.parametrize(
    ("paint", "rule"),
    [
        ("p { color: #666 }", "color-contrast"),
        ("a { color: #cde; text-decoration: none }", "link-in-text-block"),
    ],
)
def test_colours_of_the_dark_are_caught_in_the_dark_alone(broken, axe, paint, rule):
    dark = "body { background: #111; color: #eee } a { color: #8cf }"
    body = f"<style>@media (prefers-color-scheme: dark) {{ {dark} {paint} }}</style>{LINK}"
    assert axe(broken(body)) == []
    found = axe(broken(body, theme="dark"), *COLOURS)
    assert {line.split(":")[0] for line in found} == {rule}


def test_what_stands_beside_is_not_looked_at_and_stays(broken, axe):
    bad = '<p style="color:#999;background:#fff">pale</p>'
    page = broken(bad + '<section><div id="part"><i>A part.</i></div></section><button></button>')
    before = page.content()
    assert axe(page, within="#part") == []
    assert page.content() == before
    with pytest.raises(AssertionError, match="nothing to look at"):
        axe(page, "color-contrast", within="button")
    found = axe(broken(f'<div id="part">{bad}</div><p>More.</p>'), within="#part")
    assert [line.split(":")[0] for line in found] == ["color-contrast"]


@pytest.mark.parametrize(
    "body",
    [
        '<div style="width:500px;height:9px">wide</div>',
        '<div style="overflow:visible"><pre>' + "x" * 200 + "</pre></div>",
    ],
)
def test_page_wider_than_the_window_is_caught(broken, body):
    assert findings.sideways(broken(body, width=320))


def test_what_scrolls_within_itself_is_not_accused(broken):
    body = '<div style="overflow-x:auto"><div style="width:500px;height:9px">wide</div></div>'
    assert findings.sideways(broken(body, width=320)) == []


@pytest.mark.parametrize(
    ("check", "body"),
    [
        (markup.images_without_alt, '<img src="a.png">'),
        (markup.images_without_alt, '<noscript><img src="a.png" alt=" "></noscript>'),
        (markup.repeated_ids, '<p id="a"></p><p id="a"></p>'),
        (markup.views_without_still, f'<script type="{markup.VIEW["type"]}">{{}}</script>'),
        (
            markup.views_without_still,
            f'<script type="{markup.VIEW["type"]}">{{}}</script><noscript><img></noscript>',
        ),
    ],
)
def test_flaw_in_the_markup_is_caught(tmp_path, check, body):
    (tmp_path / "page.html").write_text(FRAME.format(body), "utf8")
    assert check(tmp_path / "page.html")


@pytest.mark.parametrize(
    ("address", "sound"),
    [
        ("page.html", True),
        ("page.html#here", True),
        ("#here", True),
        ("#", True),
        ("https://example.org/x", True),
        ("absent.html", False),
        ("page.html#nowhere", False),
        ("#nowhere", False),
        ("../outside.html", False),
        ("javascript:void(0)", False),
    ],
)
def test_link_is_judged_by_file_and_anchor(tmp_path, address, sound):
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "outside.html").write_text("")
    path = site / "page.html"
    path.write_text(FRAME.format(f'<p id="here"><a href="{address}">x</a></p>'), "utf8")
    links = [link for link in markup.broken_links(path, site) if "data:," not in link]
    assert (links == []) is sound


def test_widget_that_is_not_mounted_is_counted(broken):
    state = {"state": {"a": {"model_module": "anywidget", "state": {}}}}
    kind = "application/vnd.jupyter.widget"
    page = broken(
        f'<script type="{kind}-state+json">{json.dumps(state)}</script>'
        f'<script type="{kind}-view+json">{{"model_id": "a"}}</script>'
    )
    assert findings.widgets(page) == {"anywidgets": ["a"], "views": ["a"], "mounted": []}


def test_heavy_page_is_weighed(chromium, tmp_path):
    from tools.site_weight import LIMIT, weigh_all

    (tmp_path / "page.html").write_text(FRAME.format('<script src="big.js"></script>'), "utf8")
    (tmp_path / "big.js").write_text("/*" + "x" * LIMIT + "*/")
    [weight] = weigh_all(chromium, tmp_path)
    assert weight.plain > LIMIT > 100 * weight.gzipped
    assert weight.heaviest == "big.js"
