"""Models that are easily left changed, and all that a caller could see change on them."""

import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from gaugelib import params_of


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


def first(outputs):
    """The output, or the first of several."""
    return outputs[0] if isinstance(outputs, tuple) else outputs
