"""`.ci/run` is green only when every step was, every suite ran, and the tree stayed as it was."""

import os
import shutil
import subprocess
from fnmatch import fnmatch

import pytest

from tests.meta.prose import ROOT
from tests.meta.tracked import tracked_files

# Stands in for the real one: writes the four reports, then does what the test asks for.
MAKEFILE = """\
env test:
\t@mkdir -p .cache/reports
\t@for suite in unit strict browser; do $(REPORT) > .cache/reports/$$suite.xml; done
test-colab:
\t@$(REPORT) > .cache/reports/colab.xml; $(THEN)
REPORT = echo '<testsuite tests="3" failures="0" errors="0" skipped="0"/>'
"""


@pytest.fixture
def book(tmp_path):
    for name in (".ci/run", "tools/tally.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "Makefile").write_text(MAKEFILE)
    (tmp_path / ".gitignore").write_text(".cache/\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def run(book, then=""):
    """Exit status, output and closing line."""
    done = subprocess.run(
        ["bash", ".ci/run"],
        cwd=book,
        env=os.environ | {"THEN": then},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stdout.splitlines()[-1]


def test_a_sound_run_is_green_and_says_how_much_ran(book):
    status, _, last = run(book)
    assert (status, last) == (0, "12 passed, 0 failed")


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("false", "12 passed, 0 failed"),  # a step fails after all its tests passed
        ("rm .cache/reports/browser.xml", "browser ran no test"),
        ("sed -i.bak s/0/1/ .cache/reports/unit.xml", "11 passed, 1 failed"),
        ("touch stray", "?? stray"),
        ("echo >> Makefile", "the run changed the tree"),
    ],
)
def test_whatever_goes_wrong_is_red_and_told(book, then, told):
    subprocess.run(["git", "add", "."], cwd=book, check=True)
    status, output, last = run(book, then)
    assert status != 0
    assert told in output
    assert "passed" in last


def passed_over(paths: list[str], patterns: list[str]) -> list[str]:
    """Files in folders into which pytest does not look, whatever is in them."""
    return [
        path
        for path in paths
        if any(fnmatch(part, pattern) for part in path.split("/")[:-1] for pattern in patterns)
    ]


def test_pytest_looks_into_every_folder_with_tests(request):
    paths = [path.relative_to(ROOT).as_posix() for path in tracked_files("tests/*", "gaugelib/*")]
    assert len(paths) > 300
    assert passed_over(paths, request.config.getini("norecursedirs")) == []


def test_control_a_folder_that_is_passed_over_is_noticed(request):
    paths = ["tests/build/test_labels.py", "tests/tracing/test_labels.py"]
    assert passed_over(paths, request.config.getini("norecursedirs")) == paths[:1]
