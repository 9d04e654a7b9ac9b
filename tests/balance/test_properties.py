"""Whatever the network: an end, an honest verdict, the same function, a norm that never rose."""

import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch.testing import assert_close

from gaugelib import minimum_norm, rescale
from tests.balance.networks import (
    UNEVEN_CHAIN,
    UNEVEN_NETWORK,
    initialised,
    layered,
    multilayer,
)
from tests.balance.newton import imbalance_of, newton

TOL = {torch.float64: 1e-9, torch.float32: 1e-6}


def drawn(widths, seed, log_std, density, bias, moved, dtype):
    """A network from numbers alone, so that an example can be written down: see `made`."""
    params, group = initialised(widths, seed=seed, log_std=log_std, density=density, bias=bias)
    if moved is not None:
        noise = torch.Generator().manual_seed(moved)
        params = rescale(params, group.random(generator=noise, log_std=3.0), group)
    params = {name: value.to(dtype) for name, value in params.items()}
    return params, group, multilayer(widths, bias=bias), dtype


def made(matrices):
    """A network as `drawn` gives it, from its matrices."""
    widths = [len(matrices[0][0]), *map(len, matrices)]
    return *layered(*matrices), multilayer(widths), torch.float64


def networks(dtypes=(torch.float64, torch.float32)):
    """Widths and depths from nothing to eight layers; dead units, tails, biases, dtypes."""
    return st.builds(
        drawn,
        widths=st.lists(st.integers(1, 7), min_size=2, max_size=9),
        seed=st.integers(0, 100_000),
        log_std=st.sampled_from([0.0, 0.0, 1.0, 3.0]),
        density=st.sampled_from([1.0, 1.0, 0.7, 0.3]),
        bias=st.booleans(),
        moved=st.none() | st.integers(0, 100_000),
        dtype=st.sampled_from(dtypes),
    )


exponents = st.sampled_from([0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 8.0])
methods = st.sampled_from(["two-level", "two-level", "alternating", "doubled", "algorithm-1"])


def live(found, group):
    mask = torch.ones(group.units, dtype=torch.bool)
    mask[found.dead] = False
    return mask


@given(network=networks(), p=exponents, method=methods, include_bias=st.booleans())
def test_every_network_is_brought_to_an_honest_end(network, p, method, include_bias):
    params, group, model, dtype = network
    given_ = {name: value.clone() for name, value in params.items()}
    tol = TOL[dtype]
    found = minimum_norm(
        params, group, p=p, tol=tol, method=method, include_bias=include_bias, max_passes=300
    )
    assert found.passes <= 301
    for name, value in params.items():
        assert torch.equal(value, given_[name])
        assert found.params[name].dtype == dtype
        assert found.params[name].isfinite().all()
    kept = live(found, group)
    assert (found.scales[~kept] == 1.0).all()
    assert (found.scales > 0).all()

    measured = imbalance_of(found.params, group, p, include_bias)[kept]
    worst = measured.max().item() if len(measured) else 0.0
    assert_close(found.imbalance, worst, rtol=1e-3, atol=1e-10)
    if method != "algorithm-1":
        assert found.converged == (found.imbalance < tol)
    objective = found.history.objective
    slack = 1e-6 if dtype == torch.float32 else 1e-13
    assert (objective[1:] <= objective[:-1] * (1 + slack)).all()

    x = torch.randn(9, model[0].in_features, generator=torch.Generator().manual_seed(0)).double()
    wide = ({n: v.double() for n, v in p.items()} for p in (params, found.params))
    before, after = (torch.func.functional_call(model, weights, x) for weights in wide)
    size = before.abs().max().clamp(min=1e-300)
    assert (before - after).abs().max() / size < (1e-4 if dtype == torch.float32 else 1e-10)


@given(network=networks(dtypes=(torch.float64,)), p=exponents, include_bias=st.booleans())
@example(network=made(UNEVEN_CHAIN), p=3.0, include_bias=False)
@example(network=made(UNEVEN_NETWORK), p=8.0, include_bias=False)
def test_two_levels_always_converge_and_to_newtons_minimum(network, p, include_bias):
    params, group, *_ = network
    found = minimum_norm(params, group, p=p, tol=1e-11, include_bias=include_bias, max_passes=3000)
    assert found.converged
    expected = newton(params, group, p, include_bias, dead=found.dead)
    assert_close(found.scales.log(), expected, rtol=1e-6, atol=1e-6 / p)


@given(network=networks(), p=exponents)
def test_powers_of_two_never_change_a_mantissa(network, p):
    params, group, *_ = network
    found = minimum_norm(params, group, p=p, exact=True)
    for name, value in params.items():
        before, after = torch.frexp(value)[0], torch.frexp(found.params[name])[0]
        assert torch.equal(before, after)
