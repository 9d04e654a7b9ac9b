"""The zip of the site, unpacked: its door opens the book, pages are whole, and a widget lives."""

import zipfile

import pytest

from tests.site import findings
from tests.widgets.rescale_neuron.on_page import Shown
from tools.take_along import packed
from tools.take_along.imprint import read

FIRST = "book/intro.html"


@pytest.fixture(scope="module")
def stick(site, tmp_path_factory):
    """A folder into which the zip was unpacked."""
    said, folder = read(), tmp_path_factory.mktemp("stick")
    files = packed.contents(site, FIRST, "", said.stem)
    archive = folder / "book.zip"
    archive.write_bytes(packed.pack(files, said.stem, said.title, said.date))
    zipfile.ZipFile(archive).extractall(folder)
    return folder / said.stem


def test_the_door_opens_the_book(stick, open_page):
    page = open_page((stick / packed.DOOR).as_uri(), scripts=False)
    page.wait_for_url(f"file://**/{packed.INSIDE}/{FIRST}")
    assert page.locator("h1").first.inner_text()


def test_a_dial_turns_without_a_network(stick, open_page):
    shown = Shown(open_page((stick / packed.INSIDE / FIRST).as_uri()))
    shown.press(shown.slider(2), *["ArrowRight"] * 12)
    assert shown.slider(2).get_attribute("aria-valuetext") == "a = 8.000"
    assert shown.text("max-difference") == "0"


@pytest.mark.parametrize("name", ["book/speed.html", "search.html"])
def test_other_pages_are_whole_without_a_network(stick, open_page, name):
    page = open_page((stick / packed.INSIDE / name).as_uri())
    assert page.locator("h1").first.inner_text()
    assert findings.raw_mathematics(page) == []


def test_control_a_page_whose_file_is_missing_is_noticed(stick, open_page):
    page = (stick / packed.INSIDE / "book" / "speed.html").read_text("utf8")
    broken = stick / packed.INSIDE / "broken.html"
    broken.write_text(page.replace("../_static", "absent"), "utf8")
    assert open_page.problems(open_page(broken.as_uri(), clean=False))
