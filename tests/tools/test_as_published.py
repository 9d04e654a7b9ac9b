"""Notebooks written without a build begin as those of a built site do."""

import pytest

from tests.meta.prose import ROOT
from tools import as_published, published
from tools.execute_notebooks import find_notebooks

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """The sources outside of any clone."""
    for path in [*find_notebooks(), ROOT / "book" / "_ext" / "gaugebook" / "repository.py"]:
        there = tmp_path / path.relative_to(ROOT)
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(path.read_bytes())
    monkeypatch.setattr(as_published, "ROOT", tmp_path)
    monkeypatch.setenv("GITHUB_SHA", COMMIT)
    return tmp_path


def test_every_notebook_installs_the_commit_at_hand(copy, monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "a/b")
    written = as_published.write(copy / "site")
    assert [path.name for path in written] == [path.name for path in find_notebooks()]
    cell = published.read(copy / "site")
    assert (cell["slug"], cell["commit"]) == ("a/b", COMMIT)


def test_control_without_an_address_nothing_is_written(copy, monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    with pytest.raises(SystemExit, match="where is this repository"):
        as_published.write(copy / "site")
    assert not (copy / "site").exists()
