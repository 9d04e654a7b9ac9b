"""A traced group tells which operation fixed or tied what."""

import pytest
import torch
from torch import nn

from gaugelib import GaugeError, minimum_norm, mlp_group, params_of, trace_group
from gaugelib.tracing import explain
from tests.tracing.dense import mlp
from tests.tracing.test_errors import Net, X

NET = f"{Net.__module__}.{Net.__qualname__}"


def test_the_group_tells_which_operation_grounded_what():
    model = Net(lambda m, x: torch.cat([x[:, :1].tanh(), x[:, 1:3].relu(), x[:, 3:] + 1], 1))
    model.slope, model.idle = nn.PReLU(), nn.Parameter(torch.ones(2))
    group = trace_group(nn.Sequential(model, model.slope), X)
    assert dict(group.grounded) == {
        "0.first": f"tanh in {NET} '0' (1 of 4); add in {NET} '0' (1 of 4)",
        "0.last": "the output of the model",
        "0.slope.weight": "_prelu_kernel in nn.PReLU '0.slope'",
        "0.idle": "the forward does not use it",
    }


def test_control_a_free_group_tells_of_the_output_only():
    model = mlp(3, 4, 5, 2)
    assert dict(trace_group(model, X).grounded) == {"4": "the output of the model"}
    assert minimum_norm(params_of(model), trace_group(model, X)).converged


def test_a_group_explains_what_was_fixed_and_what_was_tied():
    """Two channels of keys answer two of queries; a sum ties the values of two layers."""
    model = Net(lambda m, x: m.part(x) + m.other(x), part=nn.Linear(4, 4), other=nn.Linear(4, 4))
    group = trace_group(model, X)
    assert "4 of them are tied: one scale with 'part': add in" in explain(group, "other")
    keys = Net(lambda m, x: (m.part(x) @ m.other(x).T).softmax(1) @ x, part=nn.Linear(4, 2))
    keys.other = nn.Linear(4, 2)
    found = explain(trace_group(keys, X), "other")
    assert "2 scales of 'other', of which 0 are units" in found
    assert "2 of them are tied: a product of powers of other scales: mm in" in found


@pytest.mark.parametrize(("name", "said"), [("nothing", "there are 'first'"), ("0", "there are")])
def test_a_layer_that_is_not_there_is_not_explained(name, said):
    with pytest.raises(GaugeError, match=said):
        explain(trace_group(Net(lambda m, x: x.relu()), X), name)


def test_a_group_that_was_not_traced_explains_nothing():
    with pytest.raises(GaugeError, match="only a group that trace_group found"):
        explain(mlp_group(mlp(3, 4, 2)), "0")
