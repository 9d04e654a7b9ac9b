"""Checkers of "The minimum-norm gauge": reference, stub, and a hint for each known mistake."""

import math
from itertools import pairwise

import torch

from gaugelib import check


def ratios(weights, p):
    return [b.abs().pow(p).sum(0) / a.abs().pow(p).sum(1) for a, b in pairwise(weights)]


def count(rate, factor):
    return math.log(factor) / -math.log(rate)


def mean(totals):
    return math.prod(totals) ** (1 / len(totals))


def layer_scales(totals, p):
    dials, product = [], 1.0
    for total in totals[:-1]:
        product *= mean(totals) / total
        dials.append(product ** (1 / p))
    return dials


def alive(weights):
    fed, masks = torch.ones(weights[0].shape[1]).bool(), []
    for w in weights[:-1]:
        fed = (w != 0)[:, fed].any(1)
        masks.append(fed)
    heard = torch.ones(weights[-1].shape[0]).bool()
    for k in range(len(weights) - 1, 0, -1):
        heard = (weights[k] != 0)[heard].any(0)
        masks[k - 1] = masks[k - 1] & heard
    return masks


PRINTED = {"p": 0.5, "w_in": 1.0, "w_out": 100.0, "a": 100.0}
REFERENCES = {
    "update_scales": lambda w, p: [r ** (1 / (4 * p)) for r in ratios(w, p)],
    "steps_needed": lambda n, factor: math.ceil(count(math.cos(math.pi / (2 * n)) ** 2, factor)),
    "predicted_share": lambda totals: mean(totals) / (sum(totals) / len(totals)),
    "refutation": PRINTED,
    "layer_scales": layer_scales,
    "alive": alive,
}
MISTAKES = {
    "update_scales": [
        (lambda w, p: [r ** (-1 / (4 * p)) for r in ratios(w, p)], "upside down"),
        (lambda w, p: [r ** (1 / (2 * p)) for r in ratios(w, p)], "doubled step"),
        (lambda w, p: [r ** (1 / 8) for r in ratios(w, p)], "not for p = 1.0"),
        (lambda w, p: [r ** (1 / (4 * p * p)) for r in ratios(w, p)], "p-th roots"),
        (lambda w, p: w, "layer by layer"),
    ],
    "steps_needed": [
        (lambda n, factor: count(math.cos(math.pi / n), factor), "doubled step"),
        (lambda n, factor: count(math.cos(math.pi / (2 * n)), factor), "the square"),
        (
            lambda n, factor: count(math.cos(math.pi / (2 * n - 2)) ** 2, factor),
            "one more than",
        ),
        (lambda n, factor: 3, "count again"),
    ],
    "predicted_share": [
        (mean, "one half of it"),
        (lambda totals: sum(totals) / len(totals) / mean(totals), "upside down"),
        (lambda totals: mean(totals) / sum(totals), "not with the sum"),
        (lambda totals: 0.5, "make all totals equal"),
    ],
    "refutation": [
        (PRINTED | {"p": 2.0}, "look below 1"),
        (PRINTED | {"a": 1000.0}, "raises the sum"),
        (PRINTED | {"a": 2.0}, "obeys the printed bound"),
        (PRINTED | {"a": 0.0}, "positive and finite"),
        ({}, "give numbers"),
    ],
    "layer_scales": [
        (lambda t, p: [1 / a for a in layer_scales(t, p)], "upside down"),
        (lambda t, p: [a**p for a in layer_scales(t, p)], "p-th root"),
        (lambda t, p: [(mean(t) / x) ** (1 / p) for x in t[:-1]], "multiply them up"),
        (lambda t, p: [1.0 for _ in t[:-1]], "do not become equal"),
    ],
    "alive": [
        (
            lambda w: [(a != 0).any(1) & (b != 0).any(0) for a, b in pairwise(w)],
            "dead too",
        ),
        (lambda w: [~mask for mask in alive(w)], "say True"),
        (lambda w: [(a != 0).any(1) for a in w[:-1]], "heard as well as fed"),
        (lambda w: w, "path of non-zero weights"),
    ],
}


def test_an_unfilled_dictionary_is_told_what_is_missing():
    assert "give numbers" in check.refutation(dict.fromkeys(PRINTED, ...)).message
