"""What is handed a model leaves it as it was, whether it succeeds or fails."""

import contextlib

import pytest
import torch
from torch import nn

from gaugelib import (
    Entry,
    GaugeError,
    GaugeFixing,
    GaugeGroup,
    functional_call,
    gradient_flow,
    hat,
    hessian,
    hessian_trace,
    load_params_,
    minimum_norm_,
    mlp_group,
    params_of,
    sharpness,
    trace_group,
    ward_residual,
)
from gaugelib.curvature import curvature_residual
from gaugelib.gauges import gauss_newton_diagonal, gradient_square, hessian_diagonal
from gaugelib.testing import assert_gauge_invariant
from gaugelib.widgets import (
    BalanceSweeps,
    ChargeMonitor,
    Majoriser,
    PhasePlane,
    RescaleNeuron,
)
from tests.fragile import MODELS, X, build, fingerprint, first, other

# --- what is handed a model ---


def some_group(model):
    """Not its gauge group: one unit, which every parameter flows into."""
    zero, one = torch.tensor(0), torch.tensor(1)
    params = params_of(model)
    entries = {name: Entry(one, zero) for name in params}
    shapes = {name: value.shape for name, value in params.items()}
    return GaugeGroup(1, {}, entries, shapes)


def loss_of(model):
    return lambda theta: first(functional_call(model, theta, (X,))).square().mean()


def outputs_of(model):
    return lambda theta, x=X: first(functional_call(model, theta, (x,)))


def with_nan(model):
    return {name: torch.full_like(value, torch.nan) for name, value in params_of(model).items()}


def optimizer_of(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


USES = {
    "functional_call",
    "ward_residual",
    "gradient_flow",
    "hessian",
    "sharpness",
    "hessian_trace",
    "curvature_residual",
    "gradient_square",
    "hessian_diagonal",
    "gauss_newton_diagonal",
}
CALLS = {
    "functional_call": lambda m: functional_call(m, other(m), (X,)),
    "functional_call, one": lambda m: functional_call(m, dict([other(m).popitem()]), X),
    "functional_call, own": lambda m: functional_call(m, dict(m.named_parameters()), X),
    "functional_call, unknown": lambda m: functional_call(m, {"nowhere.weight": X}, (X,)),
    "functional_call, slope": lambda m: torch.func.grad(loss_of(m))(params_of(m)),
    "params_of": params_of,
    "load_params_, refused": lambda m: load_params_(m, {**other(m), "nowhere": X}),
    "mlp_group": mlp_group,
    "trace_group": lambda m: trace_group(m, X),
    "assert_gauge_invariant": lambda m: assert_gauge_invariant(m, X),
    "assert_gauge_invariant, moved": lambda m: assert_gauge_invariant(m, X, group=some_group(m)),
    "ward_residual": lambda m: ward_residual(loss_of(m), params_of(m), some_group(m)),
    "ward_residual, refused": lambda m: ward_residual(loss_of(m), with_nan(m), some_group(m)),
    "gradient_flow": lambda m: gradient_flow(loss_of(m), params_of(m), until=1e-3, steps=1),
    "hessian": lambda m: hessian(loss_of(m), params_of(m)),
    "sharpness": lambda m: sharpness(loss_of(m), params_of(m)),
    "sharpness, refused": lambda m: sharpness(loss_of(m), with_nan(m)),
    "hessian_trace": lambda m: hessian_trace(loss_of(m), params_of(m)),
    "curvature_residual": lambda m: curvature_residual(loss_of(m), params_of(m), some_group(m)),
    "gradient_square": lambda m: gradient_square(lambda p, _: loss_of(m)(p), params_of(m), [0, 1]),
    "hessian_diagonal": lambda m: hessian_diagonal(loss_of(m), params_of(m)),
    "gauss_newton_diagonal": lambda m: gauss_newton_diagonal(outputs_of(m), params_of(m)),
    "gauss_newton_diagonal, each": lambda m: gauss_newton_diagonal(outputs_of(m), params_of(m), X),
    "gauss_newton_diagonal, refused": lambda m: gauss_newton_diagonal(outputs_of(m), with_nan(m)),
    "minimum_norm_, refused": lambda m: minimum_norm_(m, example=X, p=-1.0),
    "GaugeFixing": lambda m: GaugeFixing(m, optimizer_of(m), example=X),
    "GaugeFixing, refused": lambda m: GaugeFixing(m, optimizer_of(m), example=X, tol=-1.0),
    "RescaleNeuron": lambda m: RescaleNeuron.from_model(m),
    "BalanceSweeps": lambda m: BalanceSweeps.from_model(m),
    "Majoriser": lambda m: Majoriser.from_model(m),
    "PhasePlane": lambda m: PhasePlane.from_model(m),
    "ChargeMonitor": lambda m: ChargeMonitor.from_model(m, X, X),
}
OWN_USE = {name for name in CALLS if name.split(",")[0] in USES}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("call", CALLS)
def test_a_model_is_left_unchanged(call, name):
    model = build(name)
    before, generator = fingerprint(model)
    with contextlib.suppress(Exception, KeyboardInterrupt):
        CALLS[call](model)
    after, generator_after = fingerprint(model)
    assert after == before
    # Only a caller's own use of a model with dropout draws, as any call does.
    assert generator_after == generator or (name == "dropout" and call in OWN_USE)


@pytest.mark.parametrize("name", ["hat", "two paths"])
def test_control_torch_s_own_call_changes_a_module_with_two_paths(name):
    model = hat() if name == "hat" else build(name)
    before = fingerprint(model)
    torch.func.functional_call(model, other(model), (X[:, :1] if name == "hat" else X,))
    assert (fingerprint(model) == before) is (name == "hat")


@pytest.mark.parametrize("name", ["remembers", "batch norm", "dropout", "pruned"])
def test_control_a_plain_call_changes_these_models(name):
    model = build(name)
    before = fingerprint(model)
    model(X)
    assert fingerprint(model) != before


REFUSED = {name for name in CALLS if name.endswith(("refused", "unknown", "moved"))}
NARROW = {"RescaleNeuron", "Majoriser", "PhasePlane"}


@pytest.mark.parametrize("call", [name for name in CALLS if name not in NARROW])
def test_both_success_and_refusal_are_among_the_calls(call):
    if call not in REFUSED:
        CALLS[call](build("layered"))
        return
    with pytest.raises((GaugeError, AssertionError)):
        CALLS[call](build("layered"))


@pytest.mark.parametrize("call", sorted(NARROW))
def test_a_small_model_that_a_widget_shows_is_left_unchanged(call):
    thin = [nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False)]
    deep = [*thin, nn.ReLU(), nn.Linear(1, 1, bias=False)]
    models = {"PhasePlane": thin, "Majoriser": deep}
    model = nn.Sequential(*models[call]) if call in models else hat()
    with torch.no_grad():
        for value in model.parameters():
            value.fill_(2.0)
    before = fingerprint(model)
    CALLS[call](model)
    assert fingerprint(model) == before
