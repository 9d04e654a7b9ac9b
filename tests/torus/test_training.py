"""A gated network that is trained in its minimum-norm gauge, and balanced in place."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gaugelib import GaugeFixing, balance_coefficients, minimum_norm_, relative_imbalance
from gaugelib.optim.totals import Totals
from tests.torus.gates import dense, flat, reglu

X = torch.randn(32, 3, generator=torch.Generator().manual_seed(1)).double()
Y = torch.randn(32, 2, generator=torch.Generator().manual_seed(2)).double()


class ReGLU(nn.Module):
    """As `reglu` by hand."""

    def __init__(self, hidden: int = 4):
        super().__init__()
        self.gate, self.up = nn.Linear(3, hidden), nn.Linear(3, hidden)
        self.down = nn.Linear(hidden, 2)

    def forward(self, x):
        return self.down(torch.relu(self.gate(x)) * self.up(x))


def model() -> ReGLU:
    made = ReGLU().double()
    with torch.no_grad():
        for name, value in made.named_parameters():
            value.copy_(0.5 * reglu(seed=1).params[name])
    return made


def gamma(made: nn.Module) -> float:
    """By the dense Q, weights alone."""
    rows = dense(reglu().group)
    powers = {n: v.detach().square() * ("weight" in n) for n, v in made.named_parameters()}
    return float(((rows @ flat(powers)).abs() / (rows.abs() @ flat(powers))).max())


def train(made: nn.Module, fixing: GaugeFixing | None, optimizer, steps: int = 60) -> list[float]:
    seen = []
    for _ in range(steps):
        optimizer.zero_grad()
        (made(X) - Y).square().mean().backward()
        optimizer.step()
        if fixing is not None:
            fixing.step()
        seen.append(gamma(made))
    return seen


@pytest.mark.parametrize("tol", [1e-2, 1e-3, 1e-6])
def test_the_imbalance_never_exceeds_the_tolerance(tol):
    made = model()
    optimizer = torch.optim.SGD(made.parameters(), lr=0.05, momentum=0.9)
    fixing = GaugeFixing(made, optimizer, reglu().group, tol=tol)
    assert max(train(made, fixing, optimizer)) <= tol
    assert 0 < fixing.rescalings <= 60


def test_control_without_it_the_gauge_drifts():
    made = model()
    minimum_norm_(made, reglu().group, tol=1e-10)
    assert gamma(made) <= 1e-9
    optimizer = torch.optim.SGD(made.parameters(), lr=0.05, momentum=0.9)
    assert max(train(made, None, optimizer)) > 1e-2


def test_it_changes_no_function_and_carries_the_memory_as_a_covector():
    made = model()
    optimizer = torch.optim.SGD(made.parameters(), lr=0.05, momentum=0.9)
    train(made, None, optimizer, steps=3)
    before = made(X).detach()
    weights = {n: v.detach().clone() for n, v in made.named_parameters()}
    memory = {n: optimizer.state[v]["momentum_buffer"].clone() for n, v in made.named_parameters()}
    fixing = GaugeFixing(made, optimizer, reglu().group, tol=1e-6)
    assert fixing.fix_()
    assert_close(made(X).detach(), before, rtol=1e-10, atol=1e-12)
    for name, value in made.named_parameters():
        kept = optimizer.state[value]["momentum_buffer"] * value
        assert_close(kept.detach(), memory[name] * weights[name], rtol=1e-10, atol=1e-14)


def test_a_place_that_dies_is_left_alone():
    made = model()
    with torch.no_grad():
        made.down.weight[:, 1] = 0.0
    optimizer = torch.optim.SGD(made.parameters(), lr=0.0)
    fixing = GaugeFixing(made, optimizer, reglu().group, tol=1e-6)
    before = made.gate.weight[1].clone()
    fixing.fix_()
    assert fixing.imbalance <= 1e-6
    assert torch.equal(made.gate.weight[1], before)
    assert not fixing.fix_()


def test_what_it_reads_are_the_totals_of_the_group():
    net = reglu(seed=6)
    names = net.group.counted(include_bias=True)
    reader = Totals(net.params, net.group, names, 1.5, torch.float64)
    powers = flat(net.params).abs().pow(1.5)
    rows = dense(net.group)
    expected = torch.stack([rows.clamp(min=0) @ powers, (-rows).clamp(min=0) @ powers])
    assert_close(reader.read(net.params), expected)


def test_other_coefficients_balance_too():
    net = reglu(seed=7)
    slopes = {n: g.square() for n, g in net.gradient(net.params).items()}
    found = balance_coefficients(slopes, net.group, exponent=-2, tol=1e-9)
    assert found.converged
    rows = dense(net.group)
    there = flat(slopes) * (-2 * rows.T @ found.scales.log()).exp()
    live = torch.ones(8, dtype=torch.bool)
    live[found.dead] = False
    gammas = (rows @ there).abs() / (rows.abs() @ there)
    assert gammas[live].max() <= 1.01e-9
    assert relative_imbalance(net.params, net.group).max() > 1e-2
