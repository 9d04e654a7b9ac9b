"""Killed in the middle and started again, the experiments give the same files."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import torch

from gaugelib.experiments import Settings, run_all
from gaugelib.experiments.training import Training
from tests.experiments.by_hand import blobs

EPOCHS = 25
ALL = [
    Settings("blobs", (8, 6), kind, arm, 0, lr=0.02, weight_decay=1e-3, epochs=EPOCHS, batch=4,
             output_bias=0.01)
    for kind in ("sgd", "egd") for arm in ("every", "once")
]  # fmt: skip
SCRIPT = """
import sys
from tests.experiments.test_interrupted import go
go(sys.argv[1])
"""


def go(folder: pathlib.Path | str) -> None:
    run_all(
        ALL, folder, load=lambda _: blobs(), device="cpu", checkpoint_seconds=0.0, progress=False
    )


def files(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}


def kill_in_the_middle(folder: pathlib.Path) -> None:
    """Start the experiments in a process of their own and end it with SIGKILL in the second run."""
    threads = str(torch.get_num_threads())
    path = os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")])
    surroundings = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONPATH": path}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)], env=surroundings)
    second = folder / ALL[1].file_name
    try:
        while process.poll() is None and not second.with_suffix(".part").exists():
            time.sleep(0.001)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL


def test_killed_in_the_middle_and_started_again_it_gives_the_same_files(tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kill_in_the_middle(killed)
    left = files(killed)
    assert ALL[0].file_name in left
    assert not {one.file_name for one in ALL[1:]} & left.keys()
    go(killed)
    go(whole)
    names = {one.file_name for one in ALL}
    assert files(whole).keys() == names
    assert {name: content for name, content in files(killed).items() if name in names} == files(
        whole
    )
    assert not list(killed.glob("*.part"))


def test_what_is_taken_up_is_taken_up_where_it_was(tmp_path, monkeypatch):
    begun = []
    plain = Training.run_epoch_

    def counted(self):
        begun.append(self.epoch)
        if len(begun) == 7:
            raise KeyboardInterrupt
        plain(self)

    monkeypatch.setattr(Training, "run_epoch_", counted)
    for _ in range(2):
        try:
            run_all(ALL[:1], tmp_path / "a", load=lambda _: blobs(), device="cpu",
                    checkpoint_seconds=0.0, progress=False)  # fmt: skip
        except KeyboardInterrupt:
            continue
    assert begun == [0, 1, 2, 3, 4, 5, 6, *range(6, EPOCHS)]


def test_a_state_that_cannot_be_read_or_was_made_otherwise_is_left_aside(tmp_path, capsys):
    one = ALL[:1]
    part = (tmp_path / one[0].file_name).with_suffix(".part")
    options = {"load": lambda _: blobs(), "device": "cpu", "progress": False}
    (expected,) = run_all(one, **options)
    part.write_bytes(b"PK half a file")
    assert run_all(one, tmp_path, **options) == (expected,)
    assert "cannot be taken up" in capsys.readouterr().out
    (tmp_path / one[0].file_name).unlink()
    torch.save({"made_with": {"torch": "0.1"}, "training": {"diverged": True}}, part)
    assert run_all(one, tmp_path, **options) == (expected,)


def test_when_the_time_is_up_nothing_new_is_begun(tmp_path):
    found = run_all(ALL, tmp_path, load=lambda _: blobs(), minutes=0.0, progress=False)
    assert found == ()
    assert files(tmp_path) == {}


def test_without_the_state_of_the_order_it_would_give_other_files(tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    kill_in_the_middle(cut)
    plain = Training.load_state_
    monkeypatch.setattr(
        Training,
        "load_state_",
        lambda self, state: plain(self, {**state, "order": torch.Generator().get_state()}),
    )
    go(cut)
    go(whole)
    assert files(cut)[ALL[1].file_name] != files(whole)[ALL[1].file_name]
    assert files(cut)[ALL[0].file_name] == files(whole)[ALL[0].file_name]
