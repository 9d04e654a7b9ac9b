"""The command line runs what it is asked for, goes on where it stopped, and says what is left."""

import pytest

from gaugelib.experiments import __main__ as command
from gaugelib.experiments import suite
from gaugelib.experiments.store import read_runs

PART = "digits-small --depth 3 --optimiser sgd --arm never once --seeds 1 --epochs 1"


def chosen(arguments: str):
    return command.chosen(command.parser().parse_args(arguments.split()))


def test_a_part_of_a_suite_is_chosen():
    assert len(chosen("paper --arm never every")) == 240
    one = chosen("paper --data mnist --depth 3 --optimiser egd --arm once --seeds 1")
    assert [(s.data, s.depth, s.optimiser, s.arm, s.seed) for s in one] == [
        ("mnist", 3, "egd", "once", 0)
    ]
    assert chosen("paper") == suite("paper")


def test_other_settings_are_other_runs():
    changed = chosen("digits-small --lr 0.5 --weight-decay 0 --batch 8 --init xavier --epochs 2")
    assert {(s.lr, s.weight_decay, s.batch, s.init, s.epochs) for s in changed} == {
        (0.5, 0.0, 8, "xavier", 2)
    }
    assert not set(changed) & set(suite("digits-small"))
    # learning rates that become one are run once
    assert len(chosen("digits-rates --lr 0.5")) == 18


def test_the_command_stores_reports_and_draws(tmp_path, capsys):
    asked = f"{PART} --folder {tmp_path}/r --gather {tmp_path}/all.json --figures {tmp_path}/f"
    assert command.main(asked.split()) == 0
    report = capsys.readouterr().out
    assert "digits, SGD, η = 0.02, λ = 0.0001: regularised loss" in report
    assert "(1/1)" in report
    assert len(list((tmp_path / "r").glob("*.json"))) == 2
    assert len(read_runs((tmp_path / "all.json").read_text())) == 2
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["1-sgd.png"]


def test_what_is_left_is_said_and_done_the_next_time(tmp_path, capsys):
    asked = [*PART.split(), "--folder", str(tmp_path)]
    assert command.main([*asked, "--minutes", "0"]) == 1
    assert "2 of 2 runs are left to do" in capsys.readouterr().err
    assert command.main(asked) == 0
    assert command.main([*asked, "--minutes", "0"]) == 0  # all are there


def test_a_stop_by_hand_is_no_traceback(tmp_path, monkeypatch, capsys):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run_all", stopped)
    assert command.main([*PART.split(), "--folder", str(tmp_path)]) == 1
    assert "the same command goes on" in capsys.readouterr().err


def test_an_empty_part_is_an_error(capsys):
    assert command.main(["digits", "--data", "mnist"]) == 1
    assert "no run of 'digits' is of that part" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["imagenet", "digits --depth 4", "digits --arm twice"])
def test_what_the_command_does_not_know_is_refused(wrong, capsys):
    with pytest.raises(SystemExit):
        command.main(wrong.split())
    assert "invalid choice" in capsys.readouterr().err


def test_help_names_every_suite(capsys):
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    help_text = capsys.readouterr().out
    assert all(name in help_text for name in ("paper", "digits-rates", "--minutes"))
