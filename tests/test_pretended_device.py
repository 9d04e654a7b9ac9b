"""Where parameters lie on an accelerator everything happens there, and the CPU seldom waits."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gaugelib import (
    EGD,
    GaugeFixing,
    charge,
    generator,
    imbalance,
    minimum_norm,
    minimum_norm_,
    mlp_group,
    orbit,
    params_of,
    relative_imbalance,
    rescale,
    soft_penalty,
    trace_group,
    ward_residual,
    weight_norm,
)
from tests.pretended import DEVICE, MixedDevices, Pretence, There, moved, moved_model


class Gated(nn.Module):
    """Two branches are multiplied, which makes longer columns."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(6, 8, bias=False), nn.Linear(6, 8, bias=False)
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        return self.out(self.one(x).relu() * self.two(x))


def layers(width=12, *, dead=False):
    model = nn.Sequential(
        nn.Linear(5, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3)
    )
    if dead:
        with torch.no_grad():
            model[2].weight[1] = 0.0
    return model


def convolutions():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=4), nn.ReLU(), nn.Flatten(),
        nn.Linear(128, 5),
    )  # fmt: skip


NETWORKS = {
    "layers": (layers, (2, 5)),
    "a dead unit": (lambda: layers(dead=True), (2, 5)),
    "convolutions": (convolutions, (1, 3, 8, 8)),
    "a gate": (Gated, (2, 6)),
}
OPTIONS = ({}, {"p": 1.0}, {"p": 3.5}, {"include_bias": True}, {"exact": True}, {"tol": 1e-9})


def made(name):
    torch.manual_seed(0)
    make, shape = NETWORKS[name]
    model = make()
    return params_of(model), trace_group(model, torch.randn(shape))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_solver_works_where_the_parameters_are(name, options):
    params, group = made(name)
    here = minimum_norm(params, group, **{"tol": 1e-5, **options})
    with Pretence():
        there = minimum_norm(moved(params), group, **{"tol": 1e-5, **options})
    assert there.passes == here.passes
    for name in params:
        assert there.params[name].device == DEVICE
        assert torch.equal(there.params[name].here, here.params[name])


def test_the_cpu_waits_no_oftener_for_wide_layers_than_for_narrow_ones():
    seen = []
    for width in (12, 400):
        torch.manual_seed(0)
        model = layers(width)
        with Pretence() as pretence:
            found = minimum_norm(moved(params_of(model)), mlp_group(model), tol=1e-2)
        seen.append((found.passes, sum(pretence.waits.values())))
    assert seen[0] == seen[1]


OPTIMISERS = {
    "momentum": (lambda model: torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), {}),
    "Adam": (lambda model: torch.optim.Adam(model.parameters(), lr=0.1), {}),
    "EGD": (lambda model: EGD(model.parameters(), lr=0.1), {"p": 1.0}),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_gauge_is_kept_where_the_parameters_are(name):
    torch.manual_seed(0)
    make, options = OPTIMISERS[name]
    here, group = layers(), mlp_group(layers())
    there = moved_model(here)
    x, y = torch.randn(8, 5), torch.randint(3, (8,))

    def train(model, x, y):
        optimizer = make(model)
        fixing = GaugeFixing(model, optimizer, group, **options)
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            fixing.step()
        return fixing.imbalance

    with Pretence():
        found = train(there, There(x), There(y))
    assert found == train(here, x, y)
    for one, two in zip(there.parameters(), here.parameters(), strict=True):
        assert torch.equal(one.here, two)


def test_a_model_is_balanced_in_place_there():
    torch.manual_seed(0)
    here = layers()
    there = moved_model(here)
    with Pretence():
        minimum_norm_(there, mlp_group(here))
    minimum_norm_(here)
    for one, two in zip(there.parameters(), here.parameters(), strict=True):
        assert torch.equal(one.here, two)


MEASURES = {
    "rescale": lambda theta, scales, group: rescale(theta, scales, group),
    "generator": lambda theta, scales, group: generator(theta, scales, group),
    "orbit": lambda theta, scales, group: next(orbit(theta, scales, group, torch.ones(1))),
    "imbalance": lambda theta, _, group: imbalance(theta, group),
    "relative imbalance": lambda theta, _, group: relative_imbalance(theta, group),
    "charge": lambda theta, _, group: charge(theta, group),
    "norm": lambda theta, _, group: weight_norm(theta, group),
    "penalty": lambda theta, _, group: soft_penalty(theta, group),
    "Ward": lambda theta, _, group: ward_residual(
        lambda t: sum(v.square().sum() for v in t.values()), theta, group
    ),
}


@pytest.mark.parametrize("where", ["scales here", "scales there"])
@pytest.mark.parametrize("name", MEASURES)
def test_what_is_measured_is_where_the_parameters_are(name, where):
    params, group = made("layers")
    scales = group.random(generator=torch.Generator().manual_seed(0))
    expected = MEASURES[name](params, scales, group)
    with Pretence():
        moved_scales = There(scales) if where == "scales there" else scales
        found = MEASURES[name](moved(params), moved_scales, group)
    pairs = (
        [(found, expected)] if isinstance(found, There) else zip(found.values(), expected.values())
    )
    for one, two in pairs:
        assert torch.equal(one.here, two)


def test_control_two_devices_are_refused_and_waiting_is_counted():
    x, y = There(torch.ones(3)), torch.ones(3)
    with Pretence() as pretence:
        assert (x + 1.0).device == DEVICE
        assert x[torch.tensor([0, 2])].device == DEVICE
        assert not pretence.waits
        assert float(x.sum()) == 3.0
        assert sum(pretence.waits.values()) == 1
        assert x.tolist() == (x.cpu() + y).sub(1).tolist() == [1.0, 1.0, 1.0]
        for mixed in (
            lambda: x + y,
            lambda: y[There(torch.tensor([0]))],
            lambda: torch.cat([x, y]),
        ):
            with pytest.raises(MixedDevices):
                mixed()
    with pytest.raises(MixedDevices, match="outside"):
        x + 1.0
