"""What is just allowed works; what lies just beyond is refused. The limits of every argument."""

import math

import pytest
import torch

from gaugelib import (
    EGD,
    GaugeError,
    GaugeFixing,
    gauge_coordinates,
    hat,
    minimum_norm,
    mlp_group,
    orbit,
    params_of,
    predicted_saving,
    rescale,
    soft_penalty,
    soft_step,
    weight_norm,
)
from gaugelib.balance import landscape
from gaugelib.noether import decayed, step_drift
from gaugelib.soft import adjacency
from gaugelib.soft.relaxation import rates, soft_flow

TINY = 5e-324
NETWORK = params_of(hat()), mlp_group(hat())


def fixing(**options):
    model = hat()
    return GaugeFixing(model, torch.optim.SGD(model.parameters(), lr=0.1), **options)


def egd(**options):
    return EGD(hat().parameters(), **options)


CASES = {
    "p of a norm": (lambda v: weight_norm(*NETWORK, p=v), [TINY, 1e3], [0.0, math.inf, math.nan]),
    "p of a minimum": (lambda v: minimum_norm(*NETWORK, p=v), [0.5, 8.0], [0.0, -1.0, math.inf]),
    "tol": (lambda v: minimum_norm(*NETWORK, tol=v), [1e-300, 1e300], [0.0, math.inf, math.nan]),
    "max_passes": (lambda v: minimum_norm(*NETWORK, max_passes=v), [1], [0, 0.5, math.nan]),
    "log_std": (lambda v: NETWORK[1].random(log_std=v), [0.0, 1.0], [-TINY, math.inf, math.nan]),
    "strength of a penalty": (
        lambda v: soft_penalty(*NETWORK, strength=v), [0.0, 1.0], [-TINY, math.inf, math.nan],
    ),
    "lr of a soft step": (
        lambda v: soft_step(*NETWORK, lr=v), [0.0, 0.1], [-TINY, math.inf, math.nan],
    ),
    "strength of a rate": (
        lambda v: rates(*NETWORK, strength=v), [0.0, 1.0], [-TINY, math.inf, math.nan],
    ),
    "until": (
        lambda v: soft_flow(*NETWORK, until=v, steps=5), [0.0, 0.1], [-TINY, math.inf, math.nan],
    ),
    "steps": (lambda v: soft_flow(*NETWORK, until=0.1, steps=v), [1, 2], [0]),
    "saved": (lambda v: soft_flow(*NETWORK, until=0.1, steps=5, saved=v), [2, 3], [1, 0]),
    "decay": (
        lambda v: decayed(torch.ones(2), 1.0, 2.0, v), [0.0, 1.0], [-TINY, math.inf, math.nan],
    ),
    "p of a decay": (lambda v: decayed(torch.ones(2), 1.0, v, 1.0), [TINY, 2.0], [0.0, math.inf]),
    "lr of a drift": (
        lambda v: step_drift(NETWORK[0], NETWORK[1], v), [0.0, -1.0], [math.inf, math.nan],
    ),
    "tol of a fixing": (lambda v: fixing(tol=v), [1e-300, 1.0], [0.0, math.inf, math.nan]),
    "every": (lambda v: fixing(every=v), [1, 7], [0, -1, 1.0]),
    "p of a fixing": (lambda v: fixing(p=v), [1.0, 2.0], [0.0, math.inf]),
    "lr of EGD": (lambda v: egd(lr=v), [0.0, 1.0], [-TINY, math.inf, math.nan]),
    "weight_decay": (lambda v: egd(weight_decay=v), [0.0, 1.0], [-TINY, math.inf, math.nan]),
    "scales": (
        lambda v: rescale(NETWORK[0], torch.tensor([1.0, v, 1.0]).double(), NETWORK[1]),
        [1e-30, 1e30], [0.0, -1.0, math.inf, math.nan],
    ),
    "times": (
        lambda v: list(orbit(*NETWORK[:1], torch.ones(3).double(), NETWORK[1], torch.zeros(v))),
        [(0,), (2,)], [(), (1, 1)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("call", "value"),
    [pytest.param(c, v, id=f"{name} {v}") for name, (c, good, _) in CASES.items() for v in good],
)
def test_the_last_that_is_allowed_works(call, value):
    call(value)


@pytest.mark.parametrize(
    ("call", "value"),
    [pytest.param(c, v, id=f"{name} {v}") for name, (c, _, bad) in CASES.items() for v in bad],
)
def test_the_first_that_is_not_is_refused(call, value):
    with pytest.raises(GaugeError):
        call(value)


@pytest.mark.parametrize(
    ("module", "call"),
    [
        (landscape, landscape.laplacian),
        (adjacency, lambda params, group: soft_flow(params, group, until=0.1, steps=2)),
        (adjacency, gauge_coordinates),
        (adjacency, rates),
    ],
)
def test_dense_algebra_is_done_up_to_its_largest_size_and_refused_above(module, call, monkeypatch):
    """The network has three units."""
    assert module.LARGEST == 4096
    monkeypatch.setattr(module, "LARGEST", 3)
    call(*NETWORK)
    monkeypatch.setattr(module, "LARGEST", 2)
    with pytest.raises(GaugeError, match="the largest is 2"):
        call(*NETWORK)


def test_nothing_flows_where_a_layer_is_zero():
    params, group = NETWORK
    none = {**params, "2.weight": torch.zeros_like(params["2.weight"])}
    assert predicted_saving(params, group) < 1
    with pytest.raises(GaugeError, match="nothing flows"):
        predicted_saving(none, group)


def test_parameters_on_two_devices_are_refused():
    params, group = NETWORK
    with pytest.raises(GaugeError, match=r"must be on one device, found \['cpu', 'meta'\]"):
        minimum_norm({**params, "0.bias": params["0.bias"].to("meta")}, group)
