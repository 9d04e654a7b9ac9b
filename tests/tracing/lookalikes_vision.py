"""Small vision models, written as the published ones are: ViT, Swin, MaxViT, ConvNeXt, others."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class ViTBlock(nn.Module):
    def __init__(self, d, heads, f):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(d, eps=1e-6), nn.LayerNorm(d, eps=1e-6)
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.fc1, self.fc2 = nn.Linear(d, f), nn.Linear(f, d)

    def forward(self, x):
        batch, tokens, d = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, tokens, 3, self.heads, d // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, tokens, d)
        x = x + self.proj(y)
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class ViT(nn.Module):
    """A convolution of patches, a class token in front, learned positions."""

    def __init__(self, *, d=4, heads=2, f=6, blocks=1):
        super().__init__()
        self.patches = nn.Conv2d(2, d, kernel_size=2, stride=2)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, d))
        self.pos_embed = nn.Parameter(torch.randn(1, 5, d))
        self.blocks = nn.Sequential(*(ViTBlock(d, heads, f) for _ in range(blocks)))
        self.norm, self.head = nn.LayerNorm(d, eps=1e-6), nn.Linear(d, 2)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1)
        return self.head(self.norm(self.blocks(x + self.pos_embed))[:, 0])


def windows_of(x, size):
    batch, height, width, channels = x.shape
    x = x.view(batch, height // size, size, width // size, size, channels)
    return x.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, size * size, channels)


def back_from_windows(x, size, height, width):
    x = x.view(-1, height // size, width // size, size, size, x.shape[-1])
    return x.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, height, width, x.shape[-1])


def grid_of(x, size):
    """Tokens that lie `height // size` apart, as MaxViT's grid attention sees them."""
    batch, height, width, channels = x.shape
    x = x.view(batch, size, height // size, size, width // size, channels)
    return x.permute(0, 2, 4, 1, 3, 5).contiguous().view(-1, size * size, channels)


def back_from_grid(x, size, height, width):
    x = x.view(-1, height // size, width // size, size, size, x.shape[-1])
    return x.permute(0, 3, 1, 4, 2, 5).contiguous().view(-1, height, width, x.shape[-1])


class WindowAttention(nn.Module):
    """A table of relative positions, read through an index that is a buffer."""

    def __init__(self, d, heads, size):
        super().__init__()
        self.heads, self.scale = heads, (d // heads) ** -0.5
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.table = nn.Parameter(torch.zeros((2 * size - 1) ** 2, heads))
        grid = torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij"))
        places = torch.flatten(grid, 1)
        relative = (places[:, :, None] - places[:, None, :]).permute(1, 2, 0).contiguous()
        relative += size - 1
        relative[:, :, 0] *= 2 * size - 1
        self.register_buffer("index", relative.sum(-1))

    def forward(self, x, mask=None):
        windows, tokens, d = x.shape
        qkv = self.qkv(x).reshape(windows, tokens, 3, self.heads, d // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        scores = (q * self.scale) @ k.transpose(-2, -1)
        bias = self.table[self.index.view(-1)].view(tokens, tokens, -1)
        scores = scores + bias.permute(2, 0, 1).contiguous().unsqueeze(0)
        if mask is not None:
            count = mask.shape[0]
            scores = scores.view(windows // count, count, self.heads, tokens, tokens)
            scores = (scores + mask.unsqueeze(1).unsqueeze(0)).view(-1, self.heads, tokens, tokens)
        y = torch.softmax(scores, dim=-1) @ v
        return self.proj(y.transpose(1, 2).reshape(windows, tokens, d))


class SwinBlock(nn.Module):
    def __init__(self, d, heads, f, size, shift):
        super().__init__()
        self.size, self.shift = size, shift
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.attention = WindowAttention(d, heads, size)
        self.fc1, self.fc2 = nn.Linear(d, f), nn.Linear(f, d)

    def mask_of(self, height, width, like):
        regions, count = like.new_zeros((1, height, width, 1)), 0
        cuts = (slice(0, -self.size), slice(-self.size, -self.shift), slice(-self.shift, None))
        for rows in cuts:
            for columns in cuts:
                regions[:, rows, columns, :] = count
                count += 1
        regions = windows_of(regions, self.size).squeeze(-1)
        apart = regions.unsqueeze(1) - regions.unsqueeze(2)
        return apart.masked_fill(apart != 0, -100.0).masked_fill(apart == 0, 0.0)

    def forward(self, x):
        _, height, width, _ = x.shape
        y, mask = self.norm1(x), None
        if self.shift:
            y = torch.roll(y, shifts=(-self.shift, -self.shift), dims=(1, 2))
            mask = self.mask_of(height, width, x)
        y = self.attention(windows_of(y, self.size), mask)
        y = back_from_windows(y, self.size, height, width)
        if self.shift:
            y = torch.roll(y, shifts=(self.shift, self.shift), dims=(1, 2))
        x = x + y
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Swin(nn.Module):
    """Windows, shifted windows with a mask, and a merging of patches."""

    def __init__(self, *, d=3, heads=1, f=3, size=2):
        super().__init__()
        self.embed, self.norm = nn.Conv2d(1, d, 1), nn.LayerNorm(d)
        self.blocks = nn.ModuleList(SwinBlock(d, heads, f, size, shift) for shift in (0, 1))
        self.merge_norm = nn.LayerNorm(4 * d)
        self.reduction = nn.Linear(4 * d, 2 * d, bias=False)
        self.last_norm, self.head = nn.LayerNorm(2 * d), nn.Linear(2 * d, 3)

    def forward(self, x):
        x = self.norm(self.embed(x).permute(0, 2, 3, 1))
        for block in self.blocks:
            x = block(x)
        parts = [x[:, i::2, j::2, :] for j in (0, 1) for i in (0, 1)]
        x = self.reduction(self.merge_norm(torch.cat(parts, -1)))
        return self.head(self.last_norm(x).flatten(1, 2).mean(1))


class SqueezeExcite(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        y = F.relu(self.fc1(x.mean((2, 3), keepdim=True)))
        return x * self.fc2(y).sigmoid()


class MBConv(nn.Module):
    """Norm, widen, depthwise, squeeze and excite, narrow, add; with statistics that are stored."""

    def __init__(self, channels, inner, squeezed):
        super().__init__()
        self.pre_norm, self.expand = (
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, inner, 1, bias=False),
        )
        self.norm1 = nn.BatchNorm2d(inner)
        self.depthwise = nn.Conv2d(inner, inner, 3, padding=1, groups=inner, bias=False)
        self.norm2, self.squeeze = nn.BatchNorm2d(inner), SqueezeExcite(inner, squeezed)
        self.project = nn.Conv2d(inner, channels, 1)

    def forward(self, x):
        y = F.silu(self.norm1(self.expand(self.pre_norm(x))))
        y = self.squeeze(F.silu(self.norm2(self.depthwise(y))))
        return self.project(y) + x


class MaxViT(nn.Module):
    """One block: a convolution, attention within windows, attention across a grid."""

    def __init__(self, *, channels=3, inner=4, squeezed=2, size=2, f=3):
        super().__init__()
        self.stem, self.size = nn.Conv2d(1, channels, 1), size
        self.conv = MBConv(channels, inner, squeezed)
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(4))
        self.attentions = nn.ModuleList(WindowAttention(channels, 1, size) for _ in range(2))
        self.fc1 = nn.ModuleList(nn.Linear(channels, f) for _ in range(2))
        self.fc2 = nn.ModuleList(nn.Linear(f, channels) for _ in range(2))
        self.head = nn.Linear(channels, 3)

    def forward(self, x):
        x = self.conv(self.stem(x)).permute(0, 2, 3, 1)
        height, width = x.shape[1:3]
        for k, (cut, back) in enumerate(
            ((windows_of, back_from_windows), (grid_of, back_from_grid))
        ):
            y = self.attentions[k](cut(self.norms[2 * k](x), self.size))
            x = x + back(y, self.size, height, width)
            x = x + self.fc2[k](F.gelu(self.fc1[k](self.norms[2 * k + 1](x))))
        return self.head(x.mean((1, 2)))


class ConvNeXt(nn.Module):
    """A depthwise convolution, a norm, two pointwise layers, a factor for each channel."""

    def __init__(self, *, d=3, f=4):
        super().__init__()
        self.stem = nn.Conv2d(1, d, 1)
        self.depthwise = nn.Conv2d(d, d, 3, padding=1, groups=d)
        self.norm, self.fc1, self.fc2 = nn.LayerNorm(d, eps=1e-6), nn.Linear(d, f), nn.Linear(f, d)
        self.gamma = nn.Parameter(1e-6 * torch.ones(d))
        self.last_norm, self.head = nn.LayerNorm(d, eps=1e-6), nn.Linear(d, 2)

    def forward(self, x):
        x = self.stem(x)
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.gamma * self.fc2(F.gelu(self.fc1(y)))
        x = x + y.permute(0, 3, 1, 2)
        return self.head(self.last_norm(x.mean([-2, -1])))


class Mixer(nn.Module):
    """Tokens are mixed by one network for all channels, then channels by one for all tokens."""

    def __init__(self, *, d=3, tokens=4, token_hidden=3, f=4, act=F.relu):
        super().__init__()
        self.embed, self.act = nn.Linear(2, d), act
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(d) for _ in range(3))
        self.tokens = nn.ModuleList(
            [nn.Linear(tokens, token_hidden), nn.Linear(token_hidden, tokens)]
        )
        self.channels = nn.ModuleList([nn.Linear(d, f), nn.Linear(f, d)])
        self.head = nn.Linear(d, 2)

    def forward(self, x):
        x = self.embed(x)
        y = self.norm1(x).transpose(1, 2)
        x = x + self.tokens[1](self.act(self.tokens[0](y))).transpose(1, 2)
        x = x + self.channels[1](self.act(self.channels[0](self.norm2(x))))
        return self.head(self.norm3(x).mean(dim=1))


class StandardisedConv(nn.Conv2d):
    """The weight is normalised like a batch of its output channels, with a gain: NF-ResNet."""

    def __init__(self, inputs, outputs, size, eps=1e-6):
        super().__init__(inputs, outputs, size)
        self.gain, self.eps = nn.Parameter(torch.ones(outputs, 1, 1, 1)), eps
        self.scale = self.weight[0].numel() ** -0.5

    def forward(self, x):
        flat = self.weight.reshape(1, self.out_channels, -1)
        gain = (self.gain * self.scale).view(-1)
        weight = F.batch_norm(
            flat, None, None, weight=gain, training=True, momentum=0.0, eps=self.eps
        ).reshape_as(self.weight)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)


class NFNet(nn.Module):
    def __init__(self, *, channels=3):
        super().__init__()
        self.conv1, self.conv2 = (
            StandardisedConv(1, channels, 2),
            StandardisedConv(channels, channels, 2),
        )
        self.head = nn.Linear(channels, 2)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.head(x.mean((2, 3)))


class GatedCNN(nn.Module):
    """Gated linear units over convolutions, without a residual stream: Dauphin and others."""

    def __init__(self, *, vocabulary=5, d=3):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, d)
        self.conv1, self.conv2 = nn.Conv1d(d, 2 * d, 2), nn.Conv1d(d, 2 * d, 2)
        self.head = nn.Linear(d, 2)

    def forward(self, ids):
        x = F.pad(self.embed(ids).transpose(1, 2), (1, 0))
        x = F.glu(self.conv1(x), dim=1)
        x = F.glu(self.conv2(F.pad(x, (1, 0))), dim=1)
        return self.head(x.amax(dim=2))
