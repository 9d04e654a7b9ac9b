"""RescaleNeuron's Python half: its network is gaugelib's, and bad input is refused by name."""

import pytest
import torch
import traitlets
from torch import nn
from torch.func import functional_call
from torch.testing import assert_close

from gaugelib import GaugeError, hat, mlp_group, params_of, rescale
from gaugelib.widgets import RescaleNeuron

X = torch.linspace(-1, 3, 101, dtype=torch.float64)[:, None]


def network(units: int, seed: int, **options) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(1, units, **options), nn.ReLU(), nn.Linear(units, 1, **options))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(generator=generator)
    return model.double()


@pytest.mark.parametrize("units", [1, 3, 8])
def test_its_parameters_are_the_rescaled_parameters_of_the_model(units):
    model = network(units, seed=units)
    widget = RescaleNeuron.from_model(model, log2_scales=[0.75 * k - 2 for k in range(units)])
    moved = rescale(params_of(model), widget.scales, mlp_group(model))
    found = widget.to_params()
    assert found.keys() == moved.keys()
    for name, value in moved.items():
        assert_close(found[name], value, rtol=1e-15, atol=0)


def test_it_opens_on_the_hat_in_a_gauge_that_can_be_seen():
    widget = RescaleNeuron()
    assert min(abs(s) for s in widget.log2_scales) >= 1
    f = functional_call(hat(), widget.to_params(), (X,))
    assert_close(f, hat()(X), rtol=0, atol=1e-14)
    widths = torch.cat([widget.to_params()[n].abs().flatten() for n in ("0.weight", "2.weight")])
    assert widths.max() / widths.min() > 10


def test_forgotten_outgoing_weights_move_the_function():
    params = RescaleNeuron(forget_outgoing=True).to_params()
    assert torch.equal(params["2.weight"], hat()[2].weight)
    assert (functional_call(hat(), params, (X,)) - hat()(X)).abs().max() > 1


def test_forgotten_biases_move_the_function_and_a_bias_of_zero_hides_it():
    params = RescaleNeuron(forget_bias=True).to_params()
    assert torch.equal(params["0.bias"], hat()[0].bias)
    assert (functional_call(hat(), params, (X,)) - hat()(X)).abs().max() > 1
    hidden = RescaleNeuron(forget_bias=True, log2_scales=[3.0, 0.0, 0.0]).to_params()
    assert torch.equal(functional_call(hat(), hidden, (X,)), hat()(X))


def test_the_model_is_read_and_not_changed():
    model = network(4, seed=2, bias=False).float()
    before = params_of(model)
    widget = RescaleNeuron.from_model(model, p=1, x_range=(-2, 2))
    widget.log2_scales = [1.0, 2.0, 3.0, 4.0]
    assert all(torch.equal(value, before[name]) for name, value in params_of(model).items())
    assert widget.w_in == model[0].weight.flatten().double().tolist()
    assert (widget.b_in, widget.b_out, widget.p) == ([0.0] * 4, 0.0, 1)
    assert widget.x_range == [-2.0, 2.0]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (nn.Linear(1, 1), "found Linear"),
        (nn.Sequential(nn.Linear(1, 3), nn.ReLU()), "found Sequential"),
        (nn.Sequential(nn.Linear(1, 3), nn.Tanh(), nn.Linear(3, 1)), "layer 1 must be nn.ReLU"),
        (nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(3, 1)), "layer 0 must be nn.Linear"),
        (nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), "found 2, 3 and 1"),
        (nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(3, 4)), "found 1, 3 and 4"),
        (nn.Sequential(nn.Linear(1, 9), nn.ReLU(), nn.Linear(9, 1)), "at most 8 hidden"),
        (nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(4, 1)), "4 in w_out"),
    ],
)
def test_a_model_of_another_shape_is_refused(model, reason):
    with pytest.raises(GaugeError, match=reason):
        RescaleNeuron.from_model(model)


def test_a_model_with_nan_is_refused():
    model = hat()
    with torch.no_grad():
        model[0].bias[1] = torch.nan
    with pytest.raises(GaugeError, match="b_in must hold finite numbers, found nan"):
        RescaleNeuron.from_model(model)


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        ({"w_in": [1, 2]}, "found 2 in w_in, 3 in b_in, 3 in w_out, 2 in log2_scales"),
        ({"b_in": [1.0]}, "one number for each hidden neuron is needed, .* 1 in b_in"),
        ({"w_in": [], "b_in": [], "w_out": []}, "must hold 1 to 8 numbers, found 0"),
        ({"w_out": [1, float("inf"), 1]}, "w_out must hold finite numbers, found inf"),
        ({"log2_scales": [0, 0, 65]}, "log2_scales must lie within ±64"),
        ({"log2_scales": [0, 0]}, "2 in log2_scales"),
        ({"p": 3}, "p must be 1 or 2, found 3"),
        ({"x_range": (1, 1)}, "x_range must be two numbers, the smaller first"),
        ({"x_range": (1, 2, 3)}, "x_range must be two numbers"),
        ({"random_state": -1}, "random_state must lie in"),
        ({"tanh": "yes"}, "tanh"),
    ],
)
def test_bad_traits_are_refused_by_name(traits, reason):
    with pytest.raises(traitlets.TraitError, match=reason):
        RescaleNeuron(**traits)


def test_a_refused_assignment_leaves_the_widget_as_it_was():
    widget = RescaleNeuron()
    for name, value in (("w_in", [1.0]), ("p", 0), ("log2_scales", [0, 0, float("nan")])):
        before = getattr(widget, name)
        with pytest.raises(GaugeError):
            setattr(widget, name, value)
        assert getattr(widget, name) == before


def test_what_the_page_writes_is_read_back():
    # What the front end sends when a slider moves and a box is ticked.
    widget = RescaleNeuron()
    widget.set_state({"log2_scales": [0.25, 0.5, -3], "p": 1, "tanh": True})
    assert widget.scales.tolist() == [2**0.25, 2**0.5, 0.125]
    assert (widget.p, widget.tanh) == (1, True)


def test_another_network_can_be_put_into_it_at_once():
    widget = RescaleNeuron()
    with widget.hold_trait_notifications():
        widget.w_in, widget.b_in = [1.0, 2.0], [0.0, 0.0]
        widget.w_out, widget.log2_scales = [3.0, 4.0], [1.0, 0.0]
    assert widget.to_params()["2.weight"].tolist() == [[1.5, 4.0]]


def test_it_knows_what_reset_returns_to():
    widget = RescaleNeuron(p=1, log2_scales=[1, 2, 3])
    widget.log2_scales = [0.0, 0.0, 0.0]
    assert widget.get_state()["_start"]["log2_scales"] == [1.0, 2.0, 3.0]
    assert widget.get_state()["_start"]["p"] == 1
