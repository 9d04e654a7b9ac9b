"""Where a flow ends, and what it refuses to start from: by name, and without a change."""

import math

import pytest
import torch

from gaugelib import GaugeError, gradient_flow
from tests.flow.problems import drift, linear, problem


def down(theta):
    """Pushes w towards and through zero at speed 1 (p = 2)."""
    return theta["w"].sum()


def start(*values, dtype=torch.float64):
    return {"w": torch.tensor(values, dtype=dtype), "v": torch.ones(2, 2, dtype=dtype)}


def flow(params=None, loss=down, **options):
    params = start(0.5, 2.0) if params is None else params
    return gradient_flow(loss, params, **{"until": 1.0, "steps": 50, **options})


def test_for_p_2_a_weight_passes_through_zero():
    assert flow().at(-1)["w"].tolist() == pytest.approx([-0.5, 1.0])


@pytest.mark.parametrize("method", ["euler", "rk4", "midpoint"])
@pytest.mark.parametrize(
    ("p", "message"), [(1.5, "more than one way on"), (3.0, "speed .* is infinite")]
)
def test_a_weight_that_reaches_zero_ends_the_flow_unless_p_is_2(p, message, method):
    # it arrives at t = θ^(p-1) / (p-1): 1.41 or 0.125
    with pytest.raises(GaugeError, match=rf"in step \d+ of 50, from t = .*'w\[0\]' .*{message}"):
        flow(p=p, method=method, until=3.0)


@pytest.mark.parametrize("method", ["euler", "rk4", "midpoint"])
def test_for_p_1_signs_are_kept_or_the_steps_were_too_long(method):
    assert flow(p=1.0, method=method).at(-1)["w"].tolist() == pytest.approx(
        [0.5 / math.e, 2 / math.e], rel=2e-2
    )
    with pytest.raises(GaugeError, match="keeps signs: the steps are too long"):
        flow(p=1.0, method=method, until=10.0, steps=2)


@pytest.mark.parametrize("p", [0.5, 1.0])
def test_for_p_at_most_1_a_zero_stays_zero(p):
    path = flow(start(0.0, 2.0), p=p, decay=0.1, decay_p=0.4, until=0.2)
    assert (path.params["w"][:, 0] == 0.0).all()
    assert (path.params["w"][1:, 1] < 2.0).all()


@pytest.mark.parametrize(("p", "message"), [(1.5, "more than one way on"), (3.0, "infinite")])
def test_a_zero_at_the_start_is_refused_unless_frozen(p, message):
    params = {"w": torch.ones(2).double(), "v": torch.tensor([[1.0, 0.0], [1.0, 1.0]]).double()}
    with pytest.raises(GaugeError, match=rf"'v\[0, 1\]' is zero at the start, .*{message}"):
        flow(params, p=p)
    path = flow(params, p=p, frozen=["v"], until=0.1)
    assert torch.equal(path.at(-1)["v"], params["v"])


def test_a_corner_of_the_penalty_is_refused():
    with pytest.raises(GaugeError, match="exponent 1 has no derivative"):
        flow(decay=0.1, decay_p=1.0)
    with pytest.raises(GaugeError, match=r"'w\[0\]' is zero at the start"):
        flow(start(0.0, 2.0), decay=0.1, decay_p=1.0)
    assert flow(decay=0.1, decay_p=1.5).at(-1)["w"][0] < 0


@pytest.mark.parametrize("method", ["euler", "rk4", "midpoint"])
def test_a_flow_that_blows_up_is_refused(method):
    with pytest.raises(GaugeError, match=r"in step .* NaN"):
        flow(loss=lambda theta: -theta["w"].pow(4).sum(), until=20.0, method=method)


@pytest.mark.parametrize("scale", [1e4, 1e6])
def test_an_equation_of_the_midpoint_that_is_not_solved_is_an_error(scale):
    def wall(theta):  # a valley with a corner: the flow slides along it, no step can
        return scale * theta["w"].abs().sum()

    with pytest.raises(GaugeError, match="did not solve the implicit midpoint's equation"):
        flow(loss=wall, method="midpoint")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"until": 0.0}, "until must be a finite time > 0, found 0"),
        ({"until": math.inf}, "until"),
        ({"until": math.nan}, "until"),
        ({"steps": 0}, "steps must be a whole number >= 1, found 0"),
        ({"steps": 2.5}, "steps"),
        ({"saved": 1}, "saved must be a whole number >= 2"),
        ({"p": 0.0}, "exponent p"),
        ({"p": math.nan}, "exponent p"),
        ({"decay": -0.1}, "decay must be a finite number >= 0"),
        ({"decay": 0.1, "decay_p": -1.0}, "exponent p"),
        ({"method": "heun"}, "method must be one of .*found 'heun'"),
        ({"frozen": ["w", "u"]}, r"unknown names among the frozen: \['u'\]"),
        ({"frozen": ["w", "v"]}, "every parameter is frozen"),
        ({"frozen": ["w"]}, "none of the parameters"),
        ({"params": start(1.0, dtype=torch.float32)}, "'w' is torch.float32; convert"),
        ({"params": start(math.nan)}, "'w' holds NaN"),
    ],
)
def test_what_is_out_of_range_is_refused(options, message):
    with pytest.raises(GaugeError, match=message):
        flow(**options)


def test_the_caller_s_parameters_stay_as_they_were():
    params = {name: value.requires_grad_() for name, value in start(0.5, 2.0).items()}
    path = flow(params)
    assert params["w"].tolist() == [0.5, 2.0]
    assert params["w"].grad is None
    assert not path.params["w"].requires_grad
    assert torch.equal(params["v"], torch.ones(2, 2).double())


def test_states_are_saved_evenly_with_both_ends():
    path = flow(steps=50, saved=6)
    assert path.times.tolist() == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert path.params["v"].shape == (6, 2, 2)
    assert len(path) == 6
    assert len(flow(steps=3)) == 4  # all there are
    assert torch.equal(path.map(lambda theta: theta["w"][1]), path.params["w"][:, 1])
    with pytest.raises(IndexError):
        path.at(6)


def test_a_scalar_parameter_flows_and_is_named_without_an_index():
    params = {"w": torch.tensor(0.5).double()}
    assert flow(params, until=0.25).at(-1)["w"].shape == ()
    with pytest.raises(GaugeError, match="'w' reaches zero"):
        flow(params, p=3.0)


def test_the_bar_is_shown_only_on_request(capsys):
    flow(steps=5)
    assert capsys.readouterr().err == ""
    flow(steps=5, progress=True)
    assert "gradient flow" in capsys.readouterr().err


def test_the_flow_does_not_depend_on_the_order_of_the_parameters():
    made = problem(3, 4, 2, activation=linear)
    turned = dict(reversed(made.params.items()))
    one, other = (
        gradient_flow(made.loss, params, until=0.5, steps=20, frozen="0.bias")
        for params in (made.params, turned)
    )
    assert list(other.params) == list(turned)
    assert drift(one, 2.0) > 0
    for name, value in one.at(-1).items():
        assert torch.equal(other.at(-1)[name], value)
