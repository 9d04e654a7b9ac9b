"""Every module with a rule, between two layers: what survives it, and that the function stays."""

import pytest
from torch import nn
from torch.nn.utils import parametrizations

from tests.tracing.between import survivors

KINDS = [
    nn.Tanh, nn.Sigmoid, nn.LogSigmoid, nn.GELU, nn.SiLU, nn.Mish, nn.ELU, nn.SELU, nn.CELU,
    nn.Softplus, nn.Softsign, nn.ReLU6, nn.Hardsigmoid, nn.Hardswish, nn.Tanhshrink, nn.Softshrink,
    nn.Hardshrink, nn.Softmin, nn.Softmax, nn.LogSoftmax,
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_other_modules_keep_none(kind):
    part = kind(dim=1) if "oftm" in kind.__name__ else kind()
    assert survivors(lambda m, x: m.part(x), part) == 0


PARTS = {
    "dropout 2d": (lambda m, x: m.part(x.view(-1, 8, 1, 1)), nn.Dropout2d(0.2), 8),
    "pixel unshuffle": (lambda m, x: m.part(x.view(-1, 2, 2, 2)), nn.PixelUnshuffle(2), 8),
    "channel shuffle": (lambda m, x: m.part(x.view(-1, 8, 1)), nn.ChannelShuffle(2), 8),
    "unflatten": (lambda m, x: m.part(x), nn.Unflatten(1, (2, 4)), 8),
    "zero pad": (lambda m, x: m.part(x[:, None]), nn.ZeroPad1d(2), 8),
    "pad with ones": (lambda m, x: m.part(x[:, None]), nn.ConstantPad1d(2, 1.0), 8),
    "circular pad": (lambda m, x: m.part(x[:, None]), nn.CircularPad1d(2), 8),
    "replication pad": (lambda m, x: m.part(x[:, None]), nn.ReplicationPad1d(2), 8),
    "max pool": (lambda m, x: m.part(x[:, None]), nn.MaxPool1d(2), 4),
    "max pool in steps": (lambda m, x: m.part(x[:, None]), nn.MaxPool1d(2, 3, dilation=2), 1),
    "max pool, ceil": (lambda m, x: m.part(x[:, None]), nn.MaxPool1d(3, ceil_mode=True), 1),
    "max pool with indices": (
        lambda m, x: m.part(x[:, None])[0], nn.MaxPool1d(2, return_indices=True), 4,
    ),
    "average pool 2d": (lambda m, x: m.part(x.view(-1, 1, 4, 2)), nn.AvgPool2d(2, (2, 1)), 2),
    "lp pool": (lambda m, x: m.part(x[:, None]), nn.LPPool1d(2, 2), 4),
    "adaptive with indices": (
        lambda m, x: m.part(x[:, None])[0], nn.AdaptiveMaxPool1d(3, return_indices=True), 1,
    ),
    "adaptive, one side kept": (
        lambda m, x: m.part(x.view(-1, 8, 1, 1)), nn.AdaptiveAvgPool2d((None, 3)), 8,
    ),
    "upsample": (
        lambda m, x: m.part(x.view(-1, 8, 1, 1)), nn.UpsamplingNearest2d(scale_factor=2), 8,
    ),
    "convolution, same padding": (
        lambda m, x: m.part(x[:, :, None]).relu(), nn.Conv1d(8, 4, 3, padding="same"), 8,
    ),
    "convolution, circular": (
        lambda m, x: m.part(x.view(-1, 2, 4)).relu(),
        nn.Conv1d(2, 4, 3, padding=1, padding_mode="circular"), 2,
    ),
    "unbatched convolution": (
        lambda m, x: m.part(x.t()[:, :4]).relu().t(), nn.Conv1d(8, 4, 1), 8,
    ),
    "output size": (
        lambda m, x: m.part(x[:, :, None], output_size=(4,)),
        nn.ConvTranspose1d(8, 2, 3, stride=2), 8,
    ),
    "instance norm": (lambda m, x: m.part(x.view(-1, 2, 4)), nn.InstanceNorm1d(2, affine=True), 0),
    "frozen batch norm": (lambda m, x: m.part(x), nn.BatchNorm1d(8).eval(), 0),
    "layer norm without bias": (lambda m, x: m.part(x), nn.LayerNorm(8, bias=False), 0),
    "layer norm of a grid": (lambda m, x: m.part(x.view(-1, 2, 4)), nn.LayerNorm((2, 4)), 0),
    "alpha dropout, evaluation": (lambda m, x: m.part(x), nn.AlphaDropout().eval(), 8),
    "keyword": (lambda m, x: m.part(input=x), nn.Linear(8, 3), 8),
    "threshold": (lambda m, x: m.part(x), nn.Threshold(0.1, 0.2), 0),
    "response norm": (
        lambda m, x: m.part(x.view(-1, 8, 1, 1)), nn.LocalResponseNorm(3), 0,
    ),
    "softmax of channels": (lambda m, x: m.part(x.view(-1, 8, 1, 1)), nn.Softmax2d(), 0),
    "similarity": (lambda m, x: m.part(x, m.mask)[:, None], nn.CosineSimilarity(), 0),
    "gated linear unit": (lambda m, x: m.part(x), nn.GLU(), 4),
    "bilinear": (lambda m, x: m.part(x[:, :4], x[:, 4:]).relu(), nn.Bilinear(4, 4, 3), 8),
    "unfold": (lambda m, x: m.part(x.view(-1, 2, 4, 1)).relu(), nn.Unfold((2, 1)), 8),
    "layer norm without eps": (lambda m, x: m.part(x), nn.LayerNorm(8, eps=0.0), 1),
    "rms norm": (lambda m, x: m.part(x), nn.RMSNorm(8), 0),
    "attention over tokens": (
        lambda m, x: m.part(*3 * (x.view(-1, 2, 4),))[0], nn.MultiheadAttention(4, 2), 4,
    ),
    "one long short-term memory": (lambda m, x: m.part(x[:, None])[0], nn.LSTM(8, 3), 8),
    "gated recurrent unit": (lambda m, x: m.part(x[:, None])[0], nn.GRU(8, 3), 8),
    "recurrent relu": (
        lambda m, x: m.part(x[:, None])[0], nn.RNN(8, 3, nonlinearity="relu"), 8,
    ),
    "normalised weights": (
        lambda m, x: m.part(x).relu(), parametrizations.weight_norm(nn.Linear(8, 3)), 1,
    ),
    "orthogonal weights": (
        lambda m, x: m.part(x).relu(), parametrizations.orthogonal(nn.Linear(8, 8)), 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_module_keeps_the_function_in_place_and_the_units_it_can(name):
    function, part, units = PARTS[name]
    assert survivors(function, part) == units
