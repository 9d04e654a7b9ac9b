"""What is stored comes out again: a fixed few here, every item within 28 days in a workflow."""

import datetime
from dataclasses import replace

import pytest

from gaugelib import GaugeError
from gaugelib.curvature import trained_sharpness
from gaugelib.equivariance.runs import stored_runs
from gaugelib.experiments import STORED, stored
from gaugelib.soft.stability import stability
from tools import rerun_stored
from tools.rerun_stored import DAYS, TIGHT, Item, items, share, trained, unlike

TODAY = datetime.date(2026, 2, 27)

# --- who is due on which day ---


def test_all_that_is_stored_is_an_item_once():
    everything = items()
    assert len(set(everything)) == len(everything) == len(set(map(str, everything)))
    found = {(item.name, item.index) for item in everything if item.kind == "run"}
    assert found == {(name, k) for name in STORED for k in range(len(stored(name)))}
    assert len(found) == 369
    rows = {name: len(table["rows"]) for name, table in stability().items() if "rows" in table}
    assert rows.keys() == set(stability()) - {"tiny"}
    assert sum(item.kind == "row" for item in everything) == sum(rows.values())
    assert Item("tiny", "tiny") in everything
    counts = {"rows": 70, "orbits": 4}
    assert {name: len(each) for name, each in trained_sharpness().items()} == counts
    for name, count in counts.items():
        found = [item.index for item in everything if item[:2] == ("sharpness", name)]
        assert found == list(range(count))
    pages = {(item.name, item.index) for item in everything if item.kind == "symmetries"}
    measured = rerun_stored.two_symmetries.MEASURE
    names = {part: name for part, (name, _, _) in measured.items()}
    assert pages == {(p, row[names[p]]) for p, rows in stored_runs().items() for row in rows}


@pytest.mark.parametrize("first", [TODAY, datetime.date(2027, 12, 24), datetime.date(1, 1, 1)])
@pytest.mark.parametrize("count", [0, 5, 28, 469, 470])
def test_any_28_days_that_follow_each_other_have_every_item_once(first, count):
    everything = items()[:count]
    days = [first + datetime.timedelta(days=k) for k in range(DAYS)]
    shares = [share(everything, day) for day in days]
    assert sorted(item for one in shares for item in one) == sorted(everything)
    sizes = [len(one) for one in shares]
    assert max(sizes) - min(sizes) <= 1
    assert share(everything, first + datetime.timedelta(days=DAYS)) == shares[0]
    if count > DAYS:  # control: 27 days are too few
        assert {item for one in shares[:-1] for item in one} != set(everything)


def test_costly_runs_are_spread_over_the_days():
    days = [TODAY + datetime.timedelta(days=k) for k in range(DAYS)]
    everything = items()
    wide = [sum(one[:2] == ("run", "digits") for one in share(everything, day)) for day in days]
    assert max(wide) <= 4


# --- the fixed few ---

FEW = (
    ("digits-small", 0, 3),  # SGD, three layers, never fixed
    ("digits-small", 16, 3),  # EGD, seven layers, fixed once
    ("digits-small", 2, 3),  # fixed before every step
    ("digits-rates", 61, 3),  # the same at a larger rate
    ("digits-rates", 84, 3),  # the one of the control below
    ("digits-large-steps", 2, 2),
    ("digits-decay", 3, 3),
    ("digits", 0, 1),  # the paper's own widths
)


@pytest.mark.parametrize(("name", "index", "epochs"), FEW)
def test_a_stored_run_comes_out_again(name, index, epochs):
    assert rerun_stored.rerun_run(name, index, epochs) == []


@pytest.mark.parametrize("table", rerun_stored.TABLES)
def test_a_row_of_the_stability_tables_comes_out_again(table):
    assert rerun_stored.rerun_row(table, 5, seeds=[0]) == []


def test_control_another_row_is_not_what_is_stored(monkeypatch):
    changed = stability()
    rows = changed["residual"]["rows"]
    rows[5] = rows[5] | {"strength": 10 * rows[5]["strength"] + 1}
    monkeypatch.setattr(rerun_stored, "stability", lambda: changed)
    assert rerun_stored.rerun_row("residual", 5, seeds=[0]) != []


def place_of(**wanted):
    rows = trained_sharpness()["rows"]
    return next(k for k, row in enumerate(rows) if wanted.items() <= row.items())


QUICK = {"network": "convolutional", "loss": "cross-entropy", "way": "large", "seed": 0}


def test_a_trained_network_comes_out_again():
    assert rerun_stored.rerun_sharpness("rows", place_of(**QUICK)) == []


@pytest.mark.parametrize("name", ["value", "ratio", "sharpness", "trace"])
def test_control_a_change_in_the_fourth_digit_of_a_trained_network_is_noticed(monkeypatch, name):
    changed, where = trained_sharpness(), place_of(**QUICK)
    row = changed["rows"][where]
    value = row[name]
    row[name] = [value[0], value[1] * 1.0003] if isinstance(value, list) else value * 1.0003
    again = dict.fromkeys((0.0, 1e-12), trained_sharpness()["rows"][where])
    monkeypatch.setattr(rerun_stored, "stored_sharpness", lambda: changed)
    monkeypatch.setattr(rerun_stored.trained_sharpness, "row", lambda run, nudge: again[nudge])
    found = rerun_stored.rerun_sharpness("rows", where)
    assert len(found) == 1
    assert found[0].startswith(name)


def test_a_part_of_the_descents_on_a_page_comes_out_again():
    assert rerun_stored.rerun_symmetries("minima", 2) == []


@pytest.mark.parametrize("key", ["zero", "minima", "goal"])
def test_control_a_change_in_it_is_noticed(monkeypatch, key):
    changed = stored_runs()
    row = next(row for row in changed["minima"] if row["n"] == 2)
    other = {"zero": row["zero"] * 1.003, "minima": row["minima"][:1], "goal": [2.0, 0.0]}
    row[key] = other[key]
    monkeypatch.setattr(rerun_stored, "stored_runs", lambda: changed)
    found = rerun_stored.rerun_symmetries("minima", 2)
    assert len(found) == 1
    assert found[0].startswith(f"row 0, {key}: ")


def test_what_a_nudge_changes_is_not_compared():
    assert rerun_stored.alike(5, 3, 4)  # counts: two apart, where the nudge makes one of it
    assert rerun_stored.alike([1, 2], [1], [1, 3])
    assert rerun_stored.alike({"012": 2}, {"012": 3}, {"012": 4})
    assert not rerun_stored.alike(5, 3, 3)
    assert not rerun_stored.alike([1, 2], [1], [1])
    assert not rerun_stored.alike({"012": 2}, {"012": 3}, {"012": 3})


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"lr": 0.0505},
        {"weight_decay": 1.5e-4},
        {"arm": "every"},
        {"tol": 1e-2},
        {"lr_factor": 0.96},
    ],
    ids=lambda change: next(iter(change)),
)
def test_control_a_change_of_one_setting_is_noticed_within_the_first_epochs(change):
    # A run that rounding does not push about: what is allowed for it is a tenth of these changes.
    run = stored("digits-rates")[84]
    changed = replace(run.settings, **change)
    assert changed != run.settings
    here, *twins = (trained(changed, TIGHT, nudge) for nudge in (None, 0, 1))
    assert unlike(run.curves, here, twins, []) != []


def test_after_the_first_epochs_the_range_of_other_seeds_is_allowed_and_no_more():
    before, *others = (run.curves for run in stored("digits-small")[0:36:18])
    epochs = len(before.loss) - 1
    peers = [before, *others]
    width = max(one.loss[epochs] for one in peers) - min(one.loss[epochs] for one in peers)
    for factor, found in ((0.9, 0), (1.1, 1)):
        moved = [*before.loss[:-1], before.loss[-1] + factor * width]
        here = replace(before, loss=moved)
        assert len(unlike(before, here, [here], peers)) == found
        early = replace(before, loss=[*before.loss[:TIGHT], before.loss[TIGHT] + 0.01])
        early = replace(early, loss=early.loss + before.loss[TIGHT + 1 :])
        assert len(unlike(before, early, [early], peers)) == 1


def test_runs_whose_data_are_a_download_are_never_run_again():
    assert {run.settings.data for name in STORED for run in stored(name)} == {"digits"}
    elsewhere = replace(stored("digits-small")[0].settings, data="mnist")
    with pytest.raises(GaugeError, match=r"found data 'mnist', which are a download: run"):
        trained(elsewhere, 1)


def test_the_command_runs_what_is_named_and_says_what_differs(monkeypatch, capsys):
    found = {"run:digits:3": [], "row:residual:2": ["best, seed 0: 1 stored, 2 now"]}
    monkeypatch.setattr(rerun_stored, "rerun", lambda item: found[str(item)])
    assert rerun_stored.main(["run:digits:3"]) == 0
    assert rerun_stored.main(list(found)) == 1
    said = capsys.readouterr().out
    assert "run:digits:3: as stored" in said
    assert "row:residual:2: best, seed 0: 1 stored, 2 now" in said
    assert "1 of 2 as stored" in said
    with pytest.raises(SystemExit):
        rerun_stored.main(["run:digits:900"])
    assert "found ['run:digits:900']" in capsys.readouterr().err


def test_a_day_has_its_share(monkeypatch, capsys):
    run = []
    monkeypatch.setattr(rerun_stored, "rerun", lambda item: run.append(item) or [])
    assert rerun_stored.main(["--day", TODAY.isoformat()]) == 0
    assert tuple(run) == share(items(), TODAY)
    assert f"{len(run)} of {len(run)} as stored" in capsys.readouterr().out
