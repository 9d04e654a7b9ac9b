"""The workflows leave time for the run, and see where the published notebooks get the library."""

import pytest
import yaml

from tests.meta.prose import ROOT

FOLDER = ROOT / ".github" / "workflows"
CHECK = "python tools/published.py"


def workflow(name):
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def commands(job):
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("name", ["ci.yml", "newest.yml", "pages.yml"])
def test_a_run_may_take_ninety_minutes(name):
    assert {job["timeout-minutes"] for job in workflow(name)["jobs"].values()} == {90}


def test_every_workflow_can_be_read_and_limits_its_time():
    for path in FOLDER.glob("*.yml"):
        for job in workflow(path.name)["jobs"].values():
            assert job["timeout-minutes"] > 0
            assert job["steps"]


def test_a_scheduled_workflow_installs_as_the_published_notebooks_do():
    newest = workflow("newest.yml")
    assert newest[True]["schedule"]  # YAML reads the key `on` as a truth value
    (check,) = commands(newest["jobs"]["published"])
    assert f'{CHECK} .cache/published --repository "$GITHUB_REPOSITORY"' in check
    assert "gh-pages" in check


def test_the_pages_are_built_with_the_history_that_dates_them():
    checkout, *_ = workflow("pages.yml")["jobs"]["publish"]["steps"]
    assert checkout["with"] == {"fetch-depth": 0}


def test_nothing_is_published_before_its_first_cell_has_installed():
    steps = commands(workflow("pages.yml")["jobs"]["publish"])
    built, checked, published = (
        next(i for i, step in enumerate(steps) if step.startswith(what))
        for what in ("make book", f"{CHECK} _build/html", "tools/publish.sh")
    )
    assert built < checked < published
    assert '--repository "$GITHUB_REPOSITORY" --commit "$GITHUB_SHA"' in steps[checked]
    assert "--read" not in steps[checked]
