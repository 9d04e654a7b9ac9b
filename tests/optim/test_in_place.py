"""A model brought to its minimum-norm gauge in place keeps its parameters, or stays as it was."""

import pytest
import torch
from torch.testing import assert_close

from gaugelib import GaugeError, hat, minimum_norm_, params_of, trace_group
from tests.balance.networks import wired
from tests.balance.newton import imbalance_of


def test_fixing_a_model_keeps_its_parameters():
    model = hat()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before, x = list(model.parameters()), torch.linspace(-1, 3, 9).double()[:, None]
    y = model(x).detach()
    found = minimum_norm_(model, exact=True)
    assert all(a is b for a, b in zip(before, model.parameters(), strict=True))
    assert all(a is b for a, b in zip(before, optimizer.param_groups[0]["params"], strict=True))
    assert all(value.requires_grad for value in model.parameters())
    assert torch.equal(model(x), y)
    assert_close(dict(model.named_parameters())["0.weight"].detach(), found.params["0.weight"])


def test_fixing_a_model_that_must_be_traced():
    model, example = wired("residual")
    found = minimum_norm_(model, example=example, tol=1e-10)
    assert found.converged
    assert imbalance_of(params_of(model), trace_group(model, example)).max() < 1e-10


def test_a_model_that_cannot_be_fixed_stays():
    model = hat()
    with torch.no_grad():
        model[2].weight[0, 1] = torch.nan
    before = params_of(model)
    with pytest.raises(GaugeError, match=r"'2\.weight' holds NaN"):
        minimum_norm_(model)
    assert_close(params_of(model), before, rtol=0, atol=0, equal_nan=True)
