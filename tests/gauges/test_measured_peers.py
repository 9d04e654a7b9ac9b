"""The peers' table is complete, and its networks are as described."""

import math

import pytest
import torch
from torch.testing import assert_close

from gaugelib.gauges import measured
from tools.rerun_stored import sys  # noqa: F401  (puts the benchmarks on the path)

import equalisation_peers as benchmark  # isort: skip
from peers.networks import NETWORKS, PAIRS, load  # isort: skip

ROUNDING_ALONE = 1e-12
OUTCOMES = {"rescaled", "unchanged", "not finite", "refused"}


@pytest.fixture(scope="module")
def table():
    return measured("peers")["networks"]


def test_every_network_has_a_row_for_every_method(table):
    assert list(table) == list(NETWORKS)
    for rows in table.values():
        assert list(rows) == ["as given", *benchmark.OURS, *benchmark.PEERS]


def test_every_number_is_there_or_its_absence_is_explained(table):
    for rows in table.values():
        for method, row in rows.items():
            assert row["outcome"] in OUTCOMES
            if row["outcome"] == "refused":
                assert row["said"]
                continue
            assert method == "as given" or row["time"] > 0
            if row["outcome"] != "not finite":
                assert math.isfinite(row["change"])
                assert 0 < row["int8"] < 10
            assert (row.get("change") == 0) >= (row["outcome"] == "unchanged")


def test_our_gauges_move_no_output_of_any_network(table):
    for rows in table.values():
        for method in benchmark.OURS:
            assert rows[method]["outcome"] == "rescaled"
            assert rows[method]["change"] < ROUNDING_ALONE


@pytest.mark.parametrize("peer", benchmark.PEERS)
def test_each_peer_moves_a_network_that_it_takes(table, peer):
    moved = [name for name, rows in table.items() if rows[peer].get("change", math.inf) > 1e-3]
    assert moved  # the control: the same measurement sees what is not exact


def test_rounding_shows_the_gauge_and_ours_do_not_depend_on_it(table):
    here, there = table["mlp"], table["mlp, another gauge"]
    assert there["as given"]["int8"] > 30 * here["as given"]["int8"]
    for method in benchmark.OURS:
        assert there[method]["int8"] == pytest.approx(here[method]["int8"], rel=0.5)


def test_the_table_says_with_what_it_was_made():
    provenance = measured("peers")["provenance"]
    assert provenance["command"] == "python benchmarks/equalisation_peers.py"
    assert provenance["date"] > "2026"
    assert set(provenance["versions"]["peers"]) == set(benchmark.PEERS)
    assert all("==" in one for some in provenance["versions"]["peers"].values() for one in some)


# --- the networks ---


@torch.no_grad()
@pytest.mark.parametrize("name", ["padding, normalised", "residual, normalised"])
def test_normalisation_written_into_convolutions_is_the_same_function(name):
    model = NETWORKS[name]().double()
    x = torch.randn(16, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for _ in range(3):
        model(x)  # so that the normalisations know something
    weights, before = model.state_dict(), model.eval()(x)
    folded = load(name, weights, folded=True)
    assert not any("running" in key for key in folded.state_dict())
    assert_close(folded(x), before, rtol=1e-12, atol=1e-12)
    control = load(name, weights | {"last.bias": weights["last.bias"] + 1}, folded=True)
    assert float((control(x) - before).abs().min()) > 0.9


@pytest.mark.parametrize("name", NETWORKS)
def test_the_pairs_that_are_listed_are_neighbours_of_one_width(name):
    parts = dict(NETWORKS[name]().named_modules())
    for one, two in PAIRS[name]:
        assert parts[one].weight.shape[0] == parts[two].weight.shape[1]
