"""Checkers of one dial and of one step: answers, and what they are of."""

import pytest
import torch

from gaugelib import check


def has_lightest(exponents):
    return min(exponents) < 0 < max(exponents) or min(exponents) == max(exponents) == 0


def safe_exponents(lengths, p):
    return [1 / (2 * max(lengths) * p), 1 / (max(lengths) * p)]


def nothing(exponents):
    return min(exponents) == max(exponents) == 0


def scaled(change, part):
    """The right answer with one of its parts changed."""

    def answer(lengths, p):
        found = safe_exponents(lengths, p)
        found[part] = change(lengths, p, 2 - part)
        return found

    return answer


REFERENCES = {"has_lightest": has_lightest, "safe_exponents": safe_exponents}
MISTAKES = {
    "has_lightest": [
        (lambda e: sum(e) == 0, "only their signs count"),
        (lambda e: min(e) < 0 < max(e), "a dial that moves nothing"),
        (lambda e: min(e) <= 0 <= max(e), "0 and exponents of one sign"),
        (lambda e: (1 in e and -1 in e) or nothing(e), "need not be among them"),
        (lambda e: (min(e) < 0 < max(e) and 0 not in e) or nothing(e), "does no harm"),
        (lambda e: not has_lightest(e), "turned round"),
        (lambda e: True, "makes the network lighter for ever"),
        (lambda e: False, "of both signs has one"),
        (lambda e: max(e) > 0 or nothing(e), "the further it is turned back"),
        (lambda e: has_lightest(e) and len(e) < 4, "you say "),
    ],
    "safe_exponents": [
        (lambda lengths, p: [1 / (4 * p), 1 / (2 * p)], "for columns of length 2"),
        (lambda lengths, p: safe_exponents(lengths, p)[::-1], "the second of the two"),
        (scaled(lambda q, p, f: 1 / (2 * max(q) * p), 1), "one may go as far again"),
        (scaled(lambda q, p, f: 1 / (f * max(q)), 0), "p is missing"),
        (scaled(lambda q, p, f: p / (f * max(q)), 0), "p belongs below the line"),
        (scaled(lambda q, p, f: 1 / (f * sum(q) * p), 0), "is the one that counts"),
        (scaled(lambda q, p, f: len(q) / (f * sum(q) * p), 1), "not the mean length"),
        (scaled(lambda q, p, f: 1 / (f * min(q) * p), 0), "not the shortest column"),
        (scaled(lambda q, p, f: 1 / (f * len(q) * p), 1), "the number of parameters"),
        (scaled(lambda q, p, f: 1 / (4 * max(q) * p), 0), "half of the half"),
        (scaled(lambda q, p, f: 2.0, 0), "where is It + O/t smallest"),
        (scaled(lambda q, p, f: 2.0, 1), "as high as at t = 1"),
        (lambda lengths, p: 1 / (max(lengths) * p), "return two numbers"),
    ],
}


@pytest.mark.parametrize(
    "exponents", [[2.0, -1.0], [1.0, 1.0], [0.0, 0.0], [0.0, -3.0], [5.0, -2.0]]
)
def test_a_grid_finds_a_lowest_point_inside_or_none(exponents):
    alpha = torch.linspace(-8, 8, 4001).double()[:, None]
    norms = torch.exp(alpha * torch.tensor(exponents).double()).sum(1)
    inside = bool(norms[1:-1].min() <= min(norms[0], norms[-1]))
    flat = bool(norms.max() == norms.min())
    lower_at_an_end = not flat and norms.argmin() in (0, len(norms) - 1)
    assert has_lightest(exponents) == (inside and not lower_at_an_end)


def test_the_second_exponent_is_twice_the_first_and_depends_on_the_longest_column_alone():
    for lengths in ([1.0, 4.0], [4.0, 1.0, 1.0], [4.0]):
        first, second = safe_exponents(lengths, 2.0)
        assert (first, second) == (1 / 16, 1 / 8)
    assert not check.safe_exponents(lambda lengths, p: [1 / 16, 1 / 8])
