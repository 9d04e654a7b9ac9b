"""At the foot of a page: its version and last change, how to cite it, where to report an error."""

import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from pybtex.database import parse_string

import gaugelib
from gaugebook.cited import Work, person
from gaugebook.revisions import Revision, latest, revisions
from tests.site import markup
from tests.site.copies import ROOT
from tools.site_browser import pages

REVISION = Revision("0123456789abcdef0123456789abcdef01234567", "2026-12-01")
EDITION = "version 0.1.0, revision 0123456 of 2026-12-01"
WORK = Work(
    title="100% of A_1 & B?",
    book="The Book",
    people=(("Ada", "de Lovelace"), ("", "The others")),
    version="0.1.0",
    revision=REVISION,
    year="2026",
    address="https://a.github.io/b/book/c_d.html",
    key="gaugelib:c_d",
)


def git(folder, *words, date="2026-01-02"):
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "b", "GIT_COMMITTER_NAME": "a"}
    when = {"GIT_AUTHOR_DATE": f"{date}T12:00:00Z", "GIT_COMMITTER_DATE": f"{date}T12:00:00Z"}
    environment = {"PATH": "/usr/bin:/bin", "GIT_COMMITTER_EMAIL": "b", **who, **when}
    subprocess.run(["git", "-C", str(folder), *words], check=True, env=environment)


@pytest.fixture
def history(tmp_path):
    """Two pages, the second of which was changed a month after."""
    folder = tmp_path / "book"
    folder.mkdir()
    git(tmp_path, "init", "-q")
    for text, date, names in (
        ("1", "2026-01-02", ("ä.md", "b.md")),
        ("2", "2026-02-03", ("b.md",)),
    ):
        for name in names:
            (folder / name).write_text(text, "utf8")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-qm", "A change", date=date)
    return tmp_path


def dates(folder):
    return {path: revision.date for path, revision in revisions(folder).items()}


def test_each_page_has_the_date_of_its_own_last_change(history):
    assert dates(history) == {"book/ä.md": "2026-01-02", "book/b.md": "2026-02-03"}


def test_a_page_that_is_changed_and_not_committed_has_none(history):
    (history / "book/b.md").write_text("3", "utf8")
    assert dates(history) == {"book/ä.md": "2026-01-02"}


def test_a_clone_without_the_whole_history_and_a_copy_without_any_know_nothing(history, tmp_path):
    clone, copy = tmp_path / "clone", tmp_path / "copy"
    git(tmp_path, "clone", "-q", "--depth", "1", history.as_uri(), str(clone))
    copy.mkdir()
    assert dates(clone) == dates(copy) == {}
    git(clone, "fetch", "-q", "--unshallow")  # the control
    assert dates(clone) == dates(history)


def test_the_first_commit_that_names_a_file_is_its_last():
    log = "\x00bbb 2026-02-02\n\nx.md\n\x00aaa 2026-01-01\n\nx.md\ny.md\n"
    assert latest(log) == {
        "x.md": Revision("bbb", "2026-02-02"),
        "y.md": Revision("aaa", "2026-01-01"),
    }
    assert latest("") == {}


def test_the_entry_can_be_read_by_a_bibliography():
    (entry,) = parse_string(WORK.bibtex, "bibtex").entries.values()
    assert (entry.key, entry.type) == ("gaugelib:c_d", "incollection")
    names = entry.persons["author"]
    assert [str(name) for name in names] == ["de Lovelace, Ada", "{The others}"]
    assert entry.fields["title"] == r"{100\% of A\_1 \& B?}"
    assert entry.fields["url"] == WORK.address  # as it is: `url` is set verbatim
    assert entry.fields["note"] == EDITION.capitalize()


def test_the_line_for_a_list_of_references():
    assert WORK.text == (
        "Ada de Lovelace and The others (2026). 100% of A_1 & B? In: The Book. "
        f"{EDITION.capitalize()}. https://a.github.io/b/book/c_d.html"
    )


def test_authors_are_persons_or_organisations():
    assert person({"name": "The gaugelib authors"}) == ("", "The gaugelib authors")
    known = {"given-names": "Ada", "name-particle": "de", "family-names": "Lovelace"}
    assert person(known) == ("Ada", "de Lovelace")


def test_the_version_that_is_cited_is_that_of_the_library():
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))
    assert said["version"] == gaugelib.__version__


@pytest.mark.slow
def test_an_error_is_reported_to_the_fork_with_the_page_that_has_it(fork):
    site = fork("teacher/class-book")
    soup = markup.read(site / "book/symmetry_exercises.html")
    links = {link["href"] for link in soup.select('a[href*="/issues/new"]')}
    assert len(links) == 1  # the foot and the theme's button lead to the same
    address = urlsplit(links.pop())
    assert f"{address.netloc}{address.path}" == "github.com/teacher/class-book/issues/new"
    asked = parse_qs(address.query)
    assert asked["title"] == ["Error in “The symmetry: Exercises”"]
    page = "https://teacher.github.io/class-book/book/symmetry_exercises.html"
    assert asked["body"][0].startswith(f"Page: {page}\nState: version {gaugelib.__version__}\n")


@pytest.mark.slow
def test_without_a_repository_a_page_is_cited_without_an_address_and_nothing_is_reported(fork):
    for page in pages(fork("")):
        if page.startswith("book/"):
            soup = markup.read(fork("") / page)
            assert soup.select(".report, a[href*='/issues/']") == []
            shown = "".join(pre.get_text() for pre in soup.select(".cite pre"))
            assert "gaugelib authors" in shown
            assert "http" not in shown
            assert soup.select_one(".edition").get_text() == f"Version {gaugelib.__version__}"


@pytest.mark.slow
def test_the_foot_of_a_page_names_and_links_its_last_change(small):
    soup = markup.read(small / "book/intro.html")
    commit = subprocess.run(
        ["git", "-C", str(small.parents[1]), "rev-parse", "HEAD"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    shown = soup.select_one(".edition")
    told = f"Version {gaugelib.__version__}, revision {commit[:7]} of 2026-12-01"
    assert shown.get_text().endswith(told)
    assert shown.a["href"] == f"https://github.com/teacher/class-book/commit/{commit}"
    (book, page) = (markup.read(small / f"book/{name}.html") for name in ("intro", "page"))
    assert "@book{gaugelib," in book.select_one(".cite").get_text()
    assert "@incollection{gaugelib:page," in page.select_one(".cite").get_text()


FIELD = """() => {
  const field = document.createElement("textarea");
  document.body.append(field);
  field.focus();
}"""


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 320)])
def test_a_citation_is_copied_by_keyboard(open_page, axe, theme, width):
    page = open_page("book/bibliography.html", width=width, theme=theme)
    page.locator(".cite summary").focus()
    page.keyboard.press("Enter")
    assert axe(page, within=".bd-footer-content") == []
    for _ in range(2):  # past the first button, to that of the entry
        page.keyboard.press("Tab")
    shown = page.locator(".cite pre").nth(1).inner_text()
    page.keyboard.press("Enter")
    page.locator(".cite button.success").wait_for()
    page.evaluate(FIELD)
    page.keyboard.press("Control+V")
    assert page.locator("textarea").input_value().strip() == shown.strip()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_a_citation_can_be_read_and_on_paper_is_one_line(open_page):
    page = open_page("book/bibliography.html", scripts=False)
    page.locator(".cite summary").click()
    assert "@incollection" in page.locator(".cite pre").nth(1).inner_text()
    page.emulate_media(media="print")
    foot = page.locator(".bd-footer-content")
    lines = [line for line in foot.inner_text().splitlines() if line.strip()]
    assert len(lines) == 1
    assert f"Version {gaugelib.__version__}" in lines[0]
