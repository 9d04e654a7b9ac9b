"""The wheel and the source archive hold the whole package, and the version of all other places."""

from collections import Counter
from pathlib import Path

import pytest

import gaugelib
from tests.meta.prose import ROOT
from tests.meta.tracked import tracked_files
from tools import dist

PACKAGE = {path.relative_to(ROOT).as_posix() for path in tracked_files("gaugelib/*")}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return dist.build(tmp_path_factory.mktemp("dist"))


def test_both_hold_the_files_that_belong_to_the_package(built):
    for archive in built:
        assert dist.package_files(archive) == PACKAGE
    kinds = Counter(Path(name).suffix for name in PACKAGE)
    assert all(kinds[kind] for kind in (".py", ".js", ".css", ".json", ".mplstyle", ".typed"))


def test_both_bear_the_version_of_the_library(built):
    assert [path.name for path in built] == [
        f"gaugelib-{gaugelib.__version__}-py3-none-any.whl",
        f"gaugelib-{gaugelib.__version__}.tar.gz",
    ]


def test_control_a_file_that_is_left_out_is_noticed(built, monkeypatch):
    found = iter([PACKAGE, PACKAGE - {"gaugelib/book.mplstyle"}] * 2)
    monkeypatch.setattr(dist, "package_files", lambda archive: next(found))
    monkeypatch.setattr(dist, "build", lambda folder: built)
    with pytest.raises(SystemExit, match=r"they differ in \{'gaugelib/book.mplstyle'\}"):
        dist.main(["anywhere"])
