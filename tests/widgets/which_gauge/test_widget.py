"""WhichGauge: its JavaScript and its Python find what torch's autograd and gaugelib find."""

import json

import pytest
import torch
import traitlets
from torch import nn
from torch.testing import assert_close

from gaugelib import GaugeError, functional_call, hat, mlp_group, params_of, rescale
from gaugelib.data import digits
from gaugelib.gauges import gauss_newton_diagonal, gradient_square
from gaugelib.widgets import WhichGauge
from gaugelib.widgets.which_gauge.network import KINDS
from tests.widgets.node import NodeTests
from tests.widgets.which_gauge.gauges import best, oracle

pytestmark = pytest.mark.xdist_group("which_gauge")

NETWORKS, STATEMENTS = 8, 11
OPENING = ("network", "log2_scales", "unit", "bits", "example", "_networks")


def drawn(index: int, draws: torch.Generator) -> WhichGauge:
    """A network of any size with a drawn gauge; some have no biases."""
    d, n, o = 1 + index % 4, 1 + index % 3, 1 + index % 2
    biased = index % 4 != 1
    model = nn.Sequential(nn.Linear(d, n, bias=biased), nn.ReLU(), nn.Linear(n, o, bias=biased))
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.randn(value.shape, generator=draws))
    x = torch.randn(12, d, generator=draws, dtype=torch.float64)
    y = torch.randn(12, o, generator=draws, dtype=torch.float64)
    dials = torch.randn(n, generator=draws, dtype=torch.float64).tolist()
    return WhichGauge.from_model(model, x, y, log2_scales=dials, bits=(3, 4, 8)[index % 3])


def one_case(name: str, widget: WhichGauge) -> dict:
    net = oracle(widget)
    coarse = net.quantised(widget.bits)
    gauges = {kind: best(widget, kind) for kind in KINDS}
    return {
        "name": name,
        "parts": widget._networks[widget.network],
        "log2_scales": widget.log2_scales,
        "bits": widget.bits,
        "wanted": {
            **{kind: getattr(net, kind)() for kind in KINDS},
            "gauges": {kind: dials for kind, (dials, _) in gauges.items()},
            "least": {kind: least for kind, (_, least) in gauges.items()},
            "step": net.longest_step(),
            "f": net.f().tolist(),
            "quantised": coarse.f().tolist(),
            "error": net.error(widget.bits),
            "nothing": [float((coarse.params[k] == 0).double().mean()) for k in (0, 2)],
        },
    }


@pytest.fixture(scope="module")
def cases() -> dict:
    draws = torch.Generator().manual_seed(16)
    built = []
    while len(built) < NETWORKS:
        try:
            built.append(drawn(len(built), draws))
        except GaugeError:  # a unit that is dead on its data
            continue
    widgets = {f"{len(w.log2_scales)} units, network {k}": w for k, w in enumerate(built)}
    turns = torch.randn(16, generator=draws, dtype=torch.float64).tolist()
    widgets["the hat"] = WhichGauge(log2_scales=[0.3, -1.1, 0.7])
    widgets["the digits"] = WhichGauge(network="digits", log2_scales=turns)
    return {
        "cases": [one_case(name, widget) for name, widget in widgets.items()],
        "opening": {name: getattr(WhichGauge(), name) for name in OPENING},
    }


def test_the_javascript_finds_what_torch_and_gaugelib_find(cases, tmp_path):
    fixtures = tmp_path / "cases.json"
    fixtures.write_text(json.dumps(cases), "utf8")
    tests = NodeTests("which_gauge/widget.test.mjs", FIXTURES=str(fixtures))
    tests.require(at_least=NETWORKS + 2 + STATEMENTS)


def test_control_a_wrong_fixture_is_noticed(cases, tmp_path):
    wrong = json.loads(json.dumps(cases))
    wrong["cases"][3]["wanted"]["step"] *= 1 + 1e-9
    fixtures = tmp_path / "wrong.json"
    fixtures.write_text(json.dumps(wrong), "utf8")
    tests = NodeTests("which_gauge/widget.test.mjs", FIXTURES=str(fixtures))
    assert tests.failed == 1


@pytest.mark.parametrize("network", ["hat", "digits"])
def test_its_python_finds_them_too(network):
    units = 3 if network == "hat" else 16
    dials = [0.25 * (h % 5) - 0.5 for h in range(units)]
    widget = WhichGauge(network=network, log2_scales=dials, bits=3)
    net = oracle(widget)
    for kind in KINDS:
        gauge, least = best(widget, kind)
        assert_close(widget.gauge(kind), torch.tensor(gauge, dtype=torch.float64))
        assert widget.ratios()[kind] == pytest.approx(getattr(net, kind)() / least, rel=1e-10)
    assert widget.longest_step() == pytest.approx(net.longest_step(), rel=1e-10)
    assert widget.rounding_error() == pytest.approx(net.error(3), rel=1e-10)


def test_the_library_measures_the_same_on_the_model():
    widget = WhichGauge(log2_scales=[0.5, -1.0, 1.5])
    params, net = widget.to_params(), oracle(widget)

    def f(params):
        return functional_call(hat(), params, (net.x,))

    def loss(params, n):
        return (functional_call(hat(), params, (net.x[n],)) - net.y[n]).square().sum() / 2

    squares = gradient_square(loss, params, range(len(net.x)))
    curved = gauss_newton_diagonal(f, params)
    found = {
        "norm": sum(float(value.square().sum()) for value in params.values()),
        "gradient": sum(float(value.sum()) for value in squares.values()),
        "trace": sum(float(value.sum()) for value in curved.values()),
    }
    for kind, total in found.items():
        least = getattr(oracle(widget, widget.gauge(kind).tolist()), kind)()
        assert widget.ratios()[kind] == pytest.approx(total / least, rel=1e-10)


def test_the_parameters_are_those_of_the_hat_rescaled():
    widget = WhichGauge(log2_scales=[1.0, -2.0, 0.5])
    wanted = rescale(params_of(hat()), widget.scales, mlp_group(hat()))
    for name, value in widget.to_params().items():
        assert_close(value, wanted[name])
    x = torch.linspace(-1, 3, 50, dtype=torch.float64)[:, None]
    assert_close(functional_call(hat(), widget.to_params(), (x,)), hat()(x))


def test_the_digits_are_learnt_and_the_images_are_those_not_seen():
    widget = WhichGauge(network="digits")
    net = oracle(widget)
    data = digits()
    assert_close(net.x, data.test_inputs[:100])
    assert torch.equal(net.y.argmax(1), data.test_labels[:100])
    found = net.outputs(net.params, data.test_inputs).argmax(1)
    assert 0.92 < float((found == data.test_labels).double().mean()) < 0.96


def test_a_model_goes_in_unchanged_and_a_missing_bias_stays_missing():
    model = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        for k, value in enumerate(model.parameters()):
            value.copy_(torch.linspace(-1 - k, 2, value.numel()).reshape(value.shape))
    before = {name: value.clone() for name, value in model.named_parameters()}
    x = torch.tensor([[1.0, 0.5], [-1.0, 2.0], [0.3, -2.0], [-2.0, -1.0]])
    widget = WhichGauge.from_model(model, x, x.flip(0))
    assert set(widget.to_params()) == set(before)
    for name, value in model.named_parameters():
        assert torch.equal(value, before[name])
        assert torch.equal(widget.to_params()[name], value.detach().double())
    assert list(widget._networks) == ["own"]
    assert (widget.network, widget.unit) == ("own", 0)


def test_another_network_brings_its_own_dials():
    widget = WhichGauge(log2_scales=[1.0, 0.0, 0.0])
    widget.network = "digits"
    assert widget.log2_scales == [0.0] * 16
    widget.unit = 16
    widget.network = "hat"
    assert (len(widget.log2_scales), widget.unit) == (3, 3)
    own = WhichGauge.from_model(hat(), torch.tensor([[0.5], [1.5], [2.5]]), torch.ones(3, 1)).own
    widget.own = own
    assert (widget.network, list(widget._networks)) == ("own", ["own"])


def test_what_the_page_writes_is_read_back_and_reset_is_known():
    widget = WhichGauge()
    widget.set_state({"network": "digits", "log2_scales": [0.5] * 16, "unit": 0, "example": 7})
    assert widget.scales.tolist() == pytest.approx([2**0.5] * 16)
    assert widget.example == 7
    assert widget._start == {
        "network": "hat",
        "log2_scales": [0.0] * 3,
        "unit": 3,
        "bits": 4,
        "example": 1,
        "random_state": 1,
    }


X, Y = torch.tensor([[0.5], [1.5], [2.5]]), torch.ones(3, 1)
OWN = {
    "weights": [[[1.0]], [[1.0]]],
    "biases": [[], []],
    "inputs": [[1.0], [2.0]],
    "targets": [[0.0], [1.0]],
}


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        ({"network": "mnist"}, "network must be one of: 'hat', 'digits'; found 'mnist'"),
        ({"network": "own"}, "network must be one of: 'hat', 'digits'; found 'own'"),
        ({"log2_scales": [0.0]}, "log2_scales must hold 3 numbers, found 1"),
        ({"log2_scales": [0.0, 21.0, 0.0]}, "log2_scales must lie within ±20, found"),
        ({"log2_scales": [0.0, float("nan"), 0.0]}, "log2_scales must hold finite numbers"),
        ({"unit": 4}, r"unit must lie in 0\.\.3, found 4"),
        ({"bits": 5}, "bits must be one of: 3, 4, 8; found 5"),
        ({"example": 0}, r"example must lie in 1\.\.20, found 0"),
        ({"random_state": -1}, r"random_state must lie in 0\.\.4294967295, found -1"),
        ({"own": {"weights": []}}, "own must hold weights, biases, inputs, targets"),
        ({"own": OWN | {"weights": [[[1.0]]]}}, "at least two matrices, found 1"),
        ({"own": OWN | {"weights": [[[1.0]]] * 3}}, "own must have two matrices, found 3"),
        ({"own": OWN | {"inputs": [[1.0, 2.0]] * 2}}, "inputs must be rows of 1 numbers"),
        ({"own": OWN | {"inputs": [[1.0]]}}, "must be of one length, found 1 and 2"),
        ({"own": OWN | {"biases": [[1.0, 2.0], []]}}, "a layer of 1 units has 2 biases"),
        ({"own": OWN | {"targets": [[float("inf")], [0.0]]}}, "own must hold finite numbers"),
        ({"own": OWN | {"inputs": [[1.0]] * 129, "targets": [[0.0]] * 129}}, "128 examples, found"),
        ({"own": OWN | {"targets": [[1.0], [2.0]]}}, "no gradient enters unit 1"),
        ({"own": OWN | {"weights": [[[1.0]], [[0.0]]]}}, "no weight leaves unit 1"),
        ({"own": OWN | {"weights": [[[-1.0]], [[1.0]]]}}, "no gradient enters unit 1"),
    ],
)
def test_a_bad_trait_is_refused_by_name(traits, reason):
    with pytest.raises(GaugeError, match=reason) as caught:
        WhichGauge(**traits)
    assert isinstance(caught.value, traitlets.TraitError)


@pytest.mark.parametrize(
    ("model", "x", "reason"),
    [
        (nn.Linear(1, 1), X, "WhichGauge shows nn.Sequential.*found Linear"),
        (
            nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)),
            X,
            "one hidden layer, found 2",
        ),
        (hat(), X[:, 0], r"inputs must have the shape \(examples, numbers\), found \(3,\)"),
        (nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 1)), X, "32 hidden units, found"),
    ],
)
def test_another_network_is_refused_with_the_reason(model, x, reason):
    with pytest.raises(GaugeError, match=reason):
        WhichGauge.from_model(model, x, Y)


def test_an_unknown_kind_is_refused():
    with pytest.raises(GaugeError, match="kind must be one of"):
        WhichGauge().gauge("sharpness")


def test_it_is_written_down_by_what_differs_from_its_defaults():
    told = "WhichGauge(log2_scales=[0.0, 1.0, 0.0], unit=3, bits=8)"
    assert repr(WhichGauge(log2_scales=[0, 1, 0], bits=8)) == told


def test_its_still_picture_follows_its_state_and_the_words_say_its_numbers():
    told = {
        "hat": WhichGauge(),
        "turned": WhichGauge(log2_scales=[0.5, 1.0, -1.0], unit=2, bits=8),
        "digits": WhichGauge(network="digits", example=3),
    }
    assert len({widget.still() for widget in told.values()}) == 3
    for widget in told.values():
        words = widget.alt_text()
        for ratio in widget.ratios().values():
            assert f"{ratio:.3g}" in words
        assert f"{oracle(widget).longest_step():.3g}" in words
        assert f"{100 * oracle(widget).error(widget.bits):.2g} % away" in words
    assert "the dial of all units together" in told["digits"].alt_text()
