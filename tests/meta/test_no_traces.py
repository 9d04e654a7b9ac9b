"""No tracked file tells on whose machine it was made."""

import re

import pytest

from tests.meta.tracked import tracked_files

# A folder of somebody's machine; addresses on the web, where such names are ordinary, do not count.
TRACE = re.compile(r"(?<![\w.~}-])(?<![\w.]/)/(home|Users|root|work|workspace|tmp|opt|mnt)/[\w.]+")


def traces(text: str) -> list[str]:
    return [found[0] for found in TRACE.finditer(text)]


def test_no_file_names_a_folder_of_this_machine():
    found = {}
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # fonts, pictures
            continue
        if names := traces(text):
            found[path.name] = names
    assert found == {}


@pytest.mark.parametrize("folder", ["home/ann", "Users/ann", "root/.config", "tmp/x", "opt/brew"])
@pytest.mark.parametrize("before", ["", " ", '"', "=", "file://", ":"])
def test_a_trace_is_found(before, folder):
    assert traces(f"{before}/{folder}/file") != []


@pytest.mark.parametrize("text", ["example.org/work/paper", "a/tmp/b", "../home/x", "/usr/bin/env"])
def test_an_address_is_no_trace(text):
    assert traces(text) == []
