"""The networks that are equalised, in plain torch: the peers' environments have no gaugelib.

Each is a valid model of a few layers, and most have something in them that a rescaling has to see.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

SIZE, CHANNELS, WIDTH, CLASSES = 8, 8, 32, 10


class Dense(nn.Module):
    """Fully connected, with a function after the first ReLU."""

    def __init__(
        self, inputs: int, outputs: int, between: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        super().__init__()
        self.first, self.one = nn.Linear(inputs, WIDTH), nn.ReLU()
        self.second, self.two = nn.Linear(WIDTH, WIDTH), nn.ReLU()
        self.last = nn.Linear(WIDTH, outputs)
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of a batch of vectors."""
        h = self.one(self.first(x))
        return self.last(self.two(self.second(self.between(h) if self.between else h)))


class Offset(Dense):
    """A learned vector is added to what the first ReLU gives."""

    def __init__(self) -> None:
        super().__init__(SIZE * SIZE, CLASSES)
        self.offset = nn.Parameter(torch.linspace(0.1, 1.0, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of a batch of vectors."""
        return self.last(self.two(self.second(self.one(self.first(x)) + self.offset)))


class Twice(Dense):
    """The second layer is applied twice."""

    def __init__(self) -> None:
        super().__init__(SIZE * SIZE, CLASSES)
        self.again = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of a batch of vectors."""
        h = self.two(self.second(self.one(self.first(x))))
        return self.last(self.again(self.second(h)))


class Convolutional(nn.Module):
    """Two convolutions with zero padding and a linear layer."""

    def __init__(self, act: Callable[[], nn.Module] = nn.ReLU, *, norm: bool = False) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, CHANNELS, 3, padding=1)
        self.norm = nn.BatchNorm2d(CHANNELS) if norm else nn.Identity()
        self.one, self.two = act(), act()
        self.second = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.last = nn.Linear(CHANNELS * SIZE * SIZE, CLASSES)
        if norm:  # channels that are far from the kink, as trained networks have some
            nn.init.constant_(self.norm.bias, 2.0)
            nn.init.constant_(self.norm.weight, 0.3)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of a batch of images."""
        h = self.one(self.norm(self.first(x)))
        return self.last(self.two(self.second(h)).flatten(1))


class Features(Convolutional):
    """What the first ReLU gives is returned as well."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs of a batch of images, and their features."""
        h = self.one(self.first(x))
        return self.last(self.two(self.second(h)).flatten(1)), h


class Residual(nn.Module):
    """A convolution, a block with a shortcut, a linear layer; each convolution normalised."""

    def __init__(self) -> None:
        super().__init__()
        for k in range(3):
            conv = nn.Conv2d(CHANNELS if k else 1, CHANNELS, 3, padding=1)
            self.add_module(f"conv{k}", conv)
            self.add_module(f"norm{k}", nn.BatchNorm2d(CHANNELS))
            self.add_module(f"relu{k}", nn.ReLU())
        self.last = nn.Linear(CHANNELS * SIZE * SIZE, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs of a batch of images."""
        x = self.relu0(self.norm0(self.conv0(x)))
        h = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        return self.last(self.relu2(x + h).flatten(1))


class Proposals(nn.Module):
    """MTCNN's first network (Zhang et al. 2016): is there a face, and where."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.pool1 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1, self.conv4_2 = nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and offsets of a box, at each place of a batch of images."""
        x = self.pool1(self.prelu1(self.conv1(x)))
        x = self.prelu3(self.conv3(self.prelu2(self.conv2(x))))
        return self.conv4_1(x), self.conv4_2(x)


def chain(widths: list[int], *, convolved: bool) -> nn.Sequential:
    """Layers one after the other, with ReLU between: linear ones, or convolutions of one pixel."""
    parts: dict[str, nn.Module] = {}
    for k, (m, n) in enumerate(pairwise(widths)):
        if k:
            parts[f"relu{k}"] = nn.ReLU()
        parts[f"layer{k}"] = nn.Conv2d(m, n, 1) if convolved else nn.Linear(m, n)
    return nn.Sequential(OrderedDict(parts))


PIXELS = SIZE * SIZE
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "mlp": lambda: Dense(PIXELS, CLASSES),
    "mlp, another gauge": lambda: Dense(PIXELS, CLASSES),
    "one input": lambda: Dense(1, 1),
    "one layer twice": Twice,
    "relu(x) + 1": lambda: Dense(PIXELS, CLASSES, lambda h: h + 1.0),
    "relu(x) + c": Offset,
    "relu(x) * relu(x)": lambda: Dense(PIXELS, CLASSES, lambda h: h * h),
    "convolutions": Convolutional,
    "features returned": Features,
    "PReLU": lambda: Convolutional(lambda: nn.PReLU(CHANNELS)),
    "padding, normalised": lambda: Convolutional(norm=True),
    "residual, normalised": Residual,
    "MTCNN P-Net": Proposals,
}
# Neighbours with nothing but a piecewise linear function between them, for who wants a list.
PAIRS = {
    **{name: [("first", "second"), ("second", "last")] for name in list(NETWORKS)[:6]},
    **{name: [("first", "second")] for name in list(NETWORKS)[7:11]},
    "relu(x) * relu(x)": [("second", "last")],
    "residual, normalised": [("conv1", "conv2")],
    "MTCNN P-Net": [("conv1", "conv2"), ("conv2", "conv3")],
}
CONVOLVED = ", as convolutions of one pixel"


def made(name: str) -> nn.Module:
    """A network of the list, or a chain that is named by its widths."""
    if name in NETWORKS:
        return NETWORKS[name]()
    widths = name.removesuffix(CONVOLVED).split("-")
    return chain([int(n) for n in widths], convolved=name.endswith(CONVOLVED))


def pairs(name: str) -> list[tuple[str, str]]:
    """The pairs of neighbours of a network."""
    if name in PAIRS:
        return PAIRS[name]
    return [(f"layer{k - 1}", f"layer{k}") for k in range(1, name.count("-"))]


@torch.no_grad()
def fold_(model: nn.Module) -> nn.Module:
    """The model with each normalisation written into the convolution before it."""
    names = [name for name, part in model.named_children() if isinstance(part, nn.BatchNorm2d)]
    for name in names:
        norm, conv = getattr(model, name), getattr(model, name.replace("norm", "conv"), None)
        conv = conv if conv is not None else model.first
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        conv.weight.mul_(factor[:, None, None, None])
        conv.bias.copy_((conv.bias - norm.running_mean) * factor + norm.bias)
        setattr(model, name, nn.Identity())
    return model


def load(name: str, weights: dict[str, Tensor], *, folded: bool) -> nn.Module:
    """A network with these weights, in float64, normalisations written into convolutions or not."""
    model = made(name).double()
    if not any("running_mean" in key for key in weights):
        fold_(model)
    model.load_state_dict(weights)
    return (fold_(model) if folded else model).eval()
