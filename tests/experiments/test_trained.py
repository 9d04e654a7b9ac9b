"""The small network that a page trains: what it is, and that it reads digits."""

import pytest
import torch

from gaugelib import GaugeError
from gaugelib.data import digits
from gaugelib.experiments import trained_digits


def test_it_reads_nine_of_ten_digits_that_it_has_not_seen():
    data, model = digits(), trained_digits((32,), epochs=10)
    right = model(data.test_inputs).argmax(1) == data.test_labels
    assert 0.9 < right.double().mean() < 1.0


def test_control_without_training_it_reads_hardly_any():
    data, model = digits(), trained_digits((32,), epochs=0)
    assert (model(data.test_inputs).argmax(1) == data.test_labels).double().mean() < 0.3


def test_a_seed_names_the_network_and_the_callers_draws_go_on():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again = trained_digits((4,), epochs=1), trained_digits((4,), epochs=1)
    assert torch.equal(torch.rand(1), expected)
    assert all(map(torch.equal, first.parameters(), again.parameters()))
    other = trained_digits((4,), epochs=1, seed=1)
    assert not any(map(torch.equal, first.parameters(), other.parameters()))


def test_layers_without_units_are_refused():
    with pytest.raises(GaugeError, match="at least one unit"):
        trained_digits((8, 0))
