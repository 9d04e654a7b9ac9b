"""The lecturer's kit: a small Sphinx project that reads the built book (`make lecturer`)."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE / "_ext"), str(ROOT / "book" / "_ext"), str(ROOT)]

project = "For lecturers: the gauge symmetry of neural networks"
author = "the gaugelib authors"
copyright = "2026, the gaugelib authors"
language = "en"
extensions = ["myst_parser", "gaugebook.mathematics", "lecturing"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline", "attrs_block"]
exclude_patterns = ["_ext", "site", "problems", "numbers", "slides"]
lecturing_site = Path(os.environ.get("BOOK_SITE") or ROOT / "_build" / "html").resolve()

html_theme = "sphinx_book_theme"
html_title = "For lecturers"
html_math_renderer = "katex"
html_static_path = [str(ROOT / "book" / "site"), "site"]
html_css_files = ["book.css", "boxes.css", "lecturer.css"]
html_js_files = [("reach.js", {"defer": "defer"})]
html_context = {"default_mode": "light"}
templates_path = [
    str(HERE / "_ext" / "lecturing" / "components"),  # as ../components, which the theme asks for
    str(ROOT / "book" / "_ext" / "gaugebook" / "templates"),
]
html_domain_indices = False
html_use_index = False
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": False, "use_download_button": False}

if tags.has("slides"):  # noqa: F821  Sphinx gives it: `-t slides` builds the decks
    from lecturing.decks import settings

    globals().update(settings())
