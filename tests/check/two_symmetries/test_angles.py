"""Checker of the angles between half pages: answers, and what they are of."""

import itertools
import math

import pytest
import torch

from gaugelib import check


def arccos(cosine):
    """In degrees; what leaves the range is put at its end."""
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def agree(sigma, tau):
    return sum(i == j for i, j in zip(sigma, tau))


def page_angle(sigma, s, tau, t):
    return arccos(s * t * (agree(sigma, tau) - 1) / (len(sigma) - 1))


def counted(count):
    """The angle for another number than that of the units on which both agree."""

    def answer(sigma, s, tau, t):
        return arccos(s * t * (count(sigma, tau) - 1) / (len(sigma) - 1))

    return answer


def still(images):
    return agree(images, range(len(images)))


REFERENCES = {"page_angle": page_angle}
MISTAKES = {
    "page_angle": [
        (lambda p, s, q, t: page_angle(p, 1, q, 1), "points along −D_σ"),
        (lambda p, s, q, t: min(page_angle(p, s, q, t), page_angle(p, s, q, -t)), "whole pages"),
        (lambda p, s, q, t: page_angle(p, s, q, -t), "the other half of the second page"),
        (lambda p, s, q, t: arccos(s * t * agree(p, q) / len(p)), "take J/n off"),
        (lambda p, s, q, t: arccos(s * t * (agree(p, q) - 1) / len(p)), "not n."),
        (lambda p, s, q, t: arccos(s * t * (agree(p, q) - 1) / 2), "not 3."),
        (counted(lambda p, q: still(q)), "you count those of"),
        (counted(lambda p, q: still(p)), "you count those of"),
        (counted(lambda p, q: still([p[k] for k in q])), "you count those of"),
        (counted(lambda p, q: len(p) - agree(p, q)), "on which they differ"),
        (lambda *given: math.radians(page_angle(*given)), "in radians"),
        (lambda *given: math.cos(math.radians(page_angle(*given))), "its cosine"),
        (lambda *given: -page_angle(*given), "from 0 to 180"),
        (lambda p, s, q, t: 77.0, "it is not 77 degrees"),
    ],
}


def half_page(images, s, b=0.7):
    """Weights on a half page whose foot on the spine is 0, from a point of the page."""
    n = len(images)
    p = torch.zeros(n, n, dtype=torch.float64)
    p[torch.tensor(images), torch.arange(n)] = 1.0
    weights = s * 1.3 * p + b
    return weights - weights.mean()  # the spine is spanned by J, and by v


@pytest.mark.parametrize("n", [3, 4])
def test_the_angle_is_that_of_weights_across_the_spine(n):
    everyone = list(itertools.permutations(range(n)))
    for tau in everyone:
        for s, t in itertools.product((1, -1), repeat=2):
            first, second = half_page(everyone[1], s), half_page(tau, t)
            cosine = (first * second).sum() / first.norm() / second.norm()
            assert page_angle(everyone[1], s, tau, t) == pytest.approx(arccos(cosine), abs=1e-5)


def test_from_the_wrong_side_the_two_cycles_of_three_are_nearest():
    angles = {tau: round(page_angle((0, 1, 2), -1, tau, 1)) for tau in
              itertools.permutations(range(3))}  # fmt: skip
    assert angles[0, 1, 2] == 180
    assert {tau for tau, angle in angles.items() if angle == 60} == {(1, 2, 0), (2, 0, 1)}
    assert sorted(angles.values()) == [60, 60, 90, 90, 90, 180]


def test_control_the_page_of_another_permutation_has_another_angle():
    first, second = half_page((0, 1, 2, 3), 1), half_page((1, 0, 2, 3), 1)
    cosine = float((first * second).sum() / first.norm() / second.norm())
    assert cosine == pytest.approx(1 / 3)
    assert page_angle((0, 1, 2, 3), 1, (1, 2, 0, 3), 1) == pytest.approx(90)


def test_an_angle_near_180_may_have_half_the_digits():
    def rounded(*given):
        angle = page_angle(*given)
        return 179.999 if angle == 180 else angle

    assert check.page_angle(rounded)
    assert not check.page_angle(lambda *given: min(page_angle(*given), 179.0))
