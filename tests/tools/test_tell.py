"""What fails on schedule opens one issue, and adds to it as long as it is open."""

import json
import os
import subprocess

import pytest

from tests.meta.prose import ROOT

# Stands in for `gh`: answers with what the search found, and notes what it was asked to do.
GH = """\
#!/usr/bin/env python3
import json, os, sys
words = sys.argv[1:]
if words[:2] == ["issue", "list"]:
    title = words[words.index("--jq") + 1].split('"')[1]
    same = [i["number"] for i in json.loads(os.environ["OPEN"]) if i["title"] == title]
    print(*same[:1])
else:
    print(*words[:2], *([words[2]] if words[1] == "comment" else []), file=open("told", "a"))
    assert "https://example.org/7" in words[-1]
    sys.exit(int(os.environ.get("STATUS", 0)))
"""


def tell(folder, issues, **environment):
    program = folder / "gh"
    program.write_text(GH)
    program.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(ROOT / "tools" / "tell.sh"), "It fails", "https://example.org/7"],
        cwd=folder,
        env=os.environ | {"PATH": path, "OPEN": json.dumps(issues)} | environment,
        check=False,
    )
    return done.returncode, (folder / "told").read_text().split()


@pytest.mark.parametrize("issues", [[], [{"number": 3, "title": "It fails elsewhere"}]])
def test_without_an_open_issue_one_is_opened(tmp_path, issues):
    assert tell(tmp_path, issues) == (0, ["issue", "create"])


def test_an_open_issue_gets_a_comment(tmp_path):
    issues = [{"number": 3, "title": "It fails elsewhere"}, {"number": 5, "title": "It fails"}]
    assert tell(tmp_path, issues) == (0, ["issue", "comment", "5"])


def test_control_an_issue_that_cannot_be_opened_is_a_failure(tmp_path):
    assert tell(tmp_path, [], STATUS="1")[0] != 0
