"""What is said of edges alone is refused where activations are multiplied, with what to do."""

import re

import pytest
import torch

from gaugelib import (
    GaugeError,
    from_gauge_coordinates,
    gauge_coordinates,
    hat,
    log_ratio,
    mlp_group,
    params_of,
    predicted_saving,
    soft_penalty,
    soft_step,
)
from gaugelib.balance import auxiliary
from gaugelib.plot.minimum_norm import flow
from gaugelib.proofs.edges import edges_of
from gaugelib.proofs.loss import network_of
from gaugelib.proofs.penalised import relaxed
from gaugelib.soft.adapted import GaugeCoordinates
from gaugelib.soft.relaxation import rates, soft_flow
from gaugelib.soft.vertical import vertical
from tests.torus.gates import reglu

ZERO = torch.zeros(8).double()
STATEMENTS = {
    "auxiliary": lambda t, g: auxiliary(t, ZERO[: g.units], g),
    "predicted_saving": predicted_saving,
    "log_ratio": log_ratio,
    "soft_penalty": lambda t, g: soft_penalty(t, g, kind="log-ratio"),
    "soft_step": lambda t, g: soft_step(t, g, kind="log-ratio"),
    "gauge_coordinates": gauge_coordinates,
    "from_gauge_coordinates": lambda t, g: from_gauge_coordinates(
        GaugeCoordinates(ZERO[: g.units], t), g
    ),
    "soft_flow": lambda t, g: soft_flow(t, g, until=0.1, steps=2),
    "rates": rates,
    "vertical": lambda t, g: vertical(t, t, g),
    "edges_of": lambda t, g: edges_of(t, g, 2.0),
    "network_of": network_of,
    "relaxed": lambda t, g: relaxed(t, g, 2.0, include_bias=False),
    "flow": lambda t, g: flow(t, g),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_it_is_refused_with_what_to_do(name):
    net = reglu()
    words = "needs entries that each join one unit to one other; here activations are multiplied"
    with pytest.raises(GaugeError, match=re.escape(words)) as refused:
        STATEMENTS[name](net.params, net.group)
    assert len(str(refused.value).split(";")[-1]) > 20


@pytest.mark.parametrize("name", STATEMENTS)
def test_control_of_edges_it_is_said(name):
    STATEMENTS[name](params_of(hat()), mlp_group(hat()))
