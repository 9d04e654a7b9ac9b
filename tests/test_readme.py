"""The README says what is true: its numbers, its commands, its files, its length."""

import doctest
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def run(text):
    """Number of failed and of tried examples."""
    parsed = doctest.DocTestParser().get_doctest(text, {}, "README.md", "README.md", 0)
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(parsed, out=lambda _: None)
    return runner.summarize(verbose=False)


def test_the_example_prints_what_it_says():
    failed, tried = run(TEXT)
    assert (failed, tried >= 10) == (0, True)


def test_control_a_wrong_number_is_noticed():
    assert run(TEXT.replace("9.815", "9.816")).failed == 1


def test_its_commands_are_targets_of_make():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"\bmake ([a-z-]+)", TEXT))
    assert {"book", "test", "serve"} <= named <= targets


def test_the_files_it_names_exist():
    linked = re.findall(r"\]\(([^)#]+)\)", TEXT) + re.findall(r"`([\w./-]+\.(?:yml|md|cff))`", TEXT)
    assert len(linked) >= 6
    assert [name for name in linked if not (ROOT / name).exists()] == []


def test_it_is_short():
    assert len(TEXT.splitlines()) <= 80
