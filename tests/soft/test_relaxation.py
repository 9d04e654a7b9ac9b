"""Imbalance relaxes along the orbit as heat diffuses, at rates that can be predicted."""

import itertools
import math

import pytest
import torch
from scipy.integrate import solve_ivp
from torch.testing import assert_close

from gaugelib import (
    GaugeError,
    hat,
    hessian,
    imbalance,
    laplacian,
    log_ratio,
    mlp_group,
    params_of,
    rescale,
    soft_penalty,
)
from gaugelib.soft import rates, soft_flow, vertical
from tests.balance.networks import initialised
from tests.balance.newton import edges, newton
from tests.soft.problems import (
    NETWORKS,
    flat,
    laplacian_by_hand,
    loss_of,
    moved_relative,
    network,
    unit_of,
)

SMALL = ("residual", "tied", "convolutional")


def decay_rate(flow, values):
    """Slope of the logarithm between the last two saved states."""
    norms = values.norm(dim=1)
    return float((norms[-2] / norms[-1]).log() / (flow.times[-1] - flow.times[-2]))


# --- one hidden layer, in closed form ---


@pytest.mark.parametrize(("r", "s"), [(3.0, 0.5), (0.4, 2.0), (20.0, 0.1)])
def test_one_layer_comes_down_as_a_hyperbolic_tangent(r, s):
    params, group = unit_of(r, s)
    flow = soft_flow(params, group, strength=0.1, until=1.0, steps=1000)
    law = (math.tanh(math.log(r / s) / 2) * torch.exp(-0.4 * r * s * flow.times)).atanh() * 2
    assert_close(flow.log_ratio[:, 0], law, rtol=1e-6, atol=0.0)
    control = (math.tanh(math.log(r / s) / 2) * torch.exp(-0.2 * r * s * flow.times)).atanh() * 2
    assert (flow.log_ratio[:, 0] - control).abs().max() > 0.05


def test_one_layers_log_ratio_decays_exponentially_for_every_unit_alike():
    params, group = initialised((4, 6, 3), log_std=1.0)
    flow = soft_flow(params, group, kind="log-ratio", strength=0.7, until=3.0, steps=300)
    law = torch.exp(-0.7 * flow.times)[:, None] * flow.log_ratio[0]
    assert_close(flow.log_ratio, law, rtol=1e-8, atol=1e-12)


def test_control_two_layers_do_not():
    params, group = initialised((4, 6, 5, 3), log_std=1.0)
    flow = soft_flow(params, group, kind="log-ratio", strength=0.7, until=3.0, steps=300)
    law = torch.exp(-0.7 * flow.times)[:, None] * flow.log_ratio[0]
    assert (flow.log_ratio - law).abs().max() > 0.1


# --- any network ---


@pytest.mark.parametrize("kind", ["imbalance", "log-ratio"])
@pytest.mark.parametrize("name", SMALL)
def test_the_flow_is_that_of_the_log_scales(name, kind):
    _, _, params, group = network(name)
    to, out_of, power = edges(params, group, 2.0)

    def speed(_, alpha):
        full = torch.cat([torch.zeros(1).double(), torch.as_tensor(alpha)])
        now = power * (2 * (full[to] - full[out_of])).exp()
        zeros = torch.zeros_like(full)
        into, out = zeros.index_add(0, to, now)[1:], zeros.index_add(0, out_of, now)[1:]
        return (out - into if kind == "imbalance" else (out / into).log() / 4).numpy()

    expected = solve_ivp(
        speed, (0, 0.5), torch.zeros(group.units).numpy(), method="DOP853", rtol=1e-11, atol=1e-13
    )
    flow = soft_flow(params, group, kind=kind, until=0.5, steps=200)
    assert_close(flow.log_scales[-1], torch.as_tensor(expected.y[:, -1]), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", ["imbalance", "log-ratio"])
@pytest.mark.parametrize("name", SMALL)
def test_the_function_stays_while_the_penalty_decays(name, kind):
    model, example, params, group = network(name)
    flow = soft_flow(params, group, kind=kind, until=2.0, steps=200, saved=5)
    paid = [
        float(soft_penalty(flow.at(k), group, kind=kind, include_bias=False))
        for k in range(len(flow))
    ]
    assert all(after < before for before, after in itertools.pairwise(paid))
    for k in range(len(flow)):
        assert moved_relative(model, example, params, flow.at(k)) < 1e-10
        assert_close(flow.imbalance[k], imbalance(flow.at(k), group))
        assert_close(flow.log_ratio[k], log_ratio(flow.at(k), group))


@pytest.mark.parametrize("seed", range(3))
def test_near_the_end_the_slowest_eigenvalue_of_the_laplacian_rules(seed):
    params, group = initialised((4, 6, 5, 3), seed=seed, log_std=0.5)
    balanced = rescale(params, newton(params, group).exp(), group)
    slowest = float(torch.linalg.eigvalsh(2 * 0.3 * laplacian_by_hand(balanced, group))[0])
    draw = torch.Generator().manual_seed(seed)
    near = rescale(balanced, group.random(generator=draw, log_std=0.1), group)
    flow = soft_flow(near, group, strength=0.3, until=20 / slowest, steps=1000)
    assert math.isclose(decay_rate(flow, flow.imbalance), slowest, rel_tol=0.01)
    assert_close(float(rates(balanced, group, strength=0.3)[0]), slowest)


@pytest.mark.parametrize("hidden", [1, 2, 3, 4])
def test_the_log_ratios_slowest_rate_depends_on_depth_alone(hidden):
    params, group = initialised((4, *(6, 5, 7, 4)[:hidden], 3), log_std=1.0)
    predicted = 0.5 * (1 - math.cos(math.pi / (hidden + 1)))
    flow = soft_flow(params, group, kind="log-ratio", strength=0.5, until=12 / predicted, steps=400)
    assert math.isclose(decay_rate(flow, flow.log_ratio), predicted, rel_tol=0.01)
    slowest = rates(flow.at(-1), group, kind="log-ratio", strength=0.5)[0]
    assert math.isclose(float(slowest), predicted, rel_tol=1e-4)
    control = 0.5 * (1 - math.cos(math.pi / (hidden + 2)))
    assert not math.isclose(decay_rate(flow, flow.log_ratio), control, rel_tol=0.1)


@pytest.mark.parametrize("kind", ["imbalance", "log-ratio"])
def test_where_it_ends_the_norm_is_smallest(kind):
    _, _, params, group = network("layered")
    until, steps = (60.0, 1200) if kind == "imbalance" else (150.0, 300)
    flow = soft_flow(params, group, kind=kind, until=until, steps=steps, saved=2)
    expected = rescale(params, newton(params, group).exp(), group)
    assert_close(flow.at(-1), expected, rtol=1e-6, atol=1e-8)


# --- the heat equation, whatever loss is trained at the same time ---


def heat(params, group, loss, penalty):
    r"""dΔ/dt by automatic differentiation while descending loss + penalty, and −2κℒΔ by hand."""
    both = torch.func.grad(lambda p: loss(p) + penalty(p))(params)
    velocity = {name: -value for name, value in both.items()}
    charge = lambda p: imbalance(p, group, include_bias=True)  # noqa: E731
    found = torch.autograd.functional.jvp(
        lambda *values: charge(dict(zip(params, values))),
        tuple(params.values()),
        tuple(velocity.values()),
    )[1]
    dense = laplacian_by_hand(params, group, include_bias=True)
    return found, -2 * 0.3 * dense @ charge(params)


@pytest.mark.parametrize("name", NETWORKS)
def test_imbalance_obeys_the_heat_equation_also_while_training(name):
    model, example, params, group = network(name)
    found, law = heat(
        params, group, loss_of(model, example), lambda p: soft_penalty(p, group, strength=0.3)
    )
    assert_close(found, law, rtol=1e-10, atol=1e-10)


def test_control_it_does_not_with_a_loss_that_sees_the_gauge_or_another_penalty():
    model, example, params, group = network("layered")
    soft = lambda p: soft_penalty(p, group, strength=0.3)  # noqa: E731
    decayed, law = heat(params, group, lambda p: 0.05 * flat(p).square().sum(), soft)
    assert (decayed - law).abs().max() > 0.1
    ratio = lambda p: soft_penalty(p, group, strength=0.3, kind="log-ratio")  # noqa: E731
    other, law = heat(params, group, loss_of(model, example), ratio)
    assert (other - law).abs().max() > 0.1


def test_the_imbalance_stays_below_the_slowest_rates_integral():
    params, group = initialised((4, 6, 5, 3), log_std=1.0)
    flow = soft_flow(params, group, until=1.0, steps=500, saved=51)
    slowest = torch.stack([rates(flow.at(k), group)[0] for k in range(len(flow))])
    done = torch.cat([torch.zeros(1), torch.cumulative_trapezoid(slowest, flow.times)])
    norms = flow.imbalance.norm(dim=1)
    assert (norms <= norms[0] * torch.exp(-done) * (1 + 1e-6)).all()


# --- rates are curvatures ---


@pytest.mark.parametrize("name", ["tied", "small"])
def test_at_balance_rates_are_the_nonzero_curvatures_of_the_penalty(name):
    if name == "small":
        params, group = initialised((2, 3, 3, 2))
    else:
        _, _, params, group = network(name)
        params = {n: (w if "weight" in n else 0 * w) for n, w in params.items()}
    balanced = rescale(params, newton(params, group).exp(), group)
    curvatures = torch.linalg.eigvalsh(hessian(lambda p: soft_penalty(p, group), balanced))
    assert_close(curvatures[-group.units :], rates(balanced, group), rtol=1e-9, atol=1e-9)
    assert curvatures[: -group.units].abs().max() < 1e-9
    assert_close(rates(params, group), torch.linalg.eigvalsh(2 * laplacian(params, group)))


# --- the part of a direction along the orbit ---


@pytest.mark.parametrize("name", NETWORKS)
def test_the_vertical_part_is_the_orthogonal_projection(name):
    _, _, params, group = network(name)
    draw = torch.Generator().manual_seed(0)
    direction = {n: torch.randn(w.shape, generator=draw).double() for n, w in params.items()}
    tangents = []
    for h in range(group.units):
        xi = torch.eye(group.units).double()[h]
        rates_of = group.spread(xi)
        tangents.append(flat({n: rates_of[n] * w for n, w in params.items()}))
    basis, _ = torch.linalg.qr(torch.stack(tangents, dim=1))
    found = flat(vertical(params, direction, group))
    assert_close(found, basis @ (basis.T @ flat(direction)), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", NETWORKS)
def test_of_an_invariant_losss_gradient_nothing_is_vertical(name):
    model, example, params, group = network(name)
    down = torch.func.grad(loss_of(model, example))(params)
    left = flat(vertical(params, down, group)).norm() / flat(down).norm()
    assert left < 1e-12
    soft = torch.func.grad(lambda p: soft_penalty(p, group))(params)
    assert_close(vertical(params, soft, group), soft, rtol=1e-9, atol=1e-10)  # control: all of it
    ratio = torch.func.grad(lambda p: soft_penalty(p, group, kind="log-ratio"))(params)
    for other in (ratio, params):  # control: a part of it
        share = flat(vertical(params, other, group)).norm() / flat(other).norm()
        assert 0.05 < share < 0.995


# --- what is refused ---


def test_bad_arguments_and_too_long_steps_are_refused():
    params, group = params_of(hat()), mlp_group(hat())
    with pytest.raises(GaugeError, match="until must be"):
        soft_flow(params, group, until=math.inf, steps=10)
    with pytest.raises(GaugeError, match="steps must be"):
        soft_flow(params, group, until=1.0, steps=0)
    with pytest.raises(GaugeError, match="the flow blew up"):
        soft_flow(params, group, until=1e4, steps=10)
    with pytest.raises(GaugeError, match="5000 units"):
        rates(*initialised((1, 5000, 1)))
    with pytest.raises(GaugeError, match=r"'0.weight' holds NaN"):
        vertical(params, {n: w * torch.nan for n, w in params.items()}, group)


def test_dead_units_are_named():
    params = params_of(hat())
    params["2.weight"][0, 2] = 0.0
    params["0.bias"].zero_()
    for asked in (lambda p, g: soft_flow(p, g, until=1.0, steps=1), rates):
        with pytest.raises(GaugeError, match=r"dead units: 0\[2\]"):
            asked(params, mlp_group(hat()))
