"""One lock decides every version; whatever else names versions agrees with it."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

from tests.meta.prose import ROOT

LOCK = "requirements/book.lock"


def requirements(text: str) -> list[Requirement]:
    """The requirements of a pip file, comments and options left out."""
    lines = [re.split(r"(?:^|\s)#", line)[0].strip() for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def pins(text: str) -> dict[str, set[str]]:
    """The exact versions that a pip file asks for, by package."""
    found: dict[str, set[str]] = {}
    for requirement in requirements(text):
        versions = [s.version for s in requirement.specifier if s.operator == "=="]
        found.setdefault(requirement.name.lower(), set()).update(versions)
    return found


def disagreements(text: str, lock: str) -> list[str]:
    """Pins that the lock does not share, and packages that it does not know."""
    locked = pins(lock)
    return [
        f"{name}: {sorted(versions)} against {sorted(locked.get(name, []))} in the lock"
        for name, versions in pins(text).items()
        if name not in locked or not versions <= locked[name]
    ]


@pytest.fixture(scope="module")
def lock():
    return (ROOT / LOCK).read_text()


def test_lock_pins_every_package_exactly(lock):
    loose = [name for name, versions in pins(lock).items() if not versions]
    assert loose == []
    assert len(pins(lock)) > 100


def test_lock_answers_what_the_book_asks_for(lock):
    assert disagreements((ROOT / "requirements" / "book.in").read_text(), lock) == []


def test_lock_holds_what_the_library_needs(lock):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = pins(lock)
    for need in map(Requirement, project["dependencies"]):
        assert all(need.specifier.contains(v) for v in locked[need.name])


def test_library_sets_lower_bounds_only():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    operators = {s.operator for d in project["dependencies"] for s in Requirement(d).specifier}
    assert operators == {">="}


def test_conda_and_binder_read_the_same_lock(lock):
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [part["pip"] for part in environment["dependencies"] if isinstance(part, dict)]
    assert f"-r {LOCK}" in pip
    assert "-e ." in pip
    named = [line for line in pip if not line.startswith("-") and "==" in line]
    assert disagreements("\n".join(named), lock) == []
    (python,) = [p for p in environment["dependencies"] if str(p).startswith("python=")]
    assert python.removeprefix("python=") in {"3.11", "3.12", "3.13"}


@pytest.mark.parametrize("file", ["book.in", "colab.in", "newest.in"])
def test_every_environment_has_what_the_library_needs(file):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs = {Requirement(d).name for d in project["dependencies"]}
    assert needs <= pins((ROOT / "requirements" / file).read_text()).keys()


def test_colab_environment_answers_what_it_asks_for():
    folder = ROOT / "requirements"
    wanted, locked = (folder / "colab.in").read_text(), (folder / "colab.txt").read_text()
    assert disagreements(wanted, locked) == []
    assert pins(locked)["ipywidgets"] == {"7.7.1"}


def test_environment_that_runs_is_the_lock(lock):
    from importlib.metadata import version

    for name in ("torch", "numpy", "matplotlib", "sphinx", "jupyter-book", "pytest"):
        assert version(name).split("+")[0] in pins(lock)[name]


def test_a_pin_that_differs_is_noticed(lock):
    torch = next(iter(pins(lock)["torch"]))
    assert disagreements(f"torch=={torch}", lock) == []
    assert disagreements("torch==1.0", lock) != []
    assert disagreements("left-pad==1.0", lock) != []
    assert pins("# torch==1.0\n-r other\nnumpy>=2  # torch==1\n") == {"numpy": set()}
