"""What a front end that asks for layers would refuse is read from the operations it is made of."""

import pytest
import torch
import torch.nn.functional as F

from gaugelib import trace_group
from gaugelib.testing import assert_gauge_invariant
from tests.tracing.test_refusals import Net, X, relu

READ = {
    "kthvalue": (lambda m, x: torch.kthvalue(x, 2, dim=1).values, 1),
    "cross": (lambda m, x: x.cummax(1).values, 1),
    "wrapped function": (lambda m, x: relu(x), 0),
    "size 0": (lambda m, x: torch.cat([x, x[:, :0]], 1), 4),
    "einsum": (lambda m, x: torch.einsum("bi,ij->bj", x, m.weight), 8),
    "addmm": (lambda m, x: torch.addmm(m.mask, x, m.weight), 4),
    "setitem": (lambda m, x: (x.__setitem__(0, 1.0), x)[1], 0),
    "copy_": (lambda m, x: x.copy_(x.flip(1)), 4),
    "zero_": (lambda m, x: x.zero_(), 4),
    "indexing by values": (lambda m, x: x[:, x.argmax(1)], 0),
    "abs of a parameter": (lambda m, x: x @ m.weight.abs(), 8),
    "softplus of a parameter": (lambda m, x: x @ F.softplus(m.weight), 1),
    "masked parameter": (lambda m, x: x @ (m.weight * m.mask), 8),
    "halved parameter": (lambda m, x: x @ (m.weight * 0.5), 8),
    "sum of parameters": (lambda m, x: x @ (m.weight + m.weight.t()), 5),
    "normalised parameter": (lambda m, x: x @ F.normalize(m.weight), 1),
    "parameter as integer": (lambda m, x: x * m.weight.long()[0], 4),
    "product of parameters": (lambda m, x: x @ (m.weight @ m.weight), 5),
    "division by a parameter": (lambda m, x: x / m.weight[0], 8),
    "clamp to a parameter": (lambda m, x: x.clamp(min=m.weight[0]), 4),
    "mean of a parameter": (lambda m, x: x * m.weight.mean(), 5),
    "data of a parameter": (lambda m, x: x @ m.weight.data.abs(), 8),
    "hypernetwork": (lambda m, x: F.linear(x, x), 1),
    "loop over a tensor": (lambda m, x: sum(row for row in x), 4),
    "len": (lambda m, x: x * len(x), 4),
}
"""What a front end that asks for layers refuses, and how many units keep a scale: some have one
scale between them, some share one with the parameter."""


@pytest.mark.filterwarnings("ignore:To copy construct:UserWarning")
@pytest.mark.parametrize("name", READ)
def test_parameters_and_tensors_are_read_through_any_function(name):
    between, units = READ[name]
    model = Net(between).double()
    group = trace_group(model, X.double())
    assert group.units == units
    if units:
        assert_gauge_invariant(model, X.double(), group=group, tol=1e-10)
