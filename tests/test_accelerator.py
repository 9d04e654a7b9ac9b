"""The script for a GPU runs to its end without one, and the appendix says what it has found."""

import json
import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).parents[1] / "benchmarks"))
import accelerator
from appendix import PAGE

RAN = {
    accelerator.SOLVE: {
        "weights": 10**9, "copies": 9.87, "fastest": 8.0, "slowest": 11.2, "extra memory": 0.041,
    },
    accelerator.TESTS: {"passed": 14, "failed": 0, "skipped": 0},
}  # fmt: skip


def record(**about):
    return {"about": {"device": "cuda", "name": "GPU", "small": False, **about}, "parts": RAN}


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs the script as a trial; gives what it has written."""
    path = tmp_path / "results" / "accelerator.json"

    def run(*more):
        trial = ["--device", "cpu", "--small", "--results", str(path), *more]
        monkeypatch.setattr(sys, "argv", ["accelerator.py", *trial])
        accelerator.main()
        return json.loads(path.read_text("utf8"))

    return run


def test_a_trial_on_a_cpu_runs_to_its_end_and_leaves_the_appendix_alone(run):
    before = PAGE.read_text("utf8")
    parts = run()["parts"]
    assert list(parts) == list(accelerator.PARTS)
    assert parts[accelerator.SOLVE]["rounds"] == 3
    assert parts[accelerator.SOLVE]["copies"] > 1.0
    assert parts[accelerator.ARM]["imbalance"] < 1e-3
    assert parts[accelerator.ARM]["largest difference"] < 1e-3
    assert sum(parts[accelerator.TESTS].values()) > 0
    assert PAGE.read_text("utf8") == before


def test_each_part_is_written_when_it_is_there_and_measured_once(run, monkeypatch):
    def stop(device, small):
        raise KeyboardInterrupt

    monkeypatch.setattr(accelerator, "PARTS", {"one": lambda *_: {"n": 1}, "two": stop})
    with pytest.raises(KeyboardInterrupt):
        run()
    monkeypatch.setattr(accelerator, "PARTS", {"one": stop, "two": lambda *_: {"n": 2}})
    assert run()["parts"] == {"one": {"n": 1}, "two": {"n": 2}}
    monkeypatch.setattr(accelerator, "PARTS", {"one": lambda *_: {"n": 3}})
    assert run("--fresh")["parts"] == {"one": {"n": 3}}


def test_results_from_elsewhere_are_not_gone_on_with(run, monkeypatch):
    for number, torch in enumerate(("2.13", "2.14")):
        monkeypatch.setattr(accelerator, "provenance", lambda device, torch=torch: {"torch": torch})
        monkeypatch.setattr(accelerator, "PARTS", {"one": lambda *_, n=number: {"n": n}})
        assert run()["parts"] == {"one": {"n": number}}


@pytest.mark.parametrize("arguments", [["--device", "cpu"], ["--small"], ["--results", "x"]])
def test_a_trial_never_writes_the_results_of_the_book(monkeypatch, arguments):
    monkeypatch.setattr(sys, "argv", ["accelerator.py", *arguments])
    with pytest.raises(SystemExit) as stopped:
        accelerator.main()
    assert stopped.value.code == 2


def test_the_appendix_has_what_was_found_on_a_gpu_or_says_that_nothing_was():
    path = accelerator.RESULTS
    found = json.loads(path.read_text("utf8")) if path.exists() else None
    page = PAGE.read_text("utf8")
    begin, end = (f"<!-- {what} benchmarks/accelerator.py -->" for what in ("written by", "end of"))
    assert page.partition(begin)[2].partition(end)[0].strip() == accelerator.table(found)


def test_the_table_has_the_parts_that_are_there_and_nothing_of_a_trial():
    lines = accelerator.table(record()).splitlines()
    assert lines[0] == "| what | on one GPU |"
    assert lines[2:] == [
        "| weights | 1e+09 |",
        "| `minimum_norm_` to γ < 0.001, in copies of the weights | 9.9 |",
        "| the same in the fastest and in the slowest round | 8, 11 |",
        "| memory beside the model, in models | 0.041 |",
        "| tests for CUDA: passed, failed, skipped | 14, 0, 0 |",
    ]
    for nothing in (None, record(small=True), record(device="cpu")):
        assert accelerator.table(nothing) == accelerator.NOT_YET
