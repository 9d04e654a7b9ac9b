"""Architectures, each with an example input, for the tests of the builders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Case:
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    units: int  # counted by hand
    train: bool = False


class Residual(nn.Module):
    """A stream that every block reads and adds to: its units are tied throughout."""

    def __init__(self, width=4, hidden=5, blocks=2):
        super().__init__()
        self.embed = nn.Linear(3, width)
        self.into = nn.ModuleList(nn.Linear(width, hidden) for _ in range(blocks))
        self.out = nn.ModuleList(nn.Linear(hidden, width) for _ in range(blocks))
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        x = self.embed(x)
        for into, out in zip(self.into, self.out):
            x = x + out(F.relu(into(x)))
        return self.head(x)


class NormedResidual(nn.Module):
    """Transformer-like: layer norm, widen, ReLU, narrow, add to the stream; a position bias."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(3, 4)
        self.position = nn.Parameter(torch.randn(5, 4))
        self.norm1, self.norm2 = nn.LayerNorm(4), nn.LayerNorm(4)
        self.into, self.out = nn.Linear(4, 6), nn.Linear(6, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.embed(x) + self.position
        x = x + self.out(torch.relu(self.into(self.norm1(x))))
        return self.head(self.norm2(x).mean(dim=1))


class ChannelShuffle(nn.Module):
    """Grouped and depthwise convolutions; channels are shuffled by view and transpose."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 6, 3, groups=2, padding=1)
        self.depthwise = nn.Conv2d(6, 6, 3, groups=6, padding=1)
        self.second = nn.Conv2d(6, 4, 1, groups=2)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = F.relu(self.first(x))
        b, c, h, w = x.shape
        x = x.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)
        x = F.leaky_relu(self.depthwise(x), 0.2)
        x = F.relu(self.second(x))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, norm):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=not norm)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=not norm)
        self.norm1 = nn.BatchNorm2d(outputs) if norm else nn.Identity()
        self.norm2 = nn.BatchNorm2d(outputs) if norm else nn.Identity()
        self.relu = nn.ReLU(inplace=True)
        self.down = None
        if stride != 1 or inputs != outputs:
            self.down = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x):
        y = self.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        y += x if self.down is None else self.down(x)
        return self.relu(y)


class ResNet(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, 1, 1)
        self.blocks = nn.Sequential(BasicBlock(4, 4, 1, norm), BasicBlock(4, 6, 2, norm))
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.blocks(torch.relu_(self.stem(x)))
        return self.fc(torch.flatten(x.mean((2, 3)), 1))


class DenseNet(nn.Module):
    """Every layer reads the concatenation of all before it."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(3 + 2 * k, 2, 3, padding=1) for k in range(3))
        self.transition = nn.Conv2d(9, 4, 1)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        for layer in self.layers:
            x = torch.cat([x, F.relu(layer(x))], dim=1)
        x = F.avg_pool2d(self.transition(x).clamp(min=0), 2)
        return self.head(x.amax(dim=(-2, -1)))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1 = nn.Conv2d(1, 3, 3, padding=1)
        self.down2 = nn.Conv2d(3, 5, 3, padding=1)
        self.up = nn.ConvTranspose2d(5, 3, 2, stride=2)
        self.merge = nn.Conv2d(3 + 3 + 5, 4, 3, padding=1)
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        skip = F.relu(self.down1(x))
        deep = F.relu(self.down2(F.max_pool2d(skip, 2)))
        wide = F.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=False)
        x = torch.cat([skip, F.relu(self.up(deep)), wide], dim=1)
        return self.head(F.relu(self.merge(x)))


class Maxout(nn.Module):
    """The larger of two pieces, once by view and max, once by pooling over features."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(3, 8), nn.Linear(4, 6), nn.Linear(3, 2)

    def forward(self, x):
        x = self.first(x).view(-1, 4, 2).max(dim=2).values
        x = F.max_pool1d(self.second(x).unsqueeze(1), 2).squeeze(1)
        return self.head(x)


class Mixing(nn.Module):
    """Chunks exchanged, one half reversed, tokens and channels permuted."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 6)
        self.tokens = nn.Linear(4, 4)
        self.second = nn.Linear(6, 5)
        self.head = nn.Linear(5, 2)

    def forward(self, x):
        left, right = F.relu(self.first(x)).chunk(2, dim=-1)
        x = torch.cat([right.flip(-1), left], dim=-1)
        x = x + F.relu(self.tokens(x.permute(0, 2, 1))).transpose(1, 2)
        return self.head(self.second(x).relu().mean(1))


class TiedAutoencoder(nn.Module):
    """The decoder is the transposed encoder, so W is read in both directions."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3))
        self.middle = nn.Linear(4, 5)
        self.back = nn.Linear(5, 4)
        self.bias = nn.Parameter(torch.randn(4))

    def forward(self, x):
        code = F.leaky_relu(F.linear(x, self.weight, self.bias), 0.2)
        back = self.back(F.leaky_relu(self.middle(code), 0.2))
        return F.linear(F.leaky_relu(back, 0.2), self.weight.t())


class Recurrent(nn.Module):
    """One cell applied at every step: the units are the same at every time."""

    def __init__(self):
        super().__init__()
        self.read, self.head = nn.Linear(3, 4), nn.Linear(4, 2)
        self.cell = nn.Linear(4, 4, bias=False)

    def forward(self, x):
        state = x.new_zeros(x.shape[0], 4)
        for step in range(3):
            state = F.relu(self.read(x[:, step]) + self.cell(state))
        return self.head(state)


class Attention(nn.Module):
    """Two heads: queries and keys are fixed by the softmax, values keep their scales."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.qkv, self.out, self.head = nn.Linear(4, 12), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm(x)).view(b, t, 3, 2, 2).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, c)
        return self.head(x + self.out(y))


class HandAttention(nn.Module):
    """The same with its products written out."""

    def __init__(self):
        super().__init__()
        self.query, self.key = nn.Linear(4, 4), nn.Linear(4, 4)
        self.value, self.head = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        logits = self.query(x) @ self.key(x).mT / x.shape[-1] ** 0.5
        return self.head(torch.softmax(logits, dim=-1) @ self.value(x))


class Gated(nn.Module):
    """A gate of fixed scale lets the scale of what it gates pass."""

    def __init__(self):
        super().__init__()
        self.body, self.gate, self.head = nn.Linear(3, 5), nn.Linear(3, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.head(torch.relu(self.body(x)) * torch.sigmoid(self.gate(x)))


class LayerScale(nn.Module):
    """Branches scaled by a parameter: one factor for each unit, then one for all of them."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Linear(3, 4), nn.Linear(4, 2)
        self.into, self.out, self.more = nn.Linear(4, 5), nn.Linear(5, 4), nn.Linear(4, 4)
        self.gamma, self.alpha = nn.Parameter(torch.randn(4)), nn.Parameter(torch.randn(1))

    def forward(self, x):
        x = F.relu(self.embed(x))
        x = x + self.gamma * self.out(F.relu(self.into(x)))
        return self.head(F.relu(x + self.alpha * self.more(x)))


class Matmuls(nn.Module):
    """Bare parameters on either side of a product, as vectors, and in batches."""

    def __init__(self):
        super().__init__()
        self.right, self.left = nn.Parameter(torch.randn(3, 4)), nn.Parameter(torch.randn(5, 2))
        self.bias = nn.Parameter(torch.randn(5, 1))
        self.experts = nn.Parameter(torch.randn(5, 4, 3))
        self.last = nn.Parameter(torch.randn(3))

    def forward(self, x):  # (b, 2, 3)
        x = torch.relu(x @ self.right)
        x = torch.relu(torch.matmul(self.left, x) + self.bias)  # (b, 5, 4)
        x = torch.bmm(x.transpose(0, 1), self.experts).relu_()  # (5, b, 3)
        return x.matmul(self.last).t()


class Parts(nn.Module):
    """One parameter used in slices, one token concatenated, one module used twice."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(7, 4))
        self.token = nn.Parameter(torch.randn(1, 1, 4))
        self.embed, self.twice, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(7, 2)

    def forward(self, x):  # (b, 3, 4)
        x = F.relu(self.embed(x))
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1)
        x = F.relu(self.twice(F.relu(self.twice(x))))
        y = torch.cat([F.linear(x, self.weight[:3]), x @ self.weight[3:].t()], dim=-1)
        return self.head(F.relu(y)).sum(1)


class Positions(nn.Module):
    """Table of embeddings; the input holds integers."""

    def __init__(self):
        super().__init__()
        self.table, self.fc, self.head = nn.Embedding(7, 4), nn.Linear(4, 5), nn.Linear(5, 2)

    def forward(self, x):
        return self.head(self.fc(self.table(x).relu()).relu().mean(1))


class ScaledLinear(nn.Linear):
    """A subclass with a forward of its own: it is followed, not assumed."""

    def forward(self, input):
        return F.linear(input * 0.5, self.weight, self.bias) * -2.0


def mlp(*widths, act=nn.ReLU):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs), act()]
    return nn.Sequential(*layers[:-1])


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, 2),
    )  # fmt: skip


def conv1d():
    return nn.Sequential(
        nn.Conv1d(2, 4, 3, padding=2, dilation=2), nn.ReLU(), nn.Conv1d(4, 3, 2, stride=2),
        nn.ReLU(), nn.AdaptiveMaxPool1d(2), nn.Flatten(), nn.Linear(6, 2),
    )  # fmt: skip


def conv3d():
    return nn.Sequential(
        nn.Conv3d(1, 3, 2), nn.ReLU(), nn.AvgPool3d(2), nn.ConvTranspose3d(3, 2, 2), nn.ReLU(),
        nn.Conv3d(2, 1, 1),
    )  # fmt: skip


def autoencoder():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 6, 2, groups=2), nn.ReLU(),
        nn.ConvTranspose2d(6, 4, 2, groups=2), nn.ReLU(),
        nn.ConvTranspose2d(4, 1, 3, stride=2, bias=False),
    )  # fmt: skip


def slopes():
    return nn.Sequential(
        nn.Linear(3, 4), nn.PReLU(4), nn.Linear(4, 5), nn.LeakyReLU(-0.5), nn.Linear(5, 3),
        nn.RReLU(), nn.Linear(3, 4), nn.PReLU(), nn.Linear(4, 2),
    )  # fmt: skip


def norms():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.Conv2d(4, 4, 1),
        nn.InstanceNorm2d(4, affine=True), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, 3), nn.RMSNorm(3), nn.ReLU(), nn.Linear(3, 2),
    )  # fmt: skip


def batch_normed():
    return nn.Sequential(
        nn.Conv1d(2, 4, 2), nn.BatchNorm1d(4), nn.ReLU(), nn.Flatten(), nn.Linear(12, 5),
        nn.BatchNorm1d(5, affine=False), nn.ReLU(), nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 2),
    )  # fmt: skip


def dropout():
    return nn.Sequential(
        nn.Dropout(0.1), nn.Linear(3, 6), nn.ReLU(inplace=True), nn.Dropout(0.4), nn.Linear(6, 4),
        nn.ReLU(), nn.Dropout1d(0.2), nn.Linear(4, 2),
    )  # fmt: skip


ZOO = {
    "mlp": Case(lambda: mlp(3, 5, 4, 2), (6, 3), 9),
    "deep mlp": Case(lambda: mlp(2, *[5] * 12, 1, act=lambda: nn.LeakyReLU(0.3)), (6, 2), 60),
    "cnn": Case(cnn, (2, 1, 8, 8), 3 + 4 + 5),
    "conv1d": Case(conv1d, (2, 2, 11), 4 + 3),
    "conv3d": Case(conv3d, (2, 1, 5, 5, 5), 3 + 2),
    "channel shuffle": Case(ChannelShuffle, (2, 2, 5, 5), 6 + 6 + 4),
    "autoencoder": Case(autoencoder, (2, 1, 9, 9), 4 + 6 + 4),
    "resnet": Case(lambda: ResNet(norm=False), (2, 3, 6, 6), 4 + 4 + 6 + 6),
    "resnet, batch norm": Case(lambda: ResNet(norm=True), (2, 3, 6, 6), 4 + 4 + 6 + 6),
    "densenet": Case(DenseNet, (2, 3, 6, 6), 3 * 2 + 4),
    "u-net": Case(UNet, (2, 1, 8, 8), 3 + 5 + 3 + 4),
    "maxout": Case(Maxout, (6, 3), 4 + 3),
    "slopes": Case(slopes, (6, 3), 4 + 5 + 3 + 4),
    "layer-normed residual": Case(NormedResidual, (2, 5, 3), 4 + 6 + 4),
    "mixing": Case(Mixing, (2, 4, 3), 1 + 5),
    "tied autoencoder": Case(TiedAutoencoder, (6, 3), 5),
    "recurrent": Case(Recurrent, (6, 3, 3), 4),
    "residual": Case(Residual, (6, 3), 4 + 2 * 5),
    "dropout, training": Case(dropout, (6, 3), 6 + 4, train=True),
    "batch norm, training": Case(batch_normed, (6, 2, 4), 4 + 3, train=True),
    "norms": Case(norms, (2, 2, 5, 5), 4 + 4 + 3),
    "attention": Case(Attention, (2, 3, 4), 4 + 4),
    "attention by hand": Case(HandAttention, (2, 3, 4), 4),
    "gated": Case(Gated, (6, 3), 5),
    "layer scale": Case(LayerScale, (6, 3), 4 + 5 + 4),
    "matmuls": Case(Matmuls, (3, 2, 3), 1 + 5 + 3),
    "parts": Case(Parts, (2, 3, 4), 4 + 7),
    "scaled linear": Case(
        lambda: nn.Sequential(ScaledLinear(3, 5), nn.ReLU(), ScaledLinear(5, 2)), (6, 3), 5
    ),
    "embedding": Case(Positions, (6, 3), 4 + 5),
}


def build(name: str, dtype: torch.dtype = torch.float64, seed: int = 0) -> tuple[nn.Module, Tensor]:
    """The model with random parameters and statistics, and its example."""
    draw = torch.Generator().manual_seed(seed)
    case = ZOO[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = case.make().to(dtype).train(case.train)
    with torch.no_grad():
        for norm in model.modules():
            if getattr(norm, "running_var", None) is not None:
                norm.running_mean.normal_(generator=draw)
                norm.running_var.uniform_(0.5, 2.0, generator=draw)
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=draw).to(dtype))
    if name == "embedding":
        return model, torch.randint(0, 7, case.shape, generator=draw)
    return model, torch.randn(case.shape, generator=draw, dtype=torch.float64).to(dtype)
