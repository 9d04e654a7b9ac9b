"""The zip is the site in a folder with a door, always the same bytes; no link to it dangles."""

import io
import zipfile
from datetime import timedelta

import pytest

from tests.take_along.small_site import ADDRESS, IMPRINT, build
from tools.take_along import linked, packed
from tools.take_along.site import AmissError

FIRST = "book/intro.html"
STEM = IMPRINT.stem


def zipped(site, address="", day=IMPRINT.date):
    return packed.pack(packed.contents(site, FIRST, address, STEM), STEM, IMPRINT.title, day)


def opened(whole):
    return zipfile.ZipFile(io.BytesIO(whole))


def test_there_is_one_folder_with_a_door_that_leads_into_the_site(tmp_path):
    site = build(tmp_path)
    archive = opened(zipped(site))
    assert archive.testzip() is None
    names = archive.namelist()
    at_top = {name.split("/", 1)[1] for name in names if name.count("/") == 1}
    assert at_top == {"open-me.html"}
    door = archive.read(f"{STEM}/open-me.html").decode()
    assert door.count("site/index.html") == 2
    inside = {name.removeprefix(f"{STEM}/site/") for name in names} - {f"{STEM}/open-me.html"}
    assert inside == {
        path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()
    }
    assert "_sources/book/chapter.ipynb" in inside


def test_the_same_site_gives_the_same_bytes_whenever_it_is_packed(tmp_path):
    first, second = build(tmp_path / "a"), build(tmp_path / "b")
    (second / "index.html").touch()
    assert zipped(first) == zipped(second)
    assert zipped(first) != zipped(first, day=IMPRINT.date + timedelta(days=1))
    (second / FIRST).write_text((second / FIRST).read_text() + " ")
    assert zipped(first) != zipped(second)


@pytest.fixture
def made(tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / f"{STEM}.pdf").write_bytes(b"%PDF" + bytes(3_000_000))
    (folder / f"{STEM}.zip").write_bytes(b"PK")
    return folder


def test_the_first_page_of_a_site_names_both_only_when_they_are_in_it(tmp_path, made):
    site = build(tmp_path / "site")
    plain = (site / FIRST).read_text()
    assert "take-along/" not in plain
    linked.link(site, FIRST, STEM, made)
    page = (site / FIRST).read_text()
    for kind in ("pdf", "zip"):
        assert f'href="../take-along/{STEM}.{kind}"' in page
        assert (site / "take-along" / f"{STEM}.{kind}").exists()
    assert "the book as a PDF</a> (3 MB)" in page
    linked.link(site, FIRST, STEM, made)
    assert (site / FIRST).read_text() == page


def test_a_zip_of_a_site_that_names_both_holds_neither_and_leads_to_the_published_ones(
    tmp_path, made
):
    site = build(tmp_path / "site")
    before = zipped(site)
    linked.link(site, FIRST, STEM, made)
    archive = opened(zipped(site))
    assert not [name for name in archive.namelist() if "take-along" in name]
    assert "take-along" not in archive.read(f"{STEM}/site/{FIRST}").decode()
    assert opened(before).namelist() == archive.namelist()
    page = opened(zipped(site, ADDRESS)).read(f"{STEM}/site/{FIRST}").decode()
    assert f'href="{ADDRESS}take-along/{STEM}.pdf"' in page


@pytest.mark.parametrize(
    ("spoil", "says"), [("pdf", "there is no .*pdf: run make pdf"), ("page", "has 0 paragraphs")]
)
def test_control_nothing_is_named_that_is_not_there(tmp_path, made, spoil, says):
    site = build(tmp_path / "site")
    if spoil == "pdf":
        (made / f"{STEM}.pdf").unlink()
    else:
        (site / FIRST).write_text("<p>Nothing.</p>")
    before = (site / FIRST).read_text()
    with pytest.raises(AmissError, match=says):
        linked.link(site, FIRST, STEM, made)
    assert (site / FIRST).read_text() == before
    assert not (site / "take-along").exists()
