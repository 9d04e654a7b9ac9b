"""`make explore` finds what is false, and writes it down as an explicit example."""

import subprocess
import time
import types

import pytest

from tests.meta.prose import ROOT
from tools import explore

UNLUCKY = "tests/meta/unlucky.py"


def chosen(*arguments):
    return explore.parser().parse_args([str(one) for one in arguments])


def test_what_is_false_is_found_and_becomes_an_explicit_example(tmp_path, capsys):
    assert explore.main(["--seed", "4", "--times", "1", "--folder", str(tmp_path), UNLUCKY]) == 1
    said = capsys.readouterr().out
    assert "seed 4: 0 hold, 1 fail" in said  # and the test without examples was not run
    assert "@reproduce_failure(" in (tmp_path / "seed-4.log").read_text()
    (patch,) = tmp_path.glob("patches/*.patch")
    assert f"git apply {patch}" in said
    assert "+@example(\n+    x=1000,\n+)" in patch.read_text()
    subprocess.run(["git", "apply", "--check", str(patch)], cwd=ROOT, check=True)


def test_a_pass_runs_properties_alone_with_its_own_seed(tmp_path):
    options = chosen("--folder", tmp_path)
    one, other = (explore.command(seed, options, end=7.5) for seed in (1, 2))
    assert "--hypothesis-seed=1" in one
    assert "--hypothesis-seed=2" in other
    assert one[one.index("--explore") + 1] == str(tmp_path)
    assert one[one.index("--until") + 1] == "7.5"
    assert "--until" not in explore.command(1, options, end=None)


def test_when_the_time_is_over_the_present_test_is_ended_and_no_other_begun(tmp_path):
    options = chosen("--folder", tmp_path, "--times", 1, UNLUCKY, "tests/test_group.py")
    pass_ = explore.begin(1, options, end=1.0)  # long ago
    pass_.wait()
    assert not explore.gather({1: pass_}, tmp_path, end=1.0)
    assert explore.counts(explore.report(1, tmp_path)) == {
        "tests": 1, "failures": 1, "errors": 0, "skipped": 0
    }  # fmt: skip
    assert len(list(tmp_path.glob("patches/*.patch"))) == 1


class Pass:
    """A pass that ends by itself, or when it is interrupted."""

    def __init__(self, after=None):
        self.returncode, self.after = None, after

    def poll(self):
        self.after = None if self.after is None else self.after - 1
        if self.after == 0:
            self.returncode = 0
        return self.returncode

    def send_signal(self, _):
        self.returncode = 2


@pytest.fixture
def passes(monkeypatch):
    """Every pass takes ten seconds, of a clock that the search itself moves."""
    begun, clock = [], types.SimpleNamespace(now=0.0)
    monkeypatch.setattr(explore, "begin", lambda seed, *_: begun.append(seed) or Pass(after=50))
    monkeypatch.setattr(time, "time", lambda: clock.now)
    monkeypatch.setattr(time, "sleep", lambda s: setattr(clock, "now", clock.now + s))
    return begun


@pytest.mark.parametrize(
    ("minutes", "jobs", "seeds"),
    [(1, 1, 6), (1, 3, 18), (None, 1, 1), (None, 2, 2)],
)
def test_passes_follow_each_other_until_the_time_is_over(passes, tmp_path, minutes, jobs, seeds):
    options = chosen("--folder", tmp_path, "--seed", 5, "--jobs", jobs)
    options.minutes = minutes
    assert explore.search(options)
    assert passes == list(range(5, 5 + len(passes)))
    assert abs(len(passes) - seeds) <= jobs * (minutes is not None)


def test_a_stop_by_hand_ends_the_passes_and_keeps_what_they_found(passes, tmp_path, monkeypatch):
    def stop(_):
        monkeypatch.setattr(time, "sleep", lambda _: None)
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", stop)
    assert explore.search(chosen("--folder", tmp_path, "--minutes", 1))
    assert passes == [1]
    # control: an interruption that nobody asked for is no success
    monkeypatch.setattr(explore, "begin", lambda *_: types.SimpleNamespace(poll=int, returncode=2))
    (tmp_path / "seed-1.log").touch()
    assert not explore.search(chosen("--folder", tmp_path))
