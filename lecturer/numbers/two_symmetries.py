"""Numbers that the lecturer's page and slides on two symmetries say."""

from functools import cache

import torch
from sympy.combinatorics import SymmetricGroup

from gaugelib import equivariance as eq
from gaugelib.equivariance.runs import stored_run
from gaugelib.equivariance.training import training_rows

TRAPPED = [-0.5, 1.0], [1.0, 0.0], [1.0, 0.4]  # the teachers with a trap on the other side


def _solved(side: str) -> str:
    rows = [stored_run("starts", n=3, goal=goal, side=side) for goal in TRAPPED]
    return f"{sum(row['solved'][-1] for row in rows)} of {sum(row['runs'] for row in rows)}"


def right_solved() -> str:
    """Starts on the teacher's side that learn a teacher with a trap."""
    return _solved("right")


def wrong_solved() -> str:
    """Starts on the other side that do."""
    return _solved("wrong")


def six_neurons() -> int:
    """Homomorphisms from S3 to the permutations of six neurons."""
    return len(eq.homomorphisms(SymmetricGroup(3), 6))


@cache
def _trap() -> tuple[torch.Tensor, torch.Tensor, float]:
    teacher = eq.deep_sets(-0.5, 1.0)
    way = eq.descend(*eq.deep_sets(0.9, 0.3), teacher, lr=0.2, steps=400, every=400)
    return way.W[-1], way.v[-1], way.loss[-1].item()


def trap_loss() -> str:
    """The loss at which the first student of the chapter comes to rest, with all inputs."""
    return f"{_trap()[2]:.3f}"


def trap_curvature() -> str:
    """The least eigenvalue of the whole network's Hessian there."""
    W, v, _ = _trap()
    step = 1e-5 * torch.eye(12).double()
    moved = torch.cat([W.flatten(), v]) + torch.cat([step, -step])
    slopes = eq.teacher_gradient(moved[:, :9].view(-1, 3, 3), moved[:, 9:], eq.deep_sets(-0.5, 1.0))
    slopes = torch.cat([slopes[0].flatten(1), slopes[1]], 1)
    return f"{torch.linalg.eigvalsh((slopes[:12] - slopes[12:]) / 2e-5)[0]:.3f}".replace("-", "−")


def most_crossings() -> str:
    """The most of 200 starts of one side that cross when a and b, or δ and b, are shared."""
    crossed = [
        stored_run("sharing", n=3, goal=goal, shared=shared, side=side)["crossed"]
        for goal in TRAPPED
        for shared in ("a, b", "δ, b")
        for side in ("right", "wrong")
    ]
    return f"{min(crossed)} to {max(crossed)} of 200"


def crossings_below() -> int:
    """How many of the runs of the inherited metric cross in a step below the bound."""
    rates = 0.1, 0.3, 0.5, 0.7, 1.0
    return sum(stored_run("leaps", goal=g, rate=r)["within"] for g in TRAPPED for r in rates)


def cut_orbits() -> str:
    """Runs of plain descent on cut orbits that leave the trap."""
    (row,) = training_rows("staying", method="sgd", way="cut", dtype="float64")
    return f"{sum(step is not None for step in row['escaped'])} of {row['runs']}"
