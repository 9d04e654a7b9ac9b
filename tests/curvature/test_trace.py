"""The trace of the Hessian: exactly, and by random probes with an honest error."""

import pytest
import torch
from torch.testing import assert_close

from gaugelib import GaugeError, hessian, hessian_trace, params_of
from tests.flow.problems import problem
from tests.tracing.zoo import build, loss_of


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", ["mlp", "tied autoencoder", "channel shuffle"])
def test_with_as_many_probes_as_parameters_the_trace_is_exact(name):
    model, example = build(name)
    loss, params = loss_of(model, example), params_of(model)
    dense = hessian(loss, params)
    found = hessian_trace(loss, params, probes=len(dense))
    assert_close(found.value, dense.trace(), rtol=1e-12, atol=1e-12)
    assert found.error == 0
    assert found.probes == len(dense)
    # control: with one probe less it is an estimate
    estimate = hessian_trace(loss, params, probes=len(dense) - 1, generator=seeded(0))
    assert estimate.error > 0
    assert abs(estimate.value - dense.trace()) > 1e-6


def test_a_small_network_needs_no_probes():
    given = problem(3, 4, 2)
    before = torch.get_rng_state()
    found = hessian_trace(given.loss, given.params)
    assert found.probes == 26
    assert found.error == 0
    assert torch.equal(torch.get_rng_state(), before)


def test_the_standard_error_is_that_of_the_closed_form():
    """The variance of one probe is twice the sum of squares off the diagonal."""
    given = problem(5, 12, 9, 3, seed=3)
    dense, count = hessian(given.loss, given.params), 200
    off = dense - dense.diag().diag()
    expected = (2 * off.square().sum() / count).sqrt()
    found = hessian_trace(given.loss, given.params, probes=count, generator=seeded(0))
    assert found.probes == count
    assert float(found.error) == pytest.approx(float(expected), rel=0.3)
    assert float(found.error) != pytest.approx(float(expected * count**0.5), rel=0.3)  # control


def test_the_estimate_is_within_two_errors_as_often_as_it_should_be():
    given = problem(5, 12, 9, 3, seed=3)
    exact = hessian(given.loss, given.params).trace()
    found = [
        hessian_trace(given.loss, given.params, probes=30, generator=seeded(seed))
        for seed in range(60)
    ]
    missed = torch.stack([(one.value - exact) / one.error for one in found]).abs()
    assert (missed < 2).double().mean() >= 0.85
    assert (missed < 2 / 30**0.5).double().mean() < 0.5  # control: an error forgetful of the root
    assert abs(torch.stack([one.value for one in found]).mean() - exact) < 4 * found[0].error / 7


def test_each_probe_is_exact_on_a_diagonal_hessian():
    params = {"w": torch.linspace(1, 2, 300).double()}
    found = hessian_trace(lambda p: (p["w"] ** 3).sum(), params, probes=2, generator=seeded(0))
    assert_close(found.value, 6 * params["w"].sum(), rtol=1e-12, atol=0)
    assert found.error < 1e-9
    turned = torch.linalg.qr(torch.randn(300, 300, generator=seeded(1)).double())[0]
    mixed = hessian_trace(  # control: in another basis it is not
        lambda p: ((turned @ p["w"]) ** 3).sum(), params, probes=2, generator=seeded(0)
    )
    assert mixed.error > 1e-2


def test_the_generator_decides():
    model, example = build("resnet")
    loss, params = loss_of(model, example), params_of(model)
    before = torch.get_rng_state()
    one, same, other = (
        hessian_trace(loss, params, probes=5, generator=seeded(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one.value, same.value)
    assert not torch.equal(one.value, other.value)
    assert torch.equal(torch.get_rng_state(), before)
    hessian_trace(loss, params, probes=5)
    assert not torch.equal(torch.get_rng_state(), before)  # else torch's own is drawn from


def test_a_trace_may_be_negative_and_in_float32():
    given = problem(5, 8, 4, 2)
    params = {name: value.float() for name, value in given.params.items()}

    def bent_down(p):
        return -given.loss({name: value.double() for name, value in p.items()})

    found = hessian_trace(bent_down, params)
    assert found.value.dtype == found.error.dtype == torch.float32
    assert_close(
        found.value.double(), -hessian(given.loss, given.params).trace(), rtol=1e-4, atol=0
    )
    assert found.value < 0


@pytest.mark.parametrize("probes", [0, 1, 2.0, -3])
def test_too_few_probes_for_an_error_are_refused(probes):
    given = problem(3, 4, 2)
    with pytest.raises(GaugeError, match=f"probes must be a whole number >= 2, found {probes}"):
        hessian_trace(given.loss, given.params, probes=probes)


def test_an_infinite_curvature_is_refused():
    params = {"w": torch.arange(20).double()}
    with pytest.raises(GaugeError, match="holds NaN or infinity at 'w'"):
        hessian_trace(lambda p: p["w"].pow(1.5).sum(), params)


def test_progress_is_shown_where_it_is_asked_for(capsys):
    given = problem(3, 4, 2)
    hessian_trace(given.loss, given.params)
    assert capsys.readouterr().err == ""
    hessian_trace(given.loss, given.params, progress=True)
    assert "trace: " in capsys.readouterr().err
