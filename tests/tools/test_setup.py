"""Setting up refuses what cannot carry the book, and chooses from the machine's own programs."""

import os
import re
import subprocess

from tests.meta.prose import ROOT

SETUP = ROOT / "tools" / "setup.sh"


def test_an_interpreter_that_does_not_fit_is_refused_by_name(tmp_path):
    done = subprocess.run(
        [str(SETUP), str(tmp_path / "venv"), "requirements/book.lock"],
        env=os.environ | {"PYTHON": "/bin/false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "PYTHON=/bin/false is not a Python 3.11, 3.12 or 3.13" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_scripts_say_the_same_versions_as_the_project():
    accepted = re.search(
        r"\(3, (\d+)\) <= sys.version_info\[:2\] <= \(3, (\d+)\)", SETUP.read_text()
    )
    wanted = re.search(r'requires-python = ">=3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert accepted[1] == wanted[1]
    readme = (ROOT / "README.md").read_text()
    assert f"3.{accepted[1]} to 3.{accepted[2]}" in readme
