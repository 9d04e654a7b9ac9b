"""Where training ends the penalty's own charge is zero: the regulariser decides the gauge."""

import pytest
import torch

from tests.pairing.critical import WIRINGS, critical

every = pytest.mark.parametrize("name", WIRINGS)


@every
@pytest.mark.parametrize("q", [1.0, 1.5, 2.0, 3.0])
def test_where_training_ends_the_regularisers_charge_is_zero(name, q):
    made, end = critical(name, q)
    assert made.charge(end, q).abs().max() <= 1e-9
    assert made.charge(made.start, q).abs().max() > 1.0  # the control: not so where it began


@every
@pytest.mark.parametrize(("q", "other"), [(1.0, 2.0), (1.5, 2.0), (2.0, 1.0), (3.0, 2.0)])
def test_control_the_charge_with_another_exponent_is_not(name, q, other):
    made, end = critical(name, q)
    assert made.charge(end, other).abs().max() > 0.1


@pytest.mark.parametrize("q", [1.0, 1.5, 2.0])
def test_control_a_tanh_network_ends_unbalanced(q):
    made, end = critical("layered", q, torch.tanh)
    assert made.charge(end, q).abs().max() > 0.1
