"""The mirror form: every regulariser has a flow under which its own charge decays."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.func import grad, jacrev
from torch.testing import assert_close

from gaugelib import gradient_flow, imbalance, rescale
from tests.flow.problems import charges, linear, problem
from tests.graphs import random_graph
from tests.pairing.regularisers import (
    ALL,
    MIXED,
    Params,
    charge_of,
    coefficients,
    coefficients_of,
    integrate,
    logarithms,
    mirror,
    mixed,
    mixed_of,
    power,
    rows,
    second,
)

DECAY, KAPPA, UNTIL, STEPS = 0.5, 1.5, 0.05, 10

every = pytest.mark.parametrize("regulariser", ALL.values(), ids=ALL)
exponents = st.floats(0.3, 5.0)


def made_of(*widths, activation=linear, seed=0):
    return problem(*widths, activation=activation, seed=seed, size=(0.6, 1.0))


def regularised(made, regulariser):
    return lambda params: made.loss(params) + DECAY * regulariser(params)


def states_of(made, regulariser, kappa=KAPPA, steps=STEPS):
    """The states of its mirror flow."""
    y, back = logarithms(made.params)
    velocity = mirror(regularised(made, regulariser), regulariser, back, kappa)
    return [back(y) for y in integrate(velocity, y, UNTIL, steps)]


def missed(states, regulariser) -> float:
    """How far the charges end from their decay in closed form."""
    start, end = charge_of(regulariser, states[0]), charge_of(regulariser, states[-1])
    return float((end - math.exp(-KAPPA * DECAY * UNTIL) * start).abs().max())


# --- the charge ---


@every
@pytest.mark.parametrize("seed", range(2))
def test_along_the_orbit_its_gradient_is_its_charge(regulariser, seed):
    made = made_of(3, 4, 3, 2, seed=seed)

    def along(alpha):
        rates = made.group.spread(alpha)
        return regulariser({n: value * rates[n].exp() for n, value in made.params.items()})

    here = torch.zeros(made.group.units).double()
    assert_close(grad(along)(here), charge_of(regulariser, made.params))
    away = torch.randn(here.shape, generator=torch.Generator().manual_seed(seed)).double()
    assert torch.linalg.eigvalsh(second(along, away))[0] > 1e-3  # and it is convex


@pytest.mark.parametrize("p", [1, 2, 3])
def test_the_charge_of_a_power_is_that_of_the_conservation_law(p):
    made = made_of(3, 4, 3, 2)
    assert_close(charge_of(power(p), made.params), charges(made.params, p))


@given(seed=st.integers(0, 9999), p=exponents, q=exponents)
def test_the_coefficients_of_l_p_q_in_closed_form(seed, p, q):
    into = torch.randn(3, 4, generator=torch.Generator().manual_seed(seed)).double()
    found = into * grad(lambda into: mixed_of(into, p, q))(into)
    assert_close(found, coefficients_of(into, p, q))
    norms = torch.linalg.vector_norm(into, p, dim=1)
    assert_close(found.sum(1), norms**q)


@pytest.mark.parametrize(("p", "q"), MIXED)
def test_control_where_l_p_q_is_balanced_in_and_out_are_not_equal(p, q):
    made = made_of(3, 4, 3, 2)
    balanced = balance(made, p, q)
    assert charge_of(mixed(p, q), balanced).abs().max() < 1e-10
    assert imbalance(balanced, made.group, p, include_bias=True).abs().max() > 1e-2


@given(seed=st.integers(0, 9999), p=exponents, q=exponents)
def test_l_p_q_is_strictly_convex_in_the_logarithms(seed, p, q):
    """For all p, q > 0, wherever no weight is zero; q may be smaller than p.

    With π_ij = |W_ij|^p/N_i^p the Hessian in y = log|W| is, row by row,
    N^q (p diag π + (q-p) ππᵀ). Relative to diag c it has the eigenvalue q once for each row, and
    else p: so min(p,q) diag c ≤ ∇²R ≤ max(p,q) diag c.
    """
    draw = torch.Generator().manual_seed(seed)
    y = torch.randn(3, 4, generator=draw, dtype=torch.float64)
    found = second(lambda y: mixed_of(y.exp(), p, q), y).view(12, 12)
    scale = coefficients_of(y.exp(), p, q).flatten().rsqrt()
    relative = torch.linalg.eigvalsh(scale[:, None] * found * scale)
    expected = torch.tensor([q] * 3 + [p] * 9, dtype=torch.float64).sort().values
    assert_close(relative, expected, rtol=1e-9, atol=1e-9)


def test_control_its_limits_are_not_strictly_convex_in_the_logarithms():
    y = torch.randn(3, 4, generator=torch.Generator().manual_seed(0)).double()

    def smallest(regulariser):
        return torch.linalg.eigvalsh(second(regulariser, y).view(12, 12))[0].abs()

    norms = lambda y: torch.linalg.vector_norm(y.exp(), 2, dim=1)  # noqa: E731
    assert smallest(lambda y: norms(y).log().sum()) < 1e-12  # q to zero
    assert smallest(lambda y: norms(y).max()) < 1e-12  # q to infinity
    assert smallest(lambda y: mixed_of(y.exp(), 2, 1)) > 1e-3


# --- its flow ---


@every
@pytest.mark.parametrize("seed", range(2))
def test_its_charge_decays_at_the_rate_kappa_lambda_at_every_point(regulariser, seed):
    made = made_of(3, 4, 3, 2, activation=torch.relu, seed=seed)
    y, back = logarithms(made.params)
    speed = mirror(regularised(made, regulariser), regulariser, back, KAPPA)(y)
    charge = charge_of(regulariser, made.params)
    rate = jacrev(lambda y: charge_of(regulariser, back(y)))(y) @ speed
    assert_close(rate, -KAPPA * DECAY * charge, rtol=1e-9, atol=1e-9)
    assert charge.abs().max() > 0.1


@every
def test_its_charge_decays_at_the_rate_kappa_lambda_under_its_own_flow(regulariser):
    states = states_of(made_of(2, 3, 2, 2), regulariser)
    assert missed(states, regulariser) <= 1e-6
    start, end = charge_of(regulariser, states[0]), charge_of(regulariser, states[-1])
    assert (start - end).abs().max() > 1e-2  # the control: it did decay


@every
@pytest.mark.parametrize("activation", [linear, torch.relu])
def test_the_regularised_loss_falls_along_it(regulariser, activation):
    made = made_of(2, 3, 2, 2, activation=activation)
    found = torch.stack([regularised(made, regulariser)(s) for s in states_of(made, regulariser)])
    assert (found[1:] < found[:-1]).all()
    y, back = logarithms(made.params)
    objective = regularised(made, regulariser)
    speed = mirror(objective, regulariser, back, KAPPA)(y)
    rate = grad(lambda y: objective(back(y)))(y) @ speed
    metric = second(lambda y: regulariser(back(y)), y)
    assert_close(rate, -speed @ metric @ speed / KAPPA)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_for_a_power_and_kappa_p_it_is_the_paired_flow(p):
    made = made_of(2, 3, 2, 2)
    path = gradient_flow(made.loss, made.params, until=UNTIL, steps=20, p=p, decay=DECAY)
    end = states_of(made, power(p), kappa=p)[-1]
    assert_close(end, path.at(-1), rtol=0, atol=1e-5)
    other = states_of(made, power(p), kappa=p + 1, steps=5)[-1]  # the control
    assert (other["0.weight"] - end["0.weight"]).abs().max() > 1e-3


def written(into: Tensor, slopes: Tensor, p: float, q: float) -> Tensor:
    """The velocity of one matrix of rows, as the book writes it."""
    g, c = into * slopes, coefficients_of(into, p, q)
    norms = torch.linalg.vector_norm(into, p, dim=1, keepdim=True)
    return -KAPPA / p * into * (g / c - (q - p) / (q * norms**q) * g.sum(1, keepdim=True))


@pytest.mark.parametrize(("p", "q"), [*MIXED, (1.5, 3), (2, 2)])
@pytest.mark.parametrize("seed", range(2))
def test_the_written_flow_of_l_p_q_is_the_mirror_flow(p, q, seed):
    made = made_of(3, 4, 3, 2, activation=torch.relu, seed=seed)
    objective, (y, back) = regularised(made, mixed(p, q)), logarithms(made.params)
    speed = mirror(objective, mixed(p, q), back, KAPPA)(y)
    expected = {n: slope @ speed for n, slope in jacrev(back)(y).items()}
    slopes = grad(objective)(made.params)
    for into, slope, now in zip(rows(made.params), rows(slopes), rows(expected)):
        assert_close(written(into, slope, p, q), now, rtol=1e-9, atol=1e-9)
        if p != q:  # the control: without the term that couples a row it is another flow
            assert (written(into, slope, p, p) - now).abs().max() > 1e-3


# --- the multiplicative update ---


def updated(params: Params, group, c: Params, root: float) -> Params:
    """Rescaled by a_h = (out/in)^(1/root), where in and out are sums of the coefficients c."""
    into, out = group.totals(c)
    return rescale(params, (out / into) ** (1 / root), group)


def balance(made, p: float, q: float) -> Params:
    """The network of smallest ℓ_{p,q} on the orbit of a layered one."""
    params = made.params
    for _ in range(100):
        c = coefficients(mixed(p, q), params)
        params = updated(params, made.group, c, 2 * max(p, q))  # the doubled step is quicker
    return params


def extreme(sizes, seed: int):
    """A network of any wiring whose weights differ by many orders of magnitude."""
    graph = random_graph(*sizes, seed=seed)
    draw = torch.Generator().manual_seed(seed)
    for name, value in graph.params.items():
        graph.params[name] = value * (2 * torch.randn(value.shape, generator=draw).double()).exp()
    return graph


def sizes_along(graph, p: float, q: float, root: float, times: int = 20) -> Tensor:
    """ℓ_{p,q} of a network of any wiring, before and after some updates."""
    params, found = graph.params, []
    for _ in range(times + 1):
        into = torch.cat([params["W"], params["b"][:, None]], 1)
        c = torch.zeros_like(into)  # nothing flows into an input
        c[graph.inputs :] = coefficients_of(into[graph.inputs :], p, q)
        found.append(mixed_of(into, p, q))
        params = updated(params, graph.group, {"W": c[:, :-1], "b": c[:, -1]}, root)
    return torch.stack(found)


wirings = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))


@given(sizes=wirings, seed=st.integers(0, 9999), p=exponents, q=exponents, twice=st.booleans())
def test_a_multiplicative_update_lowers_l_p_q(sizes, seed, p, q, twice):
    """Monotone with exponent 1/(4 max(p,q)), and still with twice that.

    Where q ≥ p, t^(q/p) is convex: Jensen bounds N_i(a)^q by Σ_j c_ij (a_i/a_j)^q. Where q < p it
    is concave: its tangent bounds N_i(a)^q/q by the value before and Σ_j c_ij ((a_i/a_j)^p - 1)/p.
    With s = max(p,q) both lie below Σ_j c_ij (a_i^2s + a_j^-2s)/2s but for a constant, with
    equality at a = 1; this separates into bowls in_h a^2s + out_h a^-2s, lowest at a^4s = out/in,
    and at a^2s = out/in as high as at a = 1.
    """
    found = sizes_along(extreme(sizes, seed), p, q, (2 if twice else 4) * max(p, q))
    assert (found[1:] <= found[:-1] * (1 + 1e-12)).all()
    assert found[-1] < found[0]


@pytest.mark.parametrize(("p", "q"), [(1, 2), (2, 4), (4, 1)])
def test_control_an_update_with_the_smaller_exponent_can_raise_l_p_q(p, q):
    paths = [sizes_along(extreme((1, 3, 1), n), p, q, 2 * min(p, q), 2) for n in range(20)]
    assert any((path[1:] > path[:-1] * (1 + 1e-3)).any() for path in paths)


# --- controls of the flow ---


@pytest.mark.parametrize(("p", "q"), MIXED)
def test_control_gradient_flow_moves_that_charge(p, q):
    made, regulariser = made_of(2, 3, 2, 2), mixed(p, q)
    balanced = replace(made, params=balance(made, p, q))
    own = states_of(balanced, regulariser)[-1]
    assert charge_of(regulariser, own).abs().max() < 1e-5
    path = gradient_flow(regularised(made, regulariser), balanced.params, until=UNTIL, steps=20)
    assert charge_of(regulariser, path.at(-1)).abs().max() > 1e-2


@every
def test_control_a_tanh_network_s_charge_does_not_decay(regulariser):
    states = states_of(made_of(2, 3, 2, 2, activation=torch.tanh), regulariser)
    assert missed(states, regulariser) > 1e-3
