"""Networks to balance: the paper's three, deep and narrow ones, and wirings other than a chain."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from gaugelib import GaugeGroup, mlp_group

FIGURE_2 = (
    (200, 2500, 1250, 10),
    (200, 2000, 1000, 500, 250, 10),
    (200, 1000, 750, 750, 500, 500, 250, 10),  # the widths of the published version: 3750 units
)
DEEP = (64,) * 101


def multilayer(widths, *, bias: bool = False, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out, bias=bias, dtype=dtype), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def initialised(
    widths, *, seed: int = 0, log_std: float = 0.0, bias: bool = False, density: float = 1.0
) -> tuple[dict[str, Tensor], GaugeGroup]:
    """He-initialised weights, perhaps sparse, perhaps times log-normal numbers."""
    model = multilayer(widths, bias=bias)
    draw = torch.Generator().manual_seed(seed)
    params = {}
    for name, value in model.named_parameters():
        fan_in = value.shape[-1]
        noise = torch.randn(value.shape, generator=draw, dtype=torch.float64)
        tail = torch.randn(value.shape, generator=draw, dtype=torch.float64).mul(log_std).exp()
        kept = torch.rand(value.shape, generator=draw, dtype=torch.float64) < density
        params[name] = noise * (2 / fan_in) ** 0.5 * tail * kept
    return params, mlp_group(model)


def chain(*weights: float) -> tuple[dict[str, Tensor], GaugeGroup]:
    """One unit in each layer."""
    return layered(*([[weight]] for weight in weights))


def layered(*matrices: list[list[float]]) -> tuple[dict[str, Tensor], GaugeGroup]:
    """A network without biases from its matrices, rows of numbers."""
    weights = [torch.tensor(matrix, dtype=torch.float64) for matrix in matrices]
    model = multilayer((weights[0].shape[1], *(len(weight) for weight in weights)))
    names = [name for name, _ in model.named_parameters()]
    return dict(zip(names, weights, strict=True)), mlp_group(model)


# Two networks on which Newton's method for the norm itself fails. The flows of the first are 0.04,
# 2e-6, 1e15 and 6e-9: its Laplacian is singular in float64. With the second it does not end.
UNEVEN_CHAIN = [[[0.3556]], [[0.0122]], [[106812.2752]], [[-0.0018]]]  # p = 3
UNEVEN_NETWORK = [  # p = 8
    [[0.3556]],
    [[0.0122]],
    [[106812.2752]],
    [[-0.0017], [0.0017]],
    [[-0.7759, 1.2873], [9.4838, 140.2778]],
    [[-0.8564, -0.0659]],
]


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 5)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 5, bias=False)) for _ in range(3)
        )
        self.last = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = x + block(torch.relu(x))
        return self.last(torch.relu(x))


class Dense(nn.Module):
    """Every layer reads all that came before it, by concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(n, 5) for n in (4, 5, 10, 15))
        self.last = nn.Linear(20, 3)

    def forward(self, x: Tensor) -> Tensor:
        seen = [torch.relu(self.layers[0](x))]
        for layer in self.layers[1:]:
            seen.append(torch.relu(layer(torch.cat(seen, dim=1))))
        return self.last(torch.cat(seen, dim=1))


class Tied(nn.Module):
    """One matrix used twice: its units carry the same scale before, between and after."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.shared, self.last = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        for _ in range(2):
            x = torch.relu(self.shared(x))
        return self.last(x)


class Convolutional(nn.Module):
    """Grouped, depthwise, transposed and flattened: matrices, single edges and repeated columns."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(2, 4, 3)
        self.grouped = nn.Conv2d(4, 8, 3, groups=2)
        self.depthwise = nn.Conv2d(8, 8, 3, groups=8, padding=1)
        self.transposed = nn.ConvTranspose2d(8, 6, 2)
        self.hidden = nn.Linear(6 * 9, 5)
        self.last = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.one, self.grouped, self.depthwise, self.transposed):
            x = torch.relu(layer(x))
        return self.last(torch.relu(self.hidden(x.flatten(1))))


WIRINGS = {
    "residual": (Residual, (2, 4)),
    "dense": (Dense, (2, 4)),
    "tied": (Tied, (2, 4)),
    "convolutional": (Convolutional, (2, 2, 6, 6)),
}


def wired(name: str, seed: int = 0) -> tuple[nn.Module, Tensor]:
    """A model of one of the wirings, in float64, and an example for it."""
    build, shape = WIRINGS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build().double(), torch.randn(shape, dtype=torch.float64)
