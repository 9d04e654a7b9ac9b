"""Nothing that is tracked is ignored: the package builder leaves ignored files out of the wheel."""

import subprocess

import pytest

from tests.meta.prose import ROOT


def tracked_and_ignored(folder):
    asked = ["git", "-c", f"safe.directory={folder}", "ls-files", "-ci", "--exclude-standard"]
    return subprocess.run(
        asked, cwd=folder, check=True, capture_output=True, text=True
    ).stdout.split()


def test_no_tracked_file_is_ignored():
    assert tracked_and_ignored(ROOT) == []


@pytest.mark.parametrize(("rule", "found"), [("build/", ["lib/build/x.py"]), ("/build/", [])])
def test_control_a_rule_that_reaches_too_far_is_noticed(tmp_path, rule, found):
    (tmp_path / "lib" / "build").mkdir(parents=True)
    (tmp_path / "lib" / "build" / "x.py").write_text("")
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text(rule)
    assert tracked_and_ignored(tmp_path) == found
