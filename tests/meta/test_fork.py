"""What the guide for a fork tells a teacher to write and to type does what it says."""

import os
import re
import subprocess
from datetime import date

import yaml

from gaugebook.course import HIDDEN, contents_of, parse
from tests.meta.prose import ROOT
from tests.meta.test_classroom import unknown
from tests.meta.test_workflows import commands

PAGE = (ROOT / "book" / "fork.md").read_text("utf8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COURSE, KIT = (text for language, text in BLOCKS if language == "yaml")
TYPED = [line for language, text in BLOCKS if language == "bash" for line in text.splitlines()]
PAGES = (ROOT / ".github" / "workflows" / "pages.yml").read_text("utf8")


def test_the_example_is_a_course():
    course = parse(COURSE, contents_of(ROOT), ROOT, {})
    assert course.name == "Learning theory, spring 2027"
    assert course.chapters == ("symmetry", "minimum_norm", "conservation", "pairing")
    assert course.dates["learning"] == date(2027, 3, 29)
    assert course.solutions["conservation"] == HIDDEN
    assert not course.shows_solutions("symmetry", date(2027, 3, 7))
    assert course.shows_solutions("symmetry", date(2027, 3, 8))


def test_make_knows_what_the_guide_asks_it_for():
    makefile = (ROOT / "Makefile").read_text()
    asked = re.findall(r"make (?:-C \w+ )?([a-z]+)(?: (lecturer))?", PAGE)
    assert {"book", "lecturer", "serve", "students"} <= {target for two in asked for target in two}
    assert (
        unknown(" ".join(f"make {target}" for two in asked for target in two if target), makefile)
        == set()
    )
    assert unknown("make lectures", makefile) == {"lectures"}


def git(folder, *words):
    who = {f"GIT_{w}_{x}": "x" for w in ("AUTHOR", "COMMITTER") for x in ("NAME", "EMAIL")}
    subprocess.run(
        ["git", "-C", folder, *words], check=True, capture_output=True, env=os.environ | who
    )


def test_a_later_version_comes_into_a_fork_that_has_its_own_course(tmp_path):
    book, fork = tmp_path / "book", tmp_path / "fork"
    book.mkdir()
    (book / "course.yml").write_bytes((ROOT / "course.yml").read_bytes())
    (book / "page.md").write_text("# A page\n")
    git(book, "init", "-q", "-b", "main")
    git(book, "add", ".")
    git(book, "commit", "-qm", "published")
    git(tmp_path, "clone", "-q", str(book), str(fork))
    (fork / "course.yml").write_text(COURSE)
    (fork / "own" / "book").mkdir(parents=True)
    (fork / "own" / "book" / "rooms.md").write_text("# Rooms\n")
    git(fork, "add", ".")
    git(fork, "commit", "-qm", "our course")
    (book / "page.md").write_text("# A corrected page\n")
    git(book, "commit", "-qam", "corrected")

    typed = [line.partition("  #")[0].split() for line in TYPED if line.startswith("git")]
    assert [words[1] for words in typed] == ["remote", "fetch", "merge"]
    for words in typed:
        git(fork, *(str(book) if word == "ADDRESS" else word for word in words[1:]))
    assert (fork / "page.md").read_text() == "# A corrected page\n"
    assert (fork / "course.yml").read_text() == COURSE
    assert (fork / "own" / "book" / "rooms.md").exists()


def test_the_private_workflow_names_the_fork_and_the_overlay():
    steps = yaml.safe_load(KIT)["jobs"]["kit"]["steps"]
    (made,) = (step for step in steps if "make" in step.get("run", ""))
    places = {step["with"]["path"] for step in steps if "checkout" in step.get("uses", "")}
    assert places == {"book", "own"}
    assert made["env"]["COURSE_OVERLAY"] == "../own"
    assert made["run"] == "GITHUB_REPOSITORY=YOU/YOUR-FORK make -C book lecturer"


def test_the_kit_is_published_only_where_a_variable_says_so():
    steps = yaml.safe_load(PAGES)["jobs"]["publish"]["steps"]
    assert [step["if"] for step in steps if "lecturer" in step.get("run", "")] == [
        "vars.PUBLISH_LECTURER == 'true'"
    ]
    packed, added, published = (
        next(i for i, run in enumerate(commands({"steps": steps})) if run.startswith(what))
        for what in ("make take-along", "make lecturer", "tools/publish.sh")
    )
    assert packed < added < published  # what is packed for a stick has no kit


def test_the_mark_before_the_schedule_can_be_taken_off():
    assert "schedule" not in yaml.safe_load(PAGES)[True]
    (cron,) = yaml.safe_load(PAGES.replace("# schedule:", "schedule:"))[True]["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", cron["cron"])
