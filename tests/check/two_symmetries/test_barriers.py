"""Checkers of a barrier among two channels, and of what crosses one: answers."""

from itertools import permutations

import pytest
import torch

from gaugelib import check

EQUATION = [1, -1, 0, 0, 0, 0]


def exchange(n, *pairs):
    images = list(range(2 * n))
    for i, j in pairs:
        images[i], images[j] = j, i
    return images


def two_channel_barrier(n):
    return exchange(n, (0, 1)), EQUATION, 1


def with_equation(change):
    return lambda n: (exchange(n, (0, 1)), change(n), 1)


def with_codimension(count):
    return lambda n: (exchange(n, (0, 1)), EQUATION, count(n))


def exchanged(n):
    return [*range(n, 2 * n), *range(n)]


def spine_speeds(slopes):
    a, b, n = slopes.diagonal().mean(), slopes[0, 1], len(slopes)
    return [b - a, n * (n - 1) * b - n * a, -n * a]


def speeds(combine):
    return lambda slopes: combine(slopes[0, 0], slopes[0, 1], len(slopes))


REFERENCES = {"two_channel_barrier": two_channel_barrier, "spine_speeds": spine_speeds}
MISTAKES = {
    "two_channel_barrier": [
        (lambda n: (exchanged(n), [1, 0, 0, -1, 0, 0], 3), "takes units of one channel"),
        (lambda n: (exchange(n, (0, n)), [1, 0, 0, -1, 0, 0], 1), "takes units of one channel"),
        (lambda n: (exchange(n, (0, 1), (n, n + 1)), EQUATION, 1), "it moves units of both"),
        (lambda n: (list(range(2 * n)), EQUATION, 1), "the identity fixes everything"),
        (lambda n: ([1] * 2 * n, EQUATION, 1), "has to be a permutation"),
        (with_equation(lambda n: [0] * 6), "six zeros"),
        (with_equation(lambda n: [0, 0, 0, 1, -1, 0]), "the other channel's"),
        (with_equation(lambda n: [n, -n * (n - 1), 0, 0, 0, 0]), "multiplicities do not belong"),
        (with_equation(lambda n: [1, -1, 0, 1, -1, 0]), "one channel's equation only"),
        (with_equation(lambda n: [1, 1, 0, 0, 0, 0]), "not opposite"),
        (with_equation(lambda n: [0, 0, 1, 0, 0, -1]), "compares the channels"),
        (with_equation(lambda n: [0, 0, 1, 0, 0, 0]), "nothing holds one weight at 0"),
        (with_equation(lambda n: [1, -2, 0, 0, 0, 0.5]), "still differ"),
        (with_codimension(lambda n: 5), "the dimension of what is fixed"),
        (with_codimension(lambda n: 2 * n * (n + 1) - 5), "in the space of all weights"),
        (with_codimension(lambda n: n + 1), "fixes among all weights"),
        (with_codimension(lambda n: 6), "the dimension of E_π"),
        (with_codimension(lambda n: 3), "for exchanging the channels"),
        (with_codimension(lambda n: 2), "how many equations"),
        (lambda n: 1, "return three parts"),
    ],
    "spine_speeds": [
        (lambda slopes: [-x for x in spine_speeds(slopes)], "the sign"),
        (speeds(lambda a, b, n: [b - a] * 3), "no means here"),
        (
            speeds(lambda a, b, n: [b - a, n * (n - 1) * b - n * a, -a]),
            "the mean over the diagonal",
        ),
        (speeds(lambda a, b, n: [b - a, n * (b - a), -n * a]), "entries b, not n."),
        (speeds(lambda a, b, n: [b - a, n * n * b - n * a, -n * a]), "not n²"),
        (speeds(lambda a, b, n: [b - a, 6 * b - 3 * a, -3 * a]), "for n = 3 only"),
        (speeds(lambda a, b, n: [b - a] + [n * (n - 1) * b - n * a] * 2), "the trace of G"),
        (lambda slopes: [spine_speeds(slopes)[k] for k in (0, 2, 1)], "exchanged"),
        (
            speeds(lambda a, b, n: [b - a, n * (n - 1) * b - n * a, n * n * b - n * a]),
            "is not subtracted",
        ),
        (lambda slopes: [spine_speeds(slopes)[k] for k in (1, 1, 2)], "divides each sum"),
        (speeds(lambda a, b, n: [-a, -n * a, -n * a]), "speeds of a"),
        (speeds(lambda a, b, n: [b - a, n * (n - 1) * b - n * a, 1.0]), "of sharing δ and b"),
        (speeds(lambda a, b, n: b), "return 3 numbers"),
    ],
}


def network(n, theta):
    """W and v of two channels, from (a₁, b₁, c₁, a₂, b₂, c₂)."""
    rows, eye = [], torch.eye(n, dtype=theta.dtype)
    for a, b, _ in theta.view(2, 3):
        rows.append((a - b) * eye + b)
    return torch.cat(rows), torch.repeat_interleave(theta[2::3], n)


def drift(n, theta, line):
    """How fast gradient flow of the unconstrained network leaves the plane of an equation.

    The sample is given in all orders, and the targets are the same for each of them.
    """
    draw = torch.Generator().manual_seed(n)
    x = torch.randn(40, n, generator=draw).double()
    y = torch.randn(40, generator=draw).double()
    x = torch.cat([x, *orders(x)])
    y = y.repeat(len(x) // 40)

    def loss(w, v):
        return (torch.relu(x @ w.T) @ v - y).square().mean() / 2

    w, v = torch.func.grad(loss, argnums=(0, 1))(*network(n, theta))
    slopes = []
    for rows, out in zip(w.view(2, n, n), v.view(2, n)):
        a = rows.diagonal().mean()
        slopes += [a, (rows.sum() - n * a) / (n * (n - 1)), out.mean()]
    return float(torch.stack(slopes) @ line)


def orders(x):
    """The sample in all further orders of its columns."""
    n = x.shape[1]
    return [x[:, list(p)] for p in list(permutations(range(n)))[1:]]


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_flow_keeps_the_plane_and_no_other_that_is_near_at_hand(n):
    draw = torch.Generator().manual_seed(1)
    theta = torch.randn(6, generator=draw).double()
    theta[1] = theta[0]
    assert abs(drift(n, theta, torch.tensor(EQUATION).double())) < 1e-14
    for line in ([n, -n * (n - 1), 0, 0, 0, 0], [1, 0, 0, -1, 0, 0], [0, 0, 1, 0, 0, 0]):
        line = torch.tensor(line).double()
        on = torch.randn(6, generator=draw).double()
        on = on - (on @ line) / (line @ line) * line
        if not (n == 2 and line[0] == n):  # there both are the same plane
            assert abs(drift(n, on, line)) > 1e-3


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_speeds_are_those_of_autograd(n):
    draw = torch.Generator().manual_seed(n)
    x = torch.randn(30, n, generator=draw).double()
    x = torch.cat([x, *orders(x)])
    y = x.square().sum(1)

    def loss(w):
        return (torch.relu(x @ w.T).sum(1) - y).square().mean() / 2

    def by_a_and_b(t):
        return loss((t[0] - t[1]) * torch.eye(n).double() + t[1])

    def by_difference_and_b(t):
        return loss(t[0] * torch.eye(n).double() + t[1])

    for a, b in ((0.4, 0.4), (0.7, -0.2)):
        slopes = torch.func.grad(loss)((a - b) * torch.eye(n).double() + b)
        first = torch.func.grad(by_a_and_b)(torch.tensor([a, b], dtype=torch.float64))
        second = torch.func.grad(by_difference_and_b)(torch.tensor([a - b, b], dtype=torch.float64))
        found = torch.stack([torch.as_tensor(s) for s in spine_speeds(slopes)])
        torch.testing.assert_close(found[1:], torch.stack([first[1] - first[0], -second[0]]))
        if a == b:
            g = slopes[0, 0]
            assert abs(float(found[0])) < 1e-12
            torch.testing.assert_close(found[1:], torch.stack([n * (n - 2) * g, -n * g]))


@pytest.mark.parametrize("factor", [1e300, -1e-300])
def test_an_equation_may_be_given_in_any_size(factor):
    scaled = with_equation(lambda n: [factor * number for number in EQUATION])
    assert check.two_channel_barrier(scaled)
