"""Dense Hessians against a closed form and finite differences."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.testing import assert_close

from gaugelib import GaugeError, hessian


def product_loss(params):
    return (params["w"] * params["v"] - 1.0).square().sum() / 2


def test_hessian_of_the_two_number_network_in_closed_form():
    w, v = 3.0, 0.4
    params = {
        "w": torch.tensor([w], dtype=torch.float64),
        "v": torch.tensor([v], dtype=torch.float64),
    }
    expected = torch.tensor([[v * v, 2 * w * v - 1], [2 * w * v - 1, w * w]], dtype=torch.float64)
    assert_close(hessian(product_loss, params), expected, rtol=1e-12, atol=1e-12)


def test_hessian_agrees_with_finite_differences():
    draw = torch.Generator().manual_seed(0)
    params = {n: torch.randn(2, 3, generator=draw).double() for n in ("w", "v")}

    def loss(p):
        return torch.sin(p["w"] @ p["v"].T).sum()

    step, vector = 1e-4, torch.cat([params["w"].flatten(), params["v"].flatten()])

    def at(vector):
        return loss({"w": vector[:6].view(2, 3), "v": vector[6:].view(2, 3)})

    eye = torch.eye(12).double() * step
    numeric = torch.tensor(
        [
            [
                at(vector + a + b) - at(vector + a - b) - at(vector - a + b) + at(vector - a - b)
                for b in eye
            ]
            for a in eye
        ]
    ) / (4 * step**2)
    assert_close(hessian(loss, params), numeric.double(), rtol=1e-4, atol=1e-4)


def test_control_a_wrong_sign_is_noticed():
    params = {"w": torch.tensor([3.0]).double(), "v": torch.tensor([0.4]).double()}
    wrong = torch.tensor([[0.16, -1.4], [-1.4, 9.0]]).double()
    assert (hessian(product_loss, params) - wrong).abs().max() > 1


def test_too_many_parameters_are_refused():
    with pytest.raises(GaugeError, match="5000 parameters"):
        hessian(lambda p: p["w"].sum(), {"w": torch.zeros(5000)})


def test_fused_attention_is_differentiated_twice():
    draw = torch.Generator().manual_seed(0)
    params = {"q": torch.randn(1, 1, 3, 4, generator=draw, dtype=torch.float64)}

    def by_hand(q):
        return (q @ q.mT / 4**0.5).softmax(-1) @ q

    def fused(q):
        return scaled_dot_product_attention(q, q, q)

    found = hessian(lambda p: fused(p["q"]).square().sum(), params)
    expected = hessian(lambda p: by_hand(p["q"]).square().sum(), params)
    assert_close(found, expected, rtol=1e-11, atol=1e-12)
