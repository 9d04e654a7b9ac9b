"""`make mutation` tells a noticed error from an unnoticed one, and goes on where it was stopped."""

import ast
import json
import os
import re
import subprocess
import sys

import pytest

from tests.meta.prose import ROOT
from tools.mutation import EXPLAINED, Verdict, explanations, report, sample, what
from tools.mutation_fork import marked
from tools.mutation_sites import mutants
from tools.mutation_tests import Case, Reach, batches, candidates, importers

LIBRARY = """\
LIMIT = 3


def twice(x):
    return 2 * x


def limited(x):
    return x if x < LIMIT else LIMIT


def unasked(x):
    return -x
"""
TESTS = """\
from gaugelib.group import limited, twice


def test_twice():
    assert twice(5) == 10


def test_limited():
    assert [limited(x) for x in (2, 3, 4)] == [2, 3, 3]


def test_quick():
    assert True
"""
RUN = "import hypothesis, sys, tools.mutation as m; sys.exit(m.main([]))"
SETTINGS = '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\npythonpath = ["."]\n'


@pytest.fixture
def project(tmp_path):
    """A library of three functions with its tests."""
    for name, text in (
        ("gaugelib/__init__.py", ""),
        ("gaugelib/group.py", LIBRARY),
        ("tests/test_group.py", TESTS),
        ("pyproject.toml", SETTINGS),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def python(project, *arguments):
    """Run Python there, with these tools and that library."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT), "CI": "true"},
        capture_output=True,
        text=True,
    )


def measured(project):
    done = python(project, "-c", RUN)
    return done.returncode, done.stdout


def test_kills_and_survivors_are_told_apart(project):
    """The equivalent mutant survives, so does what no test asks for; nothing else does."""
    status, text = measured(project)
    assert status == 1
    assert "4 of 6 mutants killed: 66.7%, wanted 92%" in text
    assert "gaugelib/group.py:9 limited\n    - return x if x < LIMIT else LIMIT\n" in text
    assert "    + return x if x <= LIMIT else LIMIT\n" in text
    assert "    + return +x\n    no test reaches it\n" in text
    assert text.count("\n    + ") == 2
    assert (project / "gaugelib/group.py").read_text() == LIBRARY


def test_tests_that_assert_nothing_kill_nothing(project):
    """The control: the same calls without their assertions."""
    (project / "tests/test_group.py").write_text(TESTS.replace("==", "or"))
    status, text = measured(project)
    assert status == 1
    assert "0 of 6 mutants killed" in text


def test_an_explained_survivor_is_listed_and_a_stale_explanation_reported(project):
    entry = '[[mutant]]\nfile = "gaugelib/group.py"\nscope = "limited"\n'
    entry += 'before = "return x if x < LIMIT else LIMIT"\nwhy = "equal at the limit"\n'
    (project / "tests/meta").mkdir()
    listed = project / "tests/meta/mutants.toml"
    listed.write_text(entry + 'after = "return x if x <= LIMIT else LIMIT"\n')
    stale = entry.replace("limited", "renamed") + 'after = "return x if x > LIMIT else LIMIT"\n'
    listed.write_text(listed.read_text() + stale)
    text = measured(project)[1]
    assert "Explained survivors: 1" in text
    assert "equal at the limit" in text
    assert "Stale explanations in tests/meta/mutants.toml: no such mutant: 1" in text
    assert "gaugelib/group.py | renamed | return x" in text


def test_a_run_goes_on_where_it_was_stopped(project):
    """Verdicts are read again as long as library and tests are the same, and a torn line is not."""
    measured(project)
    path = project / ".cache/mutation/verdicts.jsonl"
    lines = path.read_text().strip().splitlines()
    told = [json.loads(line) | {"by": "a forged test"} for line in lines[:3]]
    path.write_text("".join("\n" + json.dumps(t) for t in told) + "\n" + lines[3][:20])
    measured(project)
    after = [json.loads(text) for text in path.read_text().splitlines() if text.endswith("}")]
    assert after[:3] == told
    assert len(after) == len(lines) == 6


def test_a_red_suite_measures_nothing(project):
    (project / "tests/test_group.py").write_text(TESTS.replace("10", "11"))
    done = python(project, "-c", RUN)
    assert done.returncode == 1
    assert "fail on the library as it is:\ntests/test_group.py::test_twice" in done.stderr


@pytest.mark.parametrize(
    ("work", "verdict"),
    [
        ("iter(int, 1).__length_hint__() if 0 else sum(iter(int, 1))", "killed by the time limit"),
        ("dict(verdict='survived', by='')", "survived by "),
        ("1 / 0", "trouble by ZeroDivisionError('division by zero')"),
        ("__import__('os').abort()", "killed by SIGABRT"),
    ],
)
def test_a_child_that_ends_in_any_way_has_an_outcome(tmp_path, work, verdict):
    program = (
        "import os, pathlib, tools.mutation_fork as f\n"
        "a = pathlib.Path('answer.json')\n"
        f"pid = f.child(a, lambda: {work}, 0)\n"
        "o = f.outcome(a, os.waitpid(pid, 0)[1])\n"
        "print(o['verdict'], 'by', o['by'])\n"
    )
    assert python(tmp_path, "-c", program).stdout.rstrip("\n") == verdict


def test_a_test_that_does_not_end_is_ended(project):
    endless = LIBRARY.replace(
        "    return 2 * x", "    while x < 3:\n        x -= 1\n    return 2 * x"
    )
    assert endless != LIBRARY
    program = (
        "import os, pathlib, tools.mutation_fork as f\n"
        "a, path = pathlib.Path('answer.json'), pathlib.Path('gaugelib/group.py')\n"
        f"change = lambda source: {endless!r}.encode()\n"
        "for calls in ('twice(2)', 'twice(5)'):\n"
        "    text = f'from gaugelib.group import *\\ndef test_it(): {calls}\\n'\n"
        "    pathlib.Path('tests/test_group.py').write_text(text)\n"
        "    work = lambda: f.ask(path, change, {'tests/test_group.py::test_it': 0.3})\n"
        "    o = f.outcome(a, os.waitpid(f.child(a, work, 30), 0)[1])\n"
        "    print(o['verdict'], 'by', o['by'])\n"
    )
    told = python(project, "-c", program).stdout.splitlines()
    assert told == ["killed by the time limit", "survived by "]


FOUND = mutants("gaugelib/group.py", LIBRARY.encode())


def test_every_statement_that_can_run_is_marked():
    source = (
        '"""A module."""\nfrom __future__ import annotations\n\n\n'
        'def f(x):\n    """A function."""\n'
        "    for y in x:\n        print(y)\n    else:\n        print(x)\n    return lambda: x\n"
    )
    marked_source = ast.unparse(marked("m.py")(source.encode()))
    lines = set(re.findall(r"__reached__\.add\('m\.py:(\d+)'\)", marked_source))
    assert lines == {"5", "7", "8", "10", "11"}
    assert ast.get_docstring(ast.parse(marked_source)) == "A module."


def test_a_sample_depends_on_its_seed_alone():
    one = sample(FOUND, 3, "1")
    assert one == sample(FOUND[::-1], 3, "1")
    assert {tuple(sample(FOUND, 3, str(seed))) for seed in range(20)} != {tuple(one)}
    more = mutants("gaugelib/other.py", b"x = -1\n")
    assert len(set(sample([*FOUND, *more], 3, "1")) & set(one)) >= 1
    assert sample(FOUND, 99, "2") == FOUND


def test_what_runs_at_import_is_tried_on_all_that_use_the_module():
    limit, doubled = FOUND[0], next(m for m in FOUND if m.scope == "twice")
    seen = [
        Case("tests/test_a.py::one", 1.0, frozenset({"gaugelib/group.py:5"})),
        Case("tests/test_a.py::two", 1.0, frozenset({"gaugelib/user.py:3"})),
        Case("tests/test_b.py::three", 1.0, frozenset({"gaugelib/apart.py:3"})),
    ]
    files = {
        name: frozenset({"gaugelib/group.py:1"}) for name in ("tests/test_a.py", "tests/test_b.py")
    }
    reach = Reach(seen, files)
    users = importers({"gaugelib/user.py": "from gaugelib.group import LIMIT\n"})(limit.file)
    assert users == ["gaugelib/group.py", "gaugelib/user.py"]
    assert candidates(limit, reach, users) == seen[:2]
    assert candidates(doubled, reach, users) == seen[:1]
    collected = files | {"tests/test_b.py": files["tests/test_b.py"] | {"gaugelib/group.py:5"}}
    assert candidates(doubled, Reach(seen, collected), users) == [seen[0], seen[2]]


def test_all_tests_are_tried_once_and_the_last_killer_first():
    tests = [Case(f"tests/test_{k}.py::t", float(k), frozenset()) for k in range(12)]
    tried = batches(FOUND[0], tests, "tests/test_7.py::t")
    assert tried[0] == ["tests/test_7.py::t"]
    assert sorted(name for batch in tried for name in batch) == sorted(t.name for t in tests)
    assert tried[1][0] == "tests/test_0.py::t"
    assert len(tried) == 4
    near = [
        Case("tests/far/test_a.py::t", 1.0, frozenset()),
        Case("tests/test_group.py::t", 1.0, frozenset()),
    ]
    assert batches(FOUND[0], near)[0][0] == "tests/test_group.py::t"


def test_the_score_counts_explained_survivors_as_survivors():
    killed, survived = Verdict("killed", "t"), Verdict("survived")
    verdicts = dict.fromkeys(FOUND[:-1], killed) | {FOUND[-1]: survived}
    known = {what(m) for m in FOUND}
    text, well = report(verdicts, {what(FOUND[-1]): "no reason"}, known)
    assert "5 of 6 mutants killed: 83.3%" in text
    assert not well
    assert report(dict.fromkeys(FOUND, killed), {}, known)[1]
    text, well = report(dict.fromkeys(FOUND, killed), {what(FOUND[0]): "why"}, known)
    assert "but killed by t" in text
    assert not well


def test_an_explanation_needs_a_reason():
    entry = '[[mutant]]\nfile = "f"\nscope = ""\nbefore = "a"\nafter = "b"\nwhy = "{}"\n'
    assert explanations(entry.format("same")) == {("f", "", "a", "b"): "same"}
    with pytest.raises(ValueError, match="without a reason"):
        explanations(entry.format(""))
    with pytest.raises(ValueError, match="listed twice"):
        explanations(entry.format("same") * 2)
    assert explanations((ROOT / EXPLAINED).read_text())
