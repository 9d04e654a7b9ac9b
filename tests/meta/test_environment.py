"""One lock decides every version; whatever else names versions agrees with it."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

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


@pytest.mark.parametrize("file", ["book.in", "colab.in", "newest.in", "oldest.in"])
def test_every_environment_has_what_the_library_needs(file):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs = {Requirement(d).name for d in project["dependencies"]}
    assert needs <= pins((ROOT / "requirements" / file).read_text()).keys()


def test_colab_environment_answers_what_it_asks_for():
    folder = ROOT / "requirements"
    wanted, locked = (folder / "colab.in").read_text(), (folder / "colab.txt").read_text()
    assert disagreements(wanted, locked) == []
    assert pins(locked)["ipywidgets"] == {"7.7.1"}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def bounds() -> list[str]:
    """What gaugelib asks for, with its extras."""
    extras = project()["optional-dependencies"].values()
    return [*project()["dependencies"], *(need for extra in extras for need in extra)]


def brought(needs: list[str], there: str) -> list[str]:
    """The requirements that an environment with these pins does not meet already."""
    pinned = pins(there)
    return [
        need
        for need in map(Requirement, needs)
        if not any(need.specifier.contains(v) for v in pinned.get(need.name.lower(), ()))
    ]


def test_the_first_cell_brings_gaugelib_alone_to_colab():
    assert brought(bounds(), (ROOT / "requirements" / "colab.txt").read_text()) == []


def test_control_a_bound_above_what_colab_has_is_noticed():
    colab = (ROOT / "requirements" / "colab.txt").read_text()
    (numpy,) = pins(colab)["numpy"]
    assert brought([f"numpy>={numpy}"], colab) == []
    for need in (f"numpy>{numpy}", "ipywidgets>=8", "torchvision>=0.1"):
        assert [str(found) for found in brought([need], colab)] == [need]


def not_at_the_bound(needs: list[str], oldest: str) -> list[str]:
    """The requirements whose lower bound is not what this environment has."""
    pinned = pins(oldest)
    wanted = {need: Requirement(need) for need in needs}
    return [
        need
        for need, parsed in wanted.items()
        if {*map(Version, pinned.get(parsed.name.lower(), ()))}
        != {Version(bound.version) for bound in parsed.specifier}
    ]


def test_the_oldest_environment_stands_at_every_lower_bound():
    folder = ROOT / "requirements"
    wanted, locked = (folder / "oldest.in").read_text(), (folder / "oldest.txt").read_text()
    assert not_at_the_bound(bounds(), locked) == []
    assert disagreements(wanted, locked) == []


def test_control_an_oldest_environment_above_a_bound_is_noticed():
    assert not_at_the_bound(["a>=1.2"], "a==1.2") == []
    assert not_at_the_bound(["a>=1.2"], "a==1.2.1") == ["a>=1.2"]
    assert not_at_the_bound(["a>=1.2"], "b==1.2") == ["a>=1.2"]


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
