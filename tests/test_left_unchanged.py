"""What is handed a model leaves it as it was, whether it succeeds or fails."""

import contextlib

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from gaugelib import (
    Entry,
    GaugeError,
    GaugeFixing,
    GaugeGroup,
    functional_call,
    gradient_flow,
    hat,
    hessian,
    load_params_,
    minimum_norm_,
    mlp_group,
    params_of,
    trace_group,
    ward_residual,
)
from gaugelib.testing import assert_gauge_invariant
from gaugelib.widgets import (
    BalanceSweeps,
    ChargeMonitor,
    Majoriser,
    PhasePlane,
    RescaleNeuron,
)

# --- models that are easily left changed ---


class TwoPaths(nn.Module):
    """Each layer can be reached by two paths."""

    def __init__(self):
        super().__init__()
        self.encoder, self.head = linear(3, 3), linear(3, 3)
        self.net = nn.Sequential(self.encoder, nn.ReLU(), self.head)

    def forward(self, x):
        return self.net(x)


class Remembers(nn.Module):
    """Its forward writes attributes, containers and buffers, and tensors in place."""

    def __init__(self):
        super().__init__()
        self.layer, self.count, self.seen, self.cache = linear(3, 3), 0, [], {"inner": {}}
        self.register_buffer("mean", torch.zeros(3, dtype=torch.float64))
        self.trace = torch.zeros(3, dtype=torch.float64)

    def forward(self, x):
        self.count += 1
        self.last = x
        self.seen.append(x)
        self.cache["inner"][self.count] = {"x": x}
        self.mean = self.mean + x.mean(0).detach()
        with torch.no_grad():
            self.trace.add_(1.0)
            self.layer.weight.clamp_(-0.5, 0.5)
        self.eval()
        return self.layer(x) + self.mean


class Raises(nn.Module):
    """Fails, after it has written a buffer."""

    def __init__(self, error):
        super().__init__()
        self.first, self.norm, self.error = linear(3, 3), nn.BatchNorm1d(3).double(), error

    def forward(self, x):
        self.norm(self.first(x))
        raise self.error


class Lists(nn.Module):
    """Uses its parameters by way of a list."""

    def __init__(self):
        super().__init__()
        self.layer = linear(3, 3)
        self.both = [self.layer.weight, self.layer.bias]

    def forward(self, x):
        return nn.functional.linear(x, *self.both)


def linear(inputs, outputs):
    draw = torch.Generator().manual_seed(10 * inputs + outputs)
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs, dtype=torch.float64)
    with torch.no_grad():
        for value in layer.parameters():
            value.copy_(torch.randn(value.shape, generator=draw, dtype=torch.float64))
    return layer


def layered(*between):
    return nn.Sequential(linear(3, 3), *between, nn.ReLU(), linear(3, 3))


def tied():
    model = layered()
    model[2].weight = model[0].weight
    return model


def parametrised():
    model = layered()
    parametrizations.weight_norm(model[0])
    return model


def pruned():
    model = layered()
    prune.l1_unstructured(model[0], "weight", amount=4)
    return model


def recurrent():
    model = nn.LSTM(3, 3)
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.linspace(-1, 1, value.numel()).reshape(value.shape))
    return model.double()


MODELS = {
    "layered": layered,
    "two paths": TwoPaths,
    "tied": tied,
    "parametrised": parametrised,
    "pruned": pruned,
    "batch norm": lambda: layered(nn.BatchNorm1d(3).double()),
    "dropout": lambda: layered(nn.Dropout(0.5)),
    "list": Lists,
    "lstm": recurrent,
    "remembers": Remembers,
    "raises": lambda: Raises(ValueError("no")),
    "interrupted": lambda: Raises(KeyboardInterrupt()),
}
X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


# --- what a caller could see change ---


def fingerprint(model):
    """Identity, type and content of everything on a model, and the state of torch's generator."""
    parts = {
        path: (type(part), sorted(vars(part)), [(k, frozen(v)) for k, v in vars(part).items()])
        for path, part in model.named_modules(remove_duplicate=False)
    }
    return parts, hash(torch.get_rng_state().numpy().tobytes())


def frozen(value):
    """A description in plain Python that can be compared."""
    if isinstance(value, torch.Tensor):
        grad = None if value.grad_fn is not None or value.grad is None else frozen(value.grad)
        content = value.detach().flatten().tolist(), tuple(value.shape), value.dtype
        return id(value), type(value), value.requires_grad, grad, content
    if isinstance(value, dict):
        return id(value), [(key, frozen(held)) for key, held in value.items()]
    if isinstance(value, list | tuple):
        return id(value), [frozen(held) for held in value]
    return id(value)


def build(name):
    model = MODELS[name]()
    for value in model.parameters():
        value.grad = torch.ones_like(value)
    return model


def other(model):
    """Parameters that are not the model's."""
    return {name: 1.5 * value for name, value in params_of(model).items()}


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


def first(outputs):
    return outputs[0] if isinstance(outputs, tuple) else outputs


def with_nan(model):
    return {name: torch.full_like(value, torch.nan) for name, value in params_of(model).items()}


def optimizer_of(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


USES = {"functional_call", "ward_residual", "gradient_flow", "hessian"}
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


# --- and the outputs are those of the model at the other parameters ---

RUNNING = [name for name in MODELS if name not in ("raises", "interrupted", "dropout")]


@pytest.mark.parametrize("name", RUNNING)
def test_outputs_are_those_of_a_model_with_these_parameters(name):
    model, moved = build(name), build(name)
    with torch.no_grad():
        for value in moved.parameters():
            value.mul_(1.5)
    found = first(functional_call(model, other(model), (X,)))
    assert torch.equal(found, first(moved(X)))
    assert not torch.equal(found, first(build(name)(X)))
    assert torch.equal(first(functional_call(model, {}, X)), first(build(name)(X)))


def test_arguments_may_be_given_by_name():
    model = layered()
    by_name = functional_call(model, {}, kwargs={"input": X})
    assert torch.equal(by_name, model(X))


def test_a_tied_parameter_is_given_under_any_of_its_names():
    model, double = tied(), tied()
    with torch.no_grad():
        double[0].weight.mul_(2)
    weight = 2 * model[0].weight.detach()
    for names in (["0.weight"], ["2.weight"], ["0.weight", "2.weight"]):
        assert torch.equal(functional_call(model, dict.fromkeys(names, weight), X), double(X))


def test_the_caller_s_tensors_are_not_written_to():
    model = Remembers()
    given = {**other(model), "mean": torch.ones(3, dtype=torch.float64)}
    kept = {name: value.clone() for name, value in given.items()}
    functional_call(model, given, X)
    assert all(torch.equal(given[name], kept[name]) for name in kept)
    assert given.keys() == kept.keys()


def test_it_can_be_differentiated_and_mapped():
    model = TwoPaths()
    theta = {name: value.requires_grad_() for name, value in other(model).items()}
    slopes = torch.autograd.grad(loss_of(model)(theta), list(theta.values()))
    moved = TwoPaths()
    load_params_(moved, other(model))
    moved(X).square().mean().backward()
    for slope, value in zip(slopes, moved.parameters(), strict=True):
        torch.testing.assert_close(slope, value.grad, rtol=1e-13, atol=0)
    batch = {n: torch.stack([v, 2 * v]) for n, v in other(model).items()}
    two = torch.func.vmap(lambda theta: functional_call(model, theta, X))(batch)
    for k in range(2):
        one = functional_call(model, {n: v[k] for n, v in batch.items()}, X)
        torch.testing.assert_close(two[k], one, rtol=1e-13, atol=1e-13)


def test_what_is_not_given_keeps_its_gradient():
    model = layered()
    functional_call(model, {"0.weight": torch.ones(3, 3).double()}, X).sum().backward()
    assert model[0].weight.grad is None
    assert model[2].bias.grad.tolist() == [5.0, 5.0, 5.0]


def scripted():
    with pytest.warns(DeprecationWarning, match="script"):
        return torch.jit.script(layered())


@pytest.mark.parametrize(
    ("make", "params", "message"),
    [
        (layered, {"0.wieght": X}, r"no parameter or buffer '0\.wieght'; it has \['0\.weight', "),
        (layered, {"1.weight": X}, r"no parameter or buffer '1\.weight'"),
        (layered, {"0.bias": X}, r"'0\.bias' has shape \(3,\).*at a tensor of shape \(5, 3\)"),
        (tied, {"0.weight": X[:3], "2.weight": X[:3] + 1}, "one tensor.*give one of them"),
        (lambda: nn.DataParallel(layered()), {}, r"DataParallel .* pass its \.module"),
        (lambda: nn.Sequential(nn.LazyLinear(3)), {}, "no parameters yet; run the model once"),
        (scripted, {}, "TorchScript.*pass the Python model"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_by_name(make, params, message):
    with pytest.raises(GaugeError, match=message):
        functional_call(make(), params, X)
