"""No test depends on luck: its random numbers are the same at home as in CI, in any order."""

import ast
import os
import random
import subprocess
import sys
import types

import numpy as np
import pytest
import torch
from hypothesis import settings
from hypothesis.internal.conjecture import providers

from tests import chance
from tests.meta.drawing import drawn
from tests.meta.prose import ROOT
from tests.meta.tracked import tracked_files


def own_settings(source: str) -> list[str]:
    """Imports by which a file could set deadlines, counts or seeds of its own."""
    kept = {"settings", "seed", "Phase", "HealthCheck", "set_hypothesis_home_dir"}
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hypothesis"):
            found += [alias.name for alias in node.names if alias.name in kept]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.startswith("hypothesis")]
    return found


def test_no_test_sets_a_deadline_or_a_count():
    exempt = {ROOT / "tests" / "chance.py", ROOT / "tests" / "meta" / "test_chance.py"}
    found = {
        path.name: names
        for path in tracked_files("tests/*.py")
        if path not in exempt and (names := own_settings(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "from hypothesis import given, settings",
        "import hypothesis",
        "import hypothesis as h",
        "from hypothesis import seed",
        "from hypothesis.configuration import set_hypothesis_home_dir",
    ],
)
def test_control_settings_of_its_own_are_noticed(source):
    assert own_settings(source) != []
    assert own_settings("from hypothesis import given, example\nfrom x import settings") == []


def test_the_table_of_counts_names_tests_that_exist():
    sources = "".join(path.read_text(encoding="utf-8") for path in tracked_files("tests/*.py"))
    assert [name for name in chance.MORE if f"def {name}(" not in sources] == []
    assert min(chance.MORE.values()) > chance.EXAMPLES


def test_examples_are_the_same_in_another_process_with_another_hash_seed():
    there = {k: v for k, v in os.environ.items() if k not in {"CI", "OMP_NUM_THREADS"}}
    there |= {"PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-m", "tests.meta.drawing"]
    run = subprocess.run(command, cwd=ROOT, env=there, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == drawn()
    assert drawn().startswith(f"{chance.EXAMPLES} examples")


def test_examples_do_not_depend_on_what_else_is_imported(monkeypatch, tmp_path):
    monkeypatch.setattr(providers, "_sys_modules_len", None)
    monkeypatch.setattr(providers, "_local_constants", providers.Constants())
    before = drawn()
    source = tmp_path / "own.py"
    source.write_text(f"x = {list(range(12345, 12445))}\ny = {[k + 0.125 for k in range(100)]}")
    module = types.ModuleType("own")
    module.__file__ = str(source)
    monkeypatch.setitem(sys.modules, "own", module)
    assert drawn() == before
    # control: with what hypothesis does by itself they do
    monkeypatch.setattr(providers, "is_local_module_file", lambda path: path == str(source))
    monkeypatch.setattr(providers, "_get_local_constants", chance.WITH_OUR_CONSTANTS)
    try:
        assert drawn() != before
    finally:
        providers.CONSTANTS_CACHE.cache.clear()


def test_no_profile_judges_by_the_clock(tmp_path):
    house = settings.get_profile("house")
    try:
        chance.ever_new(tmp_path, times=3)
        explore = settings.default
    finally:
        chance.always_the_same()
    for profile in (house, explore):
        assert profile.deadline is None
        assert "too_slow" in {check.name for check in profile.suppress_health_check}
        assert profile.database is None
    assert (house.derandomize, explore.derandomize) == (True, False)
    assert explore.max_examples == 3 * house.max_examples == 3 * chance.EXAMPLES


def numbers():
    fresh = torch.Generator()
    fresh.seed()
    generators = (random.random(), np.random.rand(), torch.rand(1).item())  # noqa: NPY002
    return *generators, torch.rand(1, generator=fresh).item()


FIRST = []


@pytest.mark.parametrize("time", [1, 2])
def test_every_test_begins_with_the_same_numbers(time):
    FIRST.append(numbers())
    assert FIRST[0] == FIRST[-1]
    # control: within a test the numbers go on
    assert all(a != b for a, b in zip(FIRST[0], numbers(), strict=True))
