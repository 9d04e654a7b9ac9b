"""The survey of published models believes no group, and loses no model.

Two tiny networks stand for the published ones.
"""

import json
import pathlib
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

from gaugelib import Entry, trace_group

sys.path.append(str(pathlib.Path(__file__).parents[2] / "benchmarks"))
import traced_models
from traced.check import checked
from traced.measure import measured
from traced.verdict import verdict

X = (torch.tensor([[0.3, -1.2, 0.7], [1.0, 0.5, -0.2]]),)


class Noisy(nn.Module):
    """Draws anew in every call, which no front end can follow."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 4)

    def forward(self, x):
        return self.layer(x) + torch.randn(4)


class Deaf(nn.Module):
    """Says nothing of what its hidden layer finds."""

    def __init__(self):
        super().__init__()
        self.layers = network(nn.ReLU())

    def forward(self, x):
        return 0.0 * self.layers(x) + x[:, :2]


class Lowered(nn.Module):
    """Computes in float32 whatever it is given, as rotary positions and norms do."""

    def __init__(self):
        super().__init__()
        self.layers = network(nn.ReLU())

    def forward(self, x):
        return self.layers(x).to(torch.float32).exp() + torch.ones((), dtype=torch.float32) / 3


def network(between):
    model = nn.Sequential(nn.Linear(3, 4), between, nn.Linear(4, 2))
    draw = torch.Generator().manual_seed(0)
    for value in model.parameters():
        nn.init.normal_(value, generator=draw)
    return model


def row_of(model):
    row = {}
    measured(model, X, row.update)
    return row


def test_a_network_is_traced_and_found_right():
    row = row_of(network(nn.ReLU()))
    assert row["units"] == 4
    assert 0 < row["change"] < 1e-12 < 1e-3 < row["control"]
    assert verdict(row) == "traced"


def test_a_reason_of_refusal_is_kept():
    row = row_of(Noisy())
    assert verdict(row) == "refused"
    assert "random" in row["reason"]
    assert "change" not in row


def test_a_wrong_group_is_caught():
    group = trace_group(network(nn.ReLU()), X)
    row = {"status": "traced", "checked": "yes", **checked(network(nn.Tanh()), X, group)}
    assert row["change"] > 1e-3
    assert verdict(row) == "wrong"


def test_a_bias_that_is_left_out_is_caught():
    group = trace_group(network(nn.ReLU()), X)
    still = Entry(torch.tensor(0), torch.tensor(0), "bias")
    short = replace(group, entries={**group.entries, "0.bias": still})
    assert checked(network(nn.ReLU()), X, short)["change"] > 1e-3


def test_a_check_that_would_notice_nothing_is_no_check():
    row = row_of(Deaf())
    assert row["units"] == 4
    assert row["change"] == row["control"] == 0
    assert verdict(row) == "unchecked"


def test_what_asks_for_less_is_checked_in_float64():
    assert verdict(row_of(Lowered())) == "traced"


def test_nan_is_wrong():
    assert verdict({"status": "traced", "checked": "yes", "change": "nan"}) == "wrong"


def test_a_model_that_ends_its_process_is_kept_with_how_it_ended():
    program = f"""
import os, sys, json, torch
sys.path[:0] = [{str(pathlib.Path(traced_models.__file__).parent)!r}]
import traced.worker as worker
class Last(torch.nn.Linear):
    def forward(self, x):
        os._exit(3)
worker.build = lambda name: (Last(3, 2), (torch.ones(1, 3),))
if __name__ == "__main__":
    print(json.dumps(worker.apart("a/b")))
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    row = json.loads(told.stdout)
    assert row["exit"] == 3
    assert row["parameters"] == 8
    assert verdict(row) == "ended while tracing"


@pytest.fixture
def rows(monkeypatch, tmp_path):
    """Three models, of which one was looked at twice, through the file between the processes."""
    monkeypatch.setattr(traced_models, "NAMES", ("a/mlp", "a/noisy", "b/mlp"))
    parts = tmp_path / "parts.jsonl"
    said = [
        {"name": "b/mlp", "status": "ended while tracing"},
        {"name": "a/noisy", **row_of(Noisy())},
        {"name": "b/mlp", **row_of(network(nn.ReLU()))},
    ]
    parts.write_text("".join(json.dumps(row) + "\n" for row in said), encoding="utf-8")
    target = tmp_path / "stored.json"
    traced_models.write(traced_models.gathered(parts), target)
    assert len([line for line in target.read_text().splitlines() if "status" in line]) == 2
    return traced_models.stored(target)


def test_the_last_word_counts_and_what_is_missing_is_known(rows):
    assert list(rows) == ["a/noisy", "b/mlp"]
    assert verdict(rows["b/mlp"]) == "traced"


def test_the_table_counts_and_groups_the_refusals(rows):
    text = traced_models.table(rows)
    assert "| all | 2 | 1 | 1 |" in text
    assert "- 1: " in text
    assert "a/noisy" in text


def test_what_was_lost_or_gained_is_named(rows):
    before = {
        "a/noisy": {"status": "traced", "units": 4},
        "b/mlp": {"status": "traced", "units": 3},
    }
    text = traced_models.compared(rows, before)
    assert "- a/noisy: traced, now refused" in text
    assert "- b/mlp: 3 units, now 4" in text
    assert traced_models.compared(rows, rows).endswith("nothing")
