"""What the page for a class tells a teacher to type is there, and brings what notebooks need."""

import re
import tomllib

from packaging.requirements import Requirement

from tests.meta.prose import ROOT

PAGE = (ROOT / "book" / "classroom.md").read_text("utf8")
READER = (ROOT / "requirements" / "reader.in").read_text("utf8")


def unknown(page: str, makefile: str) -> set[str]:
    """Targets and variables that a page asks make for and that make does not know."""
    asked = re.findall(r"make [a-z-]+(?: [A-Z]+=\S+)*", page)
    words = {word for line in asked for word in re.findall(r"make ([a-z-]+)|([A-Z]+)=", line)}
    known = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    known |= set(re.findall(r"^([A-Z]+) \?=", makefile, re.MULTILINE))
    return {target or variable for target, variable in words} - known


def test_make_knows_what_the_page_asks_it_for():
    makefile = (ROOT / "Makefile").read_text()
    assert {"make wheelhouse", "make serve"} <= set(re.findall(r"make [a-z]+", PAGE))
    assert unknown(PAGE, makefile) == set()
    assert unknown("make stick NAME=3\nmake book", makefile) == {"stick", "NAME"}


def test_the_folder_holds_what_is_installed_from_it():
    (line,) = re.findall(r"pip install --no-index -f \S+ (.*)", PAGE)
    there = set(re.findall(r"^[a-z-]+$", READER, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {Requirement(need).name for need in project["dependencies"]} <= there
    assert {Requirement(n).name for n in project["optional-dependencies"]["data"]} <= there
    assert set(line.split()) - {"gaugelib"} <= there
