"""Publishing puts the site on gh-pages of the remote at hand and touches nothing else."""

import json
import os
import shutil
import subprocess

import pytest

from tests.meta.prose import ROOT


def git(folder, *words):
    identity = {
        f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        env=os.environ | identity,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def book(tmp_path):
    """A repository with the script, a built site and a remote that is a folder."""
    remote, book = tmp_path / "remote.git", tmp_path / "book"
    git(tmp_path, "init", "-q", "--bare", str(remote))
    (book / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "publish.sh", book / "tools")
    (book / ".gitignore").write_text("_build/\n*.ipynb\n")
    git(book, "init", "-q", "-b", "main")
    git(book, "remote", "add", "origin", str(remote))
    git(book, "add", ".")
    git(book, "commit", "-q", "-m", "sources")
    site = book / "_build" / "html"
    (site / "_sources").mkdir(parents=True)
    (site / "index.html").write_text("first")
    (site / "_sources" / "chapter.ipynb").write_text("{}")
    return book


def publish(book):
    return subprocess.run(
        [str(book / "tools" / "publish.sh")], capture_output=True, text=True, check=False
    )


def published(book, *words):
    """What git says about the branch as the remote has it."""
    git(book, "fetch", "-q", "origin", "gh-pages")
    return git(book, *words)


def test_the_branch_is_the_site(book):
    done = publish(book)
    assert done.returncode == 0, done.stderr
    files = published(book, "ls-tree", "-r", "--name-only", "FETCH_HEAD").split()
    assert set(files) == {".nojekyll", "index.html", "_sources/chapter.ipynb"}


def test_the_branch_has_no_history_and_the_sources_stay(book):
    publish(book)
    (book / "_build" / "html" / "index.html").write_text("second")
    publish(book)
    assert published(book, "rev-list", "--count", "FETCH_HEAD") == "1"
    assert published(book, "show", "FETCH_HEAD:index.html") == "second"
    assert git(book, "status", "--porcelain") == ""
    assert git(book, "branch", "--show-current") == "main"


def test_without_a_site_nothing_is_published(book):
    shutil.rmtree(book / "_build")
    done = publish(book)
    assert done.returncode == 1
    assert "make book" in done.stderr


@pytest.fixture
def naming_book(book):
    """Its notebook installs the library from the commit at hand."""
    (book / "gaugelib").mkdir()
    (book / "gaugelib" / "__init__.py").write_text("one = 1\n")
    git(book, "add", ".")
    git(book, "commit", "-q", "-m", "library")
    line = (
        f'%pip install -q "gaugelib @ git+https://github.com/a/b@{git(book, "rev-parse", "HEAD")}"'
    )
    notebook = {"cells": [{"cell_type": "code", "source": [line]}]}
    (book / "_build/html/_sources/chapter.ipynb").write_text(json.dumps(notebook))
    return book


def test_a_commit_that_readers_cannot_fetch_is_not_published(naming_book):
    done = publish(naming_book)
    assert done.returncode == 1
    assert "origin does not have: push it first" in done.stderr
    git(naming_book, "push", "-q", "origin", "main")
    done = publish(naming_book)
    assert done.returncode == 0, done.stderr


def test_a_library_that_is_not_the_commits_is_not_published(naming_book):
    git(naming_book, "push", "-q", "origin", "main")
    (naming_book / "gaugelib" / "__init__.py").write_text("one = 2\n")
    done = publish(naming_book)
    assert done.returncode == 1
    assert "gaugelib is not that of commit" in done.stderr
