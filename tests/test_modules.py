"""Parameters out of a model and back into it."""

import pytest
import torch
from torch import nn

from gaugelib import GaugeError, hat, load_params_, params_of


def test_params_are_copies_that_training_does_not_move():
    model = hat()
    params = params_of(model)
    with torch.no_grad():
        model[0].weight.add_(1.0)
    assert params["0.weight"].flatten().tolist() == [1.0, 1.0, 1.0]
    assert not any(value.requires_grad for value in params.values())


def test_a_tied_parameter_appears_once():
    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    assert list(params_of(tied)) == ["0.weight", "0.bias", "1.bias"]


def test_loading_keeps_the_parameter_objects():
    model = hat()
    before = list(model.parameters())
    load_params_(model, {name: value + 1 for name, value in params_of(model).items()})
    assert all(a is b for a, b in zip(before, model.parameters(), strict=True))
    assert model[2].bias.tolist() == [1.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"2.bias": torch.zeros(2).double()}, r"'2.bias' is torch.float64 of shape \(1,\)"),
        ({"2.bias": torch.zeros(1)}, "cannot load torch.float32"),
        ({"3.bias": torch.zeros(1).double()}, r"unknown \['3.bias'\]"),
    ],
)
def test_a_bad_dictionary_is_refused_whole(change, message):
    model = hat()
    new = {name: value + 1 for name, value in params_of(model).items()} | change
    with pytest.raises(GaugeError, match=message):
        load_params_(model, new)
    assert model[0].weight.flatten().tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(GaugeError, match="missing"):
        load_params_(model, {})
