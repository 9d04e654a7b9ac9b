"""One style sheet and one script stand for all: nothing is lost, and nothing changes its order."""

import pytest
from sphinx.errors import ExtensionError

from gaugebook.bundle import SCRIPT, SCRIPTS, SHEET, in_one_order, named, replaced, whole
from tools.site_browser import pages


def test_an_order_that_agrees_with_every_page():
    assert in_one_order([["a", "c"], [], ["a", "b", "c"]]) == ["a", "b", "c"]
    for odd in (["c", "a"], ["a", "d"]):
        with pytest.raises(ExtensionError, match="another order"):
            in_one_order([["a", "b", "c"], odd])


def test_what_is_imported_stands_in_its_place_with_its_addresses(tmp_path):
    (tmp_path / "_static/x").mkdir(parents=True)
    (tmp_path / "_static/a.css").write_text('@import "x/b.css"; a{b:url(c.png)}')
    (tmp_path / "_static/x/b.css").write_text("b{b:url('../d.png') url(data:,x)}")
    style = whole(tmp_path, "_static/a.css")
    assert "@import" not in style
    assert "b{b:url('../d.png') url(data:,x)}" in style
    assert style.index("../d.png") < style.index("url(../c.png)")


def test_one_tag_replaces_those_that_are_bundled_and_no_other():
    html = '<script src="../a.js?v=1"></script><script src="../b.js"></script><script>x</script>'
    found = replaced(SCRIPT, html, "book/p.html", {"b.js"}, "ONE")
    assert found == '<script src="../a.js?v=1"></script>ONE<script>x</script>'


def test_every_page_names_one_style_sheet_and_no_script_twice(site):
    for page in pages(site):
        html = (site / page).read_text("utf8")
        sheets = named(SHEET, html, page)
        scripts = named(SCRIPT, html, page)
        assert len(sheets) == (0 if page == "index.html" else 1), page
        assert len(scripts) == len(set(scripts)), page
        assert all((site / path).is_file() for path in [*sheets, *scripts]), page
        assert not set(scripts) & set(SCRIPTS), page
