"""The workflows leave time for the run, and see where the published notebooks get the library."""

import re

import pytest
import yaml

from tests.meta.prose import ROOT

FOLDER = ROOT / ".github" / "workflows"
CHECK = "python tools/published.py"


def workflow(name):
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def commands(job):
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("name", ["ci.yml", "places.yml", "pages.yml"])
def test_a_run_may_take_ninety_minutes(name):
    jobs = workflow(name)["jobs"].items()
    assert {job["timeout-minutes"] for title, job in jobs if title != "tell"} == {90}


def test_every_workflow_can_be_read_and_limits_its_time():
    for path in FOLDER.glob("*.yml"):
        for job in workflow(path.name)["jobs"].values():
            assert job["timeout-minutes"] > 0
            assert job["steps"]


def test_a_scheduled_workflow_installs_as_the_published_notebooks_do():
    places = workflow("places.yml")
    assert places[True]["schedule"]  # YAML reads the key `on` as a truth value
    (check,) = commands(places["jobs"]["published"])
    assert f'{CHECK} .cache/published --repository "$GITHUB_REPOSITORY"' in check
    assert "gh-pages" in check


def test_the_pages_are_built_with_the_history_that_dates_them():
    checkout, *_ = workflow("pages.yml")["jobs"]["publish"]["steps"]
    assert checkout["with"] == {"fetch-depth": 0}


def test_nothing_is_published_before_its_first_cell_has_installed():
    steps = commands(workflow("pages.yml")["jobs"]["publish"])
    built, checked, packed, published = (
        next(i for i, step in enumerate(steps) if step.startswith(what))
        for what in ("make book", f"{CHECK} _build/html", "make take-along", "tools/publish.sh")
    )
    assert built < checked < packed < published
    assert '--repository "$GITHUB_REPOSITORY" --commit "$GITHUB_SHA"' in steps[checked]
    assert "--read" not in steps[checked]


IMAGE = "us-docker.pkg.dev/colab-images/public/runtime:latest"
PLACES = {"colab", "oldest", "notebooks", "conda", "jupyter", "graders", "published"}


def faults(places):
    """What would let the scheduled run of the other places pass, or fail, unnoticed."""
    jobs, found = places["jobs"], []
    if set(jobs) != PLACES | {"tell"} or not places[True]["schedule"]:
        found.append("a place is missing")
    if set(jobs["tell"]["needs"]) != PLACES or jobs["tell"]["if"] != "failure()":
        found.append("a failure is not told")
    if jobs["tell"]["permissions"] != {"contents": "read", "issues": "write"}:
        found.append("no issue may be opened")
    for name, job in jobs.items():
        if job.get("continue-on-error") or any("continue-on-error" in s for s in job["steps"]):
            found.append(f"{name} may fail")
        if any("cache" in s.get("uses", "") or "cache" in s.get("with", {}) for s in job["steps"]):
            found.append(f"{name} uses a cache")
    if places.get("env") != {"PIP_NO_CACHE_DIR": "1", "UV_NO_CACHE": "1"}:
        found.append("pip or uv uses a cache")
    steps = commands(jobs["colab"])
    if IMAGE not in steps[-1] or "--pull always" not in steps[-1] or "rm -rf" not in steps[0]:
        found.append("Colab's image is not fetched anew")
    return found


def test_every_other_place_is_tried_without_a_cache_and_a_failure_is_told():
    assert faults(workflow("places.yml")) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w["jobs"].pop("oldest"),
        lambda w: w["jobs"]["tell"]["needs"].remove("colab"),
        lambda w: w["jobs"]["tell"]["permissions"].pop("issues"),
        lambda w: w["jobs"]["conda"].update({"continue-on-error": True}),
        lambda w: w["jobs"]["oldest"]["steps"][1]["with"].update(cache="pip"),
        lambda w: w["jobs"]["oldest"]["steps"].append({"uses": "actions/cache@v5"}),
        lambda w: w["env"].pop("PIP_NO_CACHE_DIR"),
        lambda w: w["jobs"]["colab"]["steps"].pop(),
    ],
)
def test_control_a_place_that_can_lie_is_noticed(change):
    places = workflow("places.yml")
    change(places)
    assert faults(places) != []


@pytest.mark.parametrize("file", ["tools/colab.sh", "Makefile"])
def test_every_place_counts_its_cells(file):
    text = (ROOT / file).read_text()
    runs = re.findall(r"--no-write --report \S+/([^/\s]+)\.xml.*\n.*tally\.py \S+ (\S+?)=", text)
    assert len(runs) == text.count("--no-write") == 1
    assert runs[0][0] == runs[0][1]


def order(steps, *whats):
    """Where each of these stands among the steps; they are meant to stand one after the other."""
    return [next(i for i, step in enumerate(steps) if what in step) for what in whats]


def test_a_release_is_checked_and_tried_before_anything_leaves_the_machine():
    release = workflow("release.yml")
    assert release[True] == {
        "workflow_dispatch": {"inputs": release[True]["workflow_dispatch"]["inputs"]}
    }
    job = release["jobs"]["release"]
    assert job["permissions"]["contents"] == "write"
    places = order(
        commands(job), "--workflow ci.yml", "tools.release", "make dist", "git push", "gh release"
    )
    assert places == sorted(set(places))
    assert not any("${{" in step for step in commands(job))  # an input is data, never a command


def test_only_a_variable_publishes_and_no_secret_is_kept():
    release = workflow("release.yml")
    pypi = release["jobs"]["pypi"]
    assert pypi["needs"] == "release"
    assert pypi["if"] == "vars.PUBLISH_TO_PYPI == 'true'"
    assert pypi["permissions"] == {"id-token": "write"}
    assert "secrets." not in (FOLDER / "release.yml").read_text("utf8")


def test_every_target_that_a_workflow_makes_is_there():
    made = {
        target
        for path in FOLDER.glob("*.yml")
        for job in workflow(path.name)["jobs"].values()
        for step in commands(job)
        for target in re.findall(r"^\s*make ([a-z-]+)", step, re.MULTILINE)
    }
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"book", "dist", "oldest", "newest", "jupyter-look"} <= made <= targets
