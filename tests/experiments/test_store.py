"""A file holds a whole result, or it is not taken for one."""

import json
import pathlib
from dataclasses import asdict, replace

import pytest

from gaugelib import GaugeError
from gaugelib.experiments import Curves, Run, run_all, settings
from gaugelib.experiments.store import read_run, read_runs, write_run, write_runs
from tests.experiments.by_hand import blobs

ONE = replace(settings("blobs", "sgd", small=True), hidden=(4,), epochs=2)
CURVES = Curves([2.5, 1.0, 1 / 3], [7.0, 6.0, 5.0], [0.9, 0.5, 0.1], [1.0, 0.5, 0.5], [0.1] * 3)
RUN = Run(ONE, CURVES, False, {"torch": "2"})


def test_what_is_written_is_read(tmp_path):
    write_run(tmp_path / "run.json", RUN)
    assert read_run(tmp_path / "run.json") == RUN
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_gathered_runs_keep_five_digits(tmp_path):
    write_runs(tmp_path / "runs.json", [RUN, RUN])
    first, second = read_runs((tmp_path / "runs.json").read_text())
    assert first == second
    assert first.settings == ONE
    assert first.curves.loss == [2.5, 1.0, 0.33333]


def test_every_beginning_of_a_file_is_refused(tmp_path):
    write_run(tmp_path / "run.json", RUN)
    whole = (tmp_path / "run.json").read_bytes()
    for length in range(0, len(whole) - 2, 7):
        (tmp_path / "part.json").write_bytes(whole[:length])
        with pytest.raises(GaugeError, match=r"part\.json' does not hold a finished run"):
            read_run(tmp_path / "part.json")


def _changed(**change) -> dict:
    plain = {
        "format": 1,
        "settings": ONE.as_dict(),
        "curves": asdict(CURVES),
        "diverged": False,
        "provenance": {},
    }
    return plain | change


@pytest.mark.parametrize(
    "plain",
    [
        _changed(format=2),
        _changed(settings={**ONE.as_dict(), "lr": "fast"}),
        _changed(settings={**ONE.as_dict(), "arm": "twice"}),
        _changed(curves=asdict(CURVES) | {"loss": [2.5, 1.0]}),
        _changed(curves=asdict(CURVES) | {"loss": [2.5, 1.0, float("nan")]}),
        _changed(curves=asdict(CURVES) | {"loss": [2.5, 1.0, "0.3"]}),
        _changed(curves={name: curve[:2] for name, curve in asdict(CURVES).items()}),
        _changed(curves={"loss": [1.0]}),
        _changed(more=1),
        [],
        None,
    ],
)
def test_what_is_no_result_is_refused(tmp_path, plain):
    (tmp_path / "run.json").write_text(json.dumps(_changed()))
    assert read_run(tmp_path / "run.json").curves == CURVES  # control: unchanged, it is one
    (tmp_path / "run.json").write_text(json.dumps(plain))
    with pytest.raises(GaugeError, match="does not hold a finished run"):
        read_run(tmp_path / "run.json")


def test_a_diverged_run_may_be_short(tmp_path):
    short = Curves(*(curve[:2] for curve in asdict(CURVES).values()))
    write_run(tmp_path / "run.json", replace(RUN, curves=short, diverged=True))
    assert read_run(tmp_path / "run.json").curves.loss == [2.5, 1.0]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    write_run(tmp_path / "run.json", RUN)

    def killed(*_):
        raise OSError("killed just before the file has its name")

    monkeypatch.setattr(pathlib.Path, "replace", killed)
    with pytest.raises(OSError, match="killed"):
        write_run(tmp_path / "run.json", replace(RUN, diverged=True))
    assert read_run(tmp_path / "run.json") == RUN


def test_a_broken_file_is_run_again_and_a_whole_one_is_not(tmp_path, capsys):
    def go() -> tuple[Run, ...]:
        return run_all([ONE], tmp_path, load=lambda _: blobs(), device="cpu", progress=False)

    path = tmp_path / ONE.file_name
    (run,) = go()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert go() == (run,)
    assert path.read_bytes() == whole
    assert "run again" in capsys.readouterr().out
    # a whole file is read, not computed: what it says is believed
    write_run(path, replace(run, curves=CURVES))
    assert go()[0].curves == CURVES
    # but not if it is the result of other settings
    write_run(path, replace(run, curves=CURVES, settings=replace(ONE, seed=1)))
    assert go() == (run,)
    assert "other settings" in capsys.readouterr().out
