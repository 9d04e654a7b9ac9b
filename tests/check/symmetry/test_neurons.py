"""Checkers of one neuron: the reference passes, the stub is helped, each mistake is named."""

from itertools import pairwise

from gaugelib import check

NAMES = ["relu", "leaky_relu", "abs", "tanh", "gelu", "softplus", "relu_squared", "identity"]


DEGREES = dict.fromkeys(NAMES, 1) | {
    "tanh": None,
    "gelu": None,
    "softplus": None,
    "relu_squared": 2,
}


def balanced(w_in, w_out, p):
    return (w_out.norm(p=p) / w_in.norm(p=p)).sqrt()


REFERENCES = {
    "homogeneity": DEGREES,
    "balance": balanced,
    "outgoing_factor": lambda a, k: a**-k,
    "gauge_dimension": lambda widths: sum(widths[1:-1]),
}


MISTAKES = {
    "homogeneity": [
        (DEGREES | {"tanh": 1}, "only near 0"),
        (DEGREES | {"gelu": 1}, "bends near 0"),
        (DEGREES | {"relu_squared": 1}, "4 times"),
        (DEGREES | {"softplus": 1}, "rounding has a size"),
        (["relu"], "dictionary"),
    ],
    "balance": [
        (lambda w, v, p: 1 / balanced(w, v, p), "upside down"),
        (lambda w, v, p: balanced(w, v, p) ** 2, "one more root"),
        (lambda w, v, p: balanced(w, v, 2), "depends on p"),
        (lambda w, v, p: balanced(w, v, p).log(), "logarithm"),
        (lambda w, v, p: 1.0, "still differ"),
    ],
    "outgoing_factor": [
        (lambda a, k: a**k, "repeats the change"),
        (lambda a, k: 1 / a, "right for k = 1"),
        (lambda a, k: a ** (-1 / k), "not on its root"),
        (lambda a, k: a - k, "function moved"),
    ],
    "gauge_dimension": [
        (lambda widths: sum(widths[1:]), "outputs are read"),
        (lambda widths: sum(widths[:-1]), "inputs come"),
        (lambda widths: len(widths) - 2, "not one for each layer"),
        (lambda widths: sum(a * b for a, b in pairwise(widths)), "counts weights"),
        (lambda widths: 7, "not 7"),
    ],
}


def test_an_unfilled_dictionary_is_told_what_is_missing():
    verdict = check.homogeneity(dict.fromkeys(NAMES, ...))
    assert not verdict
    assert verdict.message.startswith("say something about relu, leaky_relu")
