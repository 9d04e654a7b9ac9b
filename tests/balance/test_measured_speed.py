"""The tables of speed are what was measured, and the programs that measure do what they say."""

import json
import pathlib
import sys

import pytest
import torch
from torch.testing import assert_close

from gaugelib import hat, minimum_norm, mlp_group, params_of

sys.path.append(str(pathlib.Path(__file__).parents[2] / "benchmarks"))
import minimum_norm as methods
import norm_peers
import streaming
from peers.networks import CONVOLVED, made
from peers.solver import Solver, chain, gamma, marginals, turn_, weights_of

ROOT = pathlib.Path(__file__).parents[2]
PAGE = (ROOT / "book" / "speed.md").read_text(encoding="utf-8")
WIDTHS = (6, 40, 30, 5)
DTYPES = ("float32", "float64")


def record(name):
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text("utf-8"))


def relative(found, expected):
    return max(float((a / b - 1).abs().max()) for a, b in zip(found, expected, strict=True))


# --- what is stored, and the page ---


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("streaming", lambda stored: streaming.page(stored)),
        ("norm_peers", lambda stored: norm_peers.table(stored)),
        ("minimum_norm", lambda stored: methods.table(stored["ratios"])),
    ],
)
def test_what_the_page_shows_was_written_from_what_was_measured(name, written):
    stored, (_, _, rest) = record(name), PAGE.partition(f"<!-- written by benchmarks/{name}.py -->")
    shown, end, _ = rest.partition(f"<!-- end of benchmarks/{name}.py -->")
    assert end
    assert shown.strip() == written(stored)
    assert stored["versions"]["torch"]


def test_every_solve_that_was_timed_reached_the_tolerance():
    stored = record("streaming")
    for row in stored["layers"] + stored["figure-2"]:
        for build in ("before", "now"):
            assert row["call"] == "marginals" or row[build]["gamma"] < stored["tolerance"]


def test_large_networks_are_solved_in_few_readings_and_little_memory():
    kept = [row for row in record("streaming")["layers"] if row["call"] != "marginals"]
    large = [row for row in kept if row["weights"] > 9.9e7 and not row["spread"]]
    assert {(row["call"], row["p"]) for row in large} == {
        (call, p) for call in ("in place", "new") for p in (1.0, 2.0)
    }
    for row in large:
        readings, memory = (10, 0.05) if row["call"] == "in place" else (12, 1.05)
        assert round(row["now"]["readings"]) <= readings
        assert row["now"]["memory"] <= memory
        assert row["before"]["readings"] > readings  # the control: the earlier build needs more
    assert all(row["faster"] > 1 for row in kept)


def test_whoever_pursues_the_norm_reaches_it_and_nobody_moves_an_output():
    stored = record("norm_peers")
    for found in stored["networks"].values():
        assert list(found) == list(stored["methods"])
        for name, row in found.items():
            assert row["moved"] < 1e-12
            wanted = stored["methods"][name][0] == f"γ < {stored['tolerance']:g}"
            assert (row["gamma"] < stored["tolerance"]) == wanted


# --- one build at work ---


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("call", ["marginals", "in place", "new", "out"])
def test_an_answer_leaves_the_network_as_it_was(call, dtype):
    solver = Solver(WIDTHS, dtype, threads=1, spread=1.0)
    kept = [w.clone() for w in solver.weights]
    answer = solver.answer(call, 2.0, 1e-3, check=True)
    rounding = 16 * torch.finfo(kept[0].dtype).eps
    assert relative(solver.weights, kept) < rounding
    assert min(answer["seconds"], answer["reading"]) > 0
    if call != "marginals":
        assert answer["converged"]
        assert answer["gamma"] < 1e-3 < gamma(kept, 2.0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("p", [1.0, 2.0])
def test_marginals_are_those_of_the_dense_powers(p, dtype):
    weights = weights_of(chain(WIDTHS, dtype, 0.0))
    for (rows, columns), w in zip(marginals(weights, p), weights, strict=True):
        powers = w.double().abs() ** p
        assert_close(rows, powers.sum(1))
        assert_close(columns, powers.sum(0))
        assert not torch.equal(rows, w.double().abs().pow(p + 1).sum(1))


def test_the_imbalance_of_the_hat_is_known():
    weights = [value for key, value in params_of(hat()).items() if key.endswith("weight")]
    assert gamma(weights, 2.0) == pytest.approx(0.6)  # 1 flows in and 4 out
    turn_(weights, torch.tensor([1.0, 2.0, 1.0]).double().sqrt())
    assert gamma(weights, 2.0) < 1e-15


def test_the_comparison_runs_to_its_end_and_refuses_another_library(tmp_path):
    setup = {"widths": list(WIDTHS), "dtype": "float32", "threads": 1, "spread": 0.0}
    builds = {"before": ROOT, "now": ROOT}
    calls = [("marginals", 2.0), ("in place", 1.0), ("new", 2.0)]
    rows = streaming.compare(builds, setup, calls, rounds=2)
    assert [(row["call"], row["p"]) for row in rows] == calls
    assert all(row["now"]["readings"] > 0 and row["weights"] == 1590 for row in rows)
    again = streaming.merged(rows, rows[1:])
    assert again == rows
    with pytest.raises(RuntimeError, match="not that of"):
        streaming.compare({"before": tmp_path}, setup, calls, rounds=1)


# --- the peers that are written here ---


@pytest.mark.parametrize("method", [norm_peers.equi_normalise, norm_peers.lapack_balance])
@torch.no_grad()
def test_peers_keep_the_function_and_come_nearer_to_balance(method):
    stored = norm_peers.network(WIDTHS)
    model = made("-".join(map(str, WIDTHS))).double()
    model.load_state_dict(stored["weights"])
    before = model(stored["inputs"])
    start = gamma(weights_of(model)[::2], 2.0)
    method(model)
    assert_close(model(stored["inputs"]), before, rtol=1e-12, atol=1e-12)
    end = gamma(weights_of(model)[::2], 2.0)
    assert end < (1e-3 if method is norm_peers.equi_normalise else start)
    model.layer0.bias.mul_(2)  # the control: a bias that was left out would be seen
    assert float((model(stored["inputs"]) - before).abs().max()) > 0.1


def test_equi_normalization_ends_where_the_solver_does():
    name, stored = "-".join(map(str, WIDTHS)), norm_peers.network(WIDTHS)
    model = made(name).double()
    model.load_state_dict(stored["weights"])
    found = minimum_norm(params_of(model), mlp_group(model), tol=1e-10).params
    norm_peers.equi_normalise(model)
    apart = [float((found[k] / v - 1).abs().max()) for k, v in params_of(model).items()]
    assert max(apart) < 5e-3
    assert max(float((found[k] / v - 1).abs().max()) for k, v in stored["weights"].items()) > 0.1


def test_a_chain_as_convolutions_of_one_pixel_is_the_same_function():
    name, stored = "-".join(map(str, WIDTHS)), norm_peers.network(WIDTHS)
    model, convolved = made(name).double(), made(name + CONVOLVED).double()
    model.load_state_dict(stored["weights"])
    asked = norm_peers.reshaped(stored, convolved)
    convolved.load_state_dict(asked["weights"])
    assert_close(convolved(asked["inputs"]).flatten(1), model(stored["inputs"]))
