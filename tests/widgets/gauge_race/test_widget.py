"""GaugeRace shows the stored runs: its curves are theirs, in Python and in JavaScript."""

import json

import pytest
import torch
import traitlets
from torch.testing import assert_close

from gaugelib import experiments as ex
from gaugelib.widgets import GaugeRace
from gaugelib.widgets.gauge_race.curves import SIZES
from tests.widgets.node import NodeTests

CASES = [
    (size, optimiser, depth)
    for size in SIZES
    for optimiser in ("sgd", "egd")
    for depth in (3, 5, 7)
]


def from_store(size, optimiser, depth, arm):
    """The mean curves, straight from the stored runs."""
    runs = ex.select(ex.stored(SIZES[size]), optimiser=optimiser, depth=depth, arm=arm)
    assert len(runs) == 5
    decay, p = (1e-4, 2) if optimiser == "sgd" else (5e-6, 1)
    assert {run.settings.weight_decay for run in runs} == {decay}
    table = {
        name: torch.tensor([getattr(run.curves, name) for run in runs], dtype=torch.float64).mean(0)
        for name in ("loss", "penalty", "train_error", "test_error")
    }
    table["norm"] = (p * table["penalty"]) ** (1 / p)
    table["penalty"] = decay * table["penalty"]
    table["regularised"] = table["loss"] + table["penalty"]
    return table


@pytest.mark.parametrize(("size", "optimiser", "depth"), CASES)
def test_its_curves_are_the_means_of_the_stored_runs(size, optimiser, depth):
    widget = GaugeRace(size=size, optimiser=optimiser, depth=depth, epoch=7)
    for arm in ("never", "once", "every"):
        for quantity, mean in from_store(size, optimiser, depth, arm).items():
            assert_close(widget.curves(quantity)[arm], mean, rtol=6e-3, atol=0)
            assert widget.at(quantity)[arm] == widget.curves(quantity)[arm][7]


def test_control_another_arm_has_other_curves():
    wrong = from_store("full", "sgd", 3, "never")["regularised"]
    with pytest.raises(AssertionError):
        assert_close(GaugeRace().curves("regularised")["once"], wrong, rtol=6e-3, atol=0)


def test_javascript_reads_the_same_curves(tmp_path):
    cases = [
        {
            "name": f"{size}, {optimiser}, {depth} layers, {arm}",
            "which": {"size": size, "optimiser": optimiser, "depth": depth},
            "arm": arm,
            "wanted": {
                name: curve.tolist()
                for name, curve in from_store(size, optimiser, depth, arm).items()
            },
        }
        for size, optimiser, depth in CASES
        for arm in ("never", "every")
    ]
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"kept": GaugeRace()._kept, "cases": cases}))
    NodeTests("gauge_race/widget.test.mjs", FIXTURES=str(file)).require(at_least=len(cases) + 5)
    cases[0]["wanted"]["loss"][3] *= 1.02
    file.write_text(json.dumps({"kept": GaugeRace()._kept, "cases": cases}))
    assert not NodeTests("gauge_race/widget.test.mjs", FIXTURES=str(file)).succeeded  # control


def test_its_state_is_small():
    assert len(json.dumps(GaugeRace().get_state(), default=str)) - len(GaugeRace()._esm) < 60_000
    assert len(json.dumps(GaugeRace()._kept)) < 40_000


def test_the_share_of_the_loss_is_that_of_the_chapter():
    assert GaugeRace().loss_share() == pytest.approx(0.08, abs=0.005)
    assert GaugeRace(optimiser="egd").loss_share() == pytest.approx(0.23, abs=0.005)
    assert GaugeRace(size="small").loss_share() > 0.5


def test_its_still_picture_follows_its_state_and_tells_nothing_before_the_first_epoch():
    asked, told = GaugeRace(epoch=0), GaugeRace()
    assert asked.still() != told.still() != GaugeRace(plotted="norm").still()
    assert "nothing has been learnt" in asked.alt_text()
    assert "8% is loss" in told.alt_text()
    assert "%" not in asked.alt_text()


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        ({"size": "huge"}, "size must be one of: 'full', 'small'; found 'huge'"),
        ({"depth": 4}, "depth must be one of: 3, 5, 7; found 4"),
        ({"optimiser": "adam"}, "optimiser must be one of"),
        ({"plotted": "accuracy"}, "plotted must be one of"),
        ({"guess": "none"}, "guess must be one of"),
        ({"epoch": 31}, "epoch must lie in 0..30, found 31"),
        ({"epoch": -1}, "epoch must lie in 0..30"),
    ],
)
def test_bad_traits_are_refused_by_name(traits, reason):
    with pytest.raises(traitlets.TraitError, match=reason):
        GaugeRace(**traits)


def test_what_the_page_writes_is_read_back():
    widget = GaugeRace(epoch=0)
    widget.set_state({"size": "small", "epoch": 5, "guess": "middle"})
    assert (widget.size, widget.epoch, widget.guess) == ("small", 5, "middle")
    assert widget.at("loss")["once"] == widget.curves("loss")["once"][5]
    assert widget._start["epoch"] == 0
