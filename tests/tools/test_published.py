"""A published notebook installs from the place that published it; what does not is refused."""

import json
import sys
from pathlib import Path

import pytest

from tools import published

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CELL = f"""\
try:
    import gaugelib
except ModuleNotFoundError:  # in Colab; elsewhere this does nothing
    %pip install -q "gaugelib @ git+https://github.com/a/b@{COMMIT}"
"""


def site(folder, *firsts):
    """A site whose notebooks begin with these cells."""
    (folder / "_sources" / "book").mkdir(parents=True)
    for number, first in enumerate(firsts):
        cells = [
            {"cell_type": "markdown", "source": ["# Title"]},
            {"cell_type": "code", "source": first.splitlines(keepends=True)},
            {"cell_type": "code", "source": ["print(1)"]},
        ]
        path = folder / "_sources" / "book" / f"{number}.ipynb"
        path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return str(folder)


def test_the_commit_is_read_from_the_first_cells(tmp_path, capsys):
    folder = site(tmp_path, CELL, f"{CELL}import math\n", "import math\n")
    published.main([folder, "--read", "--repository", "a/b", "--commit", COMMIT])
    assert capsys.readouterr().out.strip() == COMMIT


@pytest.mark.parametrize(
    ("firsts", "says"),
    [
        ([CELL, CELL.replace("a/b", "c/d")], "2 different first cells"),
        ([CELL, "import gaugelib as gl\n"], "does not install the library"),
        (
            [CELL.replace(f'"gaugelib @ git+https://github.com/a/b@{COMMIT}"', "gaugelib")],
            "does not",
        ),
        ([CELL.replace(COMMIT, "main")], "does not install the library"),
        ([CELL.replace("    %pip", "    raise ImportError  # %pip")], "does not install"),
        ([], "0 different first cells"),
    ],
)
def test_control_other_first_cells_are_refused(tmp_path, firsts, says):
    with pytest.raises(SystemExit, match=says):
        published.main([site(tmp_path, *firsts), "--read"])


@pytest.mark.parametrize("asked", [["--repository", "c/d"], ["--commit", "0" * 40]])
def test_control_a_cell_that_names_another_place_is_refused(tmp_path, asked):
    with pytest.raises(SystemExit, match="the first cell installs from"):
        published.main([site(tmp_path, CELL), "--read", *asked])


@pytest.mark.slow
def test_control_a_library_from_elsewhere_is_noticed(tmp_path, monkeypatch):
    # Here gaugelib is installed from this folder, so the cell does nothing.
    monkeypatch.setattr(published, "environment", lambda: Path(sys.executable))
    with pytest.raises(SystemExit, match="did not come from where the first cell says"):
        published.main([site(tmp_path, CELL)])


@pytest.mark.slow
def test_control_a_cell_that_fails_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(published, "environment", lambda: Path(sys.executable))
    monkeypatch.setattr(published, "WHENCE", "raise ImportError\n")
    with pytest.raises(SystemExit, match="does not install the library"):
        published.main([site(tmp_path, CELL)])


def test_a_cell_that_brings_the_library_alone_is_accepted(capsys):
    published.judge({"torch==2.11.0"}, {"torch==2.11.0", "gaugelib==0.1.0"}, 12.0)
    assert "changed ['gaugelib==0.1.0']" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("after", "seconds", "says"),
    [
        ({"torch==2.13.0", "gaugelib==0.1.0"}, 12.0, r"more than gaugelib: \['torch==2.11.0', 'to"),
        ({"torch==2.11.0", "gaugelib==0.1.0", "ipywidgets==8.1.9"}, 12.0, "more than gaugelib"),
        ({"torch==2.11.0", "gaugelib==0.1.0"}, 61.0, "a class waits 60 at most"),
    ],
)
def test_control_a_cell_that_brings_more_or_takes_longer_is_noticed(after, seconds, says):
    with pytest.raises(SystemExit, match=says):
        published.judge({"torch==2.11.0"}, after, seconds)
