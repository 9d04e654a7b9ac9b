"""The stored map of stable learning rates, run again cell by cell in plain NumPy."""

import itertools
import random

import numpy as np
import pytest

from gaugelib import GaugeError
from gaugelib.soft.stability import measured, stability

BASE_32 = "0123456789abcdefghijklmnopqrstuv"
TINY = stability()["tiny"]


def cell(verdict, start, method, strength, eta, seed):
    row = TINY[verdict][start][method][TINY["strengths"][method].index(strength)]
    return bool(BASE_32.index(row[TINY["etas"].index(eta)]) >> seed & 1)


def forward(weights, x):
    kept = [x]
    for k, w in enumerate(weights):
        z = kept[-1] @ w.T
        kept.append(z if k == len(weights) - 1 else np.maximum(z, 0))
    return kept


def run(start, method, strength, eta, seed, sign=1.0):
    """Strictly and tolerantly stable, with gradients by hand."""
    x, y = np.array(TINY["inputs"]), np.array(TINY["targets"])[:, None]
    weights = [np.array(w) for w in TINY["starts"][start][seed]]
    first = lowest = None
    strict = True
    for step in range(TINY["steps"] + 1):
        kept = forward(weights, x)
        miss = kept[-1] - y
        loss = float(np.sum(miss**2) / (2 * len(x)))
        first = loss if first is None else first
        lowest = loss if lowest is None else lowest
        if not (np.isfinite(loss) and loss <= 2 * first):
            return False, False
        strict &= loss <= 1.01 * lowest
        lowest = min(lowest, loss)
        if step == TINY["steps"]:
            break
        slopes, back = [], miss / len(x)
        for k in reversed(range(len(weights))):
            slopes.insert(0, back.T @ kept[k])
            back = (back @ weights[k]) * (kept[k] > 0)
        if method == "imbalance":
            for k in range(len(weights) - 1):
                charge = (weights[k] ** 2).sum(1) - (weights[k + 1] ** 2).sum(0)
                slopes[k] = slopes[k] + sign * strength * charge[:, None] * weights[k]
                slopes[k + 1] = slopes[k + 1] - sign * strength * weights[k + 1] * charge
        weights = [w - eta * g for w, g in zip(weights, slopes)]
        if method == "log-ratio":
            u = [np.log((w**2).sum(1) / (v**2).sum(0)) / 2 for w, v in itertools.pairwise(weights)]
            for k, ratio in enumerate(u):
                weights[k] = weights[k] * np.exp(-strength * ratio / 2)[:, None]
                weights[k + 1] = weights[k + 1] * np.exp(strength * ratio / 2)
    dead = float(np.sum(y**2) / (2 * len(x)))
    return strict, loss < first and abs(loss - dead) > 1e-12 * dead


def sample(count, seed=0):
    draw = random.Random(seed)
    while count:
        start, method = draw.choice(list(TINY["starts"])), draw.choice(list(TINY["strengths"]))
        cells = (start, method, draw.choice(TINY["strengths"][method]), draw.choice(TINY["etas"]))
        k = draw.randrange(len(TINY["starts"][start]))
        if not cell("fragile", *cells, k):
            count -= 1
            yield *cells, k


def test_the_stored_verdicts_are_reached_again():
    for cells in sample(60):
        with np.errstate(all="ignore"):
            assert run(*cells) == (cell("strict", *cells), cell("tolerant", *cells)), cells


def test_control_a_penalty_of_the_wrong_sign_is_not_what_was_stored():
    wrong = 0
    for start, method, strength, eta, seed in sample(300, seed=1):
        if method == "imbalance" and strength >= 0.1:
            cells = (start, method, strength, eta, seed)
            with np.errstate(all="ignore"):
                wrong += run(*cells, sign=-1.0)[0] != cell("strict", *cells)
    assert wrong >= 5


def test_without_a_penalty_both_maps_are_one():
    for verdict in ("strict", "tolerant"):
        for start in TINY["starts"]:
            rows = [TINY[verdict][start][method][0] for method in TINY["strengths"]]
            assert rows[0] == rows[1]


def test_a_measurement_is_found_by_its_names():
    row = measured("residual", "he", "log-ratio", 0.5)
    assert (row["start"], row["method"], row["strength"]) == ("he", "log-ratio", 0.5)
    with pytest.raises(GaugeError, match="nothing was measured on 'residual' with"):
        measured("residual", "he", "log-ratio", 0.7)
    with pytest.raises(GaugeError, match="nothing was measured on 'tiny'"):
        measured("tiny", "he", "none")
