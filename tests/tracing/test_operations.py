"""Every operation with a rule, between two layers: what survives, and the function stays."""

import operator

import pytest
import torch
import torch.nn.functional as F

from gaugelib import GaugeError, trace_group
from gaugelib.testing import assert_gauge_invariant
from gaugelib.tracing.rules import RULES
from tests.tracing.between import WIDTH, Between, survivors


def _tokens(x):
    """The units as two tokens of four channels, each channel of one scale."""
    return x.view(-1, 2, 4)


def _zeroed(copy):
    copy[2:4].zero_()
    return copy


CASES = {
    "relu_": (lambda m, x: x.relu_(), 8),
    "F.relu in place": (lambda m, x: F.relu(x, inplace=True), 8),
    "leaky_relu_": (lambda m, x: F.leaky_relu_(x, 0.3), 8),
    "neg_ of a view": (lambda m, x: (x[:, 2:].neg_(), x)[1], 8),
    "clamp(min=0)": (lambda m, x: x.clamp(min=0), 8),
    "clamp_min_": (lambda m, x: x.clamp_min_(0.0), 8),
    "clamp_min": (lambda m, x: x.clamp_min(0.0), 8),
    "threshold at zero": (lambda m, x: F.threshold(x, 0.0, 0.0), 8),
    "clip to zero from above": (lambda m, x: torch.clip(x, max=0), 8),
    "rrelu in evaluation": (lambda m, x: F.rrelu(x), 8),
    "prelu": (lambda m, x: F.prelu(x, m.row), 8),
    "one slope": (lambda m, x: F.prelu(x, m.scalar), 8),
    "times a number": (lambda m, x: 3 * x / -7.0 * 0.5, 8),
    "mul_, div_": (lambda m, x: x.mul_(2).div_(3), 8),
    "+=, *=": (lambda m, x: operator.imul(operator.iadd(x, 0), 2), 8),
    "plus zero": (lambda m, x: 0.0 + x - 0, 8),
    "where": (lambda m, x: torch.where(x > 0, x, 0.1 * x), 8),
    "where zero": (lambda m, x: torch.where(x >= 0, x, 0.0), 8),
    "where as a method": (lambda m, x: x.where(x > 0, 0.0), 8),
    "masked_fill": (lambda m, x: x.masked_fill(x < 0, 0.0), 8),
    "times its own sign": (lambda m, x: x * (x > 0), 8),
    "compared with zeros": (lambda m, x: torch.maximum(x, torch.zeros(WIDTH).double()), 8),
    "maximum with zeros_like": (lambda m, x: torch.maximum(x, torch.zeros_like(x)), 8),
    "fixed mask": (lambda m, x: x * m.mask, 8),
    "counted factors": (lambda m, x: x * torch.arange(x.shape[1]), 8),
    "divided by a buffer": (lambda m, x: x / (m.mask + 3), 8),
    "gate of fixed scale": (lambda m, x: x * torch.sigmoid(m.mask), 8),
    "bias": (lambda m, x: F.relu(x + m.row), 8),
    "minus a bias, in place": (lambda m, x: F.relu(x.sub_(m.row)), 8),
    "copy of a bias, zeros in places": (lambda m, x: F.relu(x + _zeroed(m.row.clone())), 8),
    "copy of a gamma, zeros in places": (lambda m, x: F.relu(x * _zeroed(m.row.clone())), 8),
    "gamma": (lambda m, x: F.relu(x * m.row), 8),
    "gamma in place": (lambda m, x: F.relu(x.mul_(m.row)), 8),
    "scalar factor": (lambda m, x: F.relu(m.scalar * x), 8),
    "matmul": (lambda m, x: F.relu(x @ m.square), 8),
    "transposed": (lambda m, x: F.relu(torch.mm(x, m.square.t())), 8),
    "mv": (lambda m, x: F.relu(torch.mv(x, m.row)).unsqueeze(1), 8),
    "reduced to float32 weights": (lambda m, x: F.linear(x, m.square.view(8, 8), m.row[:]), 8),
    "layer norm function": (lambda m, x: F.layer_norm(x, (8,), m.row, m.row), 0),
    "group norm function": (lambda m, x: F.group_norm(x, 2, m.row, m.row), 0),
    # structure
    "index by a buffer": (lambda m, x: x[:, m.order], 8),
    "index_select": (lambda m, x: x.index_select(1, m.order), 8),
    "every other": (lambda m, x: x[..., ::2], 8),
    "strange view": (lambda m, x: x.view(-1, 2, 4).transpose(1, 2).reshape(x.size(0), -1), 8),
    "unflatten": (lambda m, x: x.unflatten(1, (2, 4)).movedim(2, 1).flatten(1), 8),
    "split, stack": (lambda m, x: torch.stack(x.split(4, dim=1), dim=2).flatten(1), 8),
    "unbind, cat": (lambda m, x: torch.stack([x.unbind(1)[k] for k in (7, 0, 3)], 1), 8),
    "tensor_split": (lambda m, x: torch.hstack(x.tensor_split(3, dim=1)[::-1]), 8),
    "roll, flip": (lambda m, x: x.roll(3, 1).flip(1), 8),
    "repeat, expand": (lambda m, x: x[:, None].expand(-1, 3, -1).repeat(1, 2, 1), 8),
    "tile": (lambda m, x: torch.tile(x, (1, 2)), 8),
    "swapaxes, squeeze": (lambda m, x: x.unsqueeze(1).swapaxes(1, 2).squeeze(2), 8),
    "clone, detach, data": (lambda m, x: x.clone().detach().contiguous().data, 8),
    "T": (lambda m, x: x.T.mT, 8),
    "pixel_shuffle": (lambda m, x: F.pixel_shuffle(x.view(-1, 8, 1, 1), 2), 8),
    "pad": (lambda m, x: F.pad(x, (2, 1)), 8),
    "pad, then average": (lambda m, x: F.avg_pool1d(F.pad(x[:, None], (1, 1)), 5), 2),
    "reflect": (lambda m, x: F.pad(x[:, None], (2, 1), mode="reflect"), 8),
    "crop": (lambda m, x: F.pad(x, (-1, -1)), 8),
    "narrow": (lambda m, x: x.narrow(1, 1, 3), 8),
    "asserted shape": (lambda m, x: (torch._assert(x.shape[1] == 8, "width"), x)[1], 8),
    "view_as": (lambda m, x: x.view_as(x.t().contiguous()).reshape_as(x), 8),
    "broadcast_to": (lambda m, x: x.broadcast_to(2, x.shape[0], 8)[1], 8),
    "new zeros": (lambda m, x: torch.cat([x, x.new_zeros(x.shape[0], 2)], dim=1), 8),
    # ties
    "pairs": (lambda m, x: x[:, :4] + x[:, 4:], 4),
    "pairs in place": (lambda m, x: x[:, :4].add_(x[:, 4:]), 4),
    "pairs, seen through the whole": (lambda m, x: (x[:, :4].add_(x[:, 4:]), x)[1], 4),
    "pairs by -=": (lambda m, x: operator.isub(x[:, :4], x[:, 4:]), 4),
    "maxout": (lambda m, x: x.view(-1, 4, 2).max(-1)[0], 4),
    "minout": (lambda m, x: x.view(-1, 4, 2).amin(dim=-1), 4),
    "maximum": (lambda m, x: torch.maximum(x[:, :4], x[:, 4:]), 4),
    "max of two": (lambda m, x: torch.max(x[:, :4], x[:, 4:]), 4),
    "compared": (lambda m, x: x[:, :4] * (x[:, :4] > x[:, 4:]), 4),
    "mean over all": (lambda m, x: x - x.mean(1, keepdim=True), 1),
    "sum over axis": (lambda m, x: x.sum(axis=1, keepdim=True), 1),
    "fixed mixing": (lambda m, x: x @ torch.ones(8, 3, dtype=torch.float64), 1),
    "fixed linear": (lambda m, x: F.linear(x, m.mask[None], m.mean[:1]), 0),
    "fixed transposed convolution": (
        lambda m, x: F.conv_transpose1d(x[:, None], m.mask[None, None]), 1,
    ),
    "fixed convolution": (lambda m, x: F.conv1d(x[:, None], m.mask.view(1, 1, 8)), 1),
    "one factor, two scales": (lambda m, x: x.view(-1, 2, 4) * m.row[:4], 8),
    "one bias, two scales": (lambda m, x: x.view(-1, 2, 4) + m.row[:4], 4),
    "lp_pool": (lambda m, x: F.lp_pool1d(x[:, None].abs(), 2, 2), 4),
    "overlapping windows": (lambda m, x: F.max_pool1d(x[:, None], 3, 1), 1),
    "windows with gaps": (lambda m, x: F.max_pool1d(x[:, None], 2, 3), 3 + 2),
    "dilated windows": (lambda m, x: F.max_pool1d(x[:, None], 2, 3, dilation=2), 1),
    "padded windows": (lambda m, x: F.avg_pool1d(x[:, None], 2, 2, padding=1), 1),
    "adaptive": (lambda m, x: F.adaptive_avg_pool1d(x[:, None], 4), 1),
    "upsampled": (lambda m, x: F.interpolate(x[:, :, None], scale_factor=3), 8),
    "upsampled along units": (lambda m, x: F.interpolate(x[:, None], scale_factor=2.0), 1),
    "pooled with indices": (lambda m, x: F.max_pool1d(x[:, None], 2, return_indices=True)[0], 4),
    "running sums": (lambda m, x: x.cumsum(1), 1),
    "running sums of each unit": (lambda m, x: torch.cumsum(x, dim=0), 8),
    "sorted": (lambda m, x: x.sort(1, descending=True).values, 1),
    "each unit sorted": (lambda m, x: torch.sort(x, 0)[0], 8),
    "the largest three": (lambda m, x: x.topk(3, 1).values, 1),
    "the largest of each unit": (lambda m, x: torch.topk(x, k=2, dim=0).values, 8),
    "divided by its own norm": (lambda m, x: x / x.norm(dim=1, keepdim=True), 1),
    "divided by its own total": (lambda m, x: x / x.abs().sum(1, keepdim=True), 1),
    "divided by itself": (lambda m, x: x.abs() / x, 8),
    "sign": (lambda m, x: x.sign(), 8),
    # degrees, products and quotients
    "square": (lambda m, x: x.square(), 8),
    "relu squared": (lambda m, x: x.relu() ** 2, 8),
    "cube in place": (lambda m, x: x.pow_(3), 8),
    "square root": (lambda m, x: x.abs().sqrt(), 8),
    "inverse square root": (lambda m, x: x.abs().rsqrt(), 8),
    "reciprocal": (lambda m, x: x.reciprocal(), 8),
    "one over": (lambda m, x: 1 / x, 8),
    "square by product": (lambda m, x: x * x, 8),
    "a degree and its root": (lambda m, x: (x**2 + x * x.abs()).abs().sqrt(), 8),
    "a square and the entries": (lambda m, x: x**2 + x, 0),
    "halves multiplied": (lambda m, x: x[:, :4] * x[:, 4:], 8),
    "halves multiplied and one added": (lambda m, x: x[:, :4] * x[:, 4:] + x[:, :4], 4),
    "halves multiplied and both added": (lambda m, x: x[:, :4] * x[:, 4:] + x[:, :4] + x[:, 4:], 0),
    "quotient": (lambda m, x: x[:, :4] / x[:, 4:], 8),
    "quotient and one": (lambda m, x: x[:, :4] / x[:, 4:] + 1, 4),
    "addcmul": (lambda m, x: torch.addcmul(x[:, :2], x[:, 2:4], x[:, 4:6]), 2 + 2 + 2),
    "addcdiv": (lambda m, x: torch.addcdiv(x[:, :2], x[:, 2:4], x[:, 4:6]), 2 + 2 + 2),
    "variance": (lambda m, x: x.var(1, keepdim=True), 1),
    "divided by the deviation": (lambda m, x: x / x.std(1, keepdim=True), 1),
    "divided by the root of the variance": (lambda m, x: x / x.var(1, keepdim=True).sqrt(), 1),
    "linear attention of tokens": (lambda m, x: _tokens(x) @ (_tokens(x).mT @ _tokens(x)), 1),
    "scores": (lambda m, x: (x.view(-1, 2, 4) @ x.view(-1, 2, 4).mT), 2),
    "outer product": (lambda m, x: torch.einsum("bi,bj->bij", x[:, :4], x[:, 4:]), 8),
    "einsum": (lambda m, x: torch.einsum("bi,ij->bj", x, m.square).relu(), 8),
    "addmm": (lambda m, x: torch.addmm(m.row, x, m.square).relu(), 8),
    "addmm without its term": (lambda m, x: torch.addmm(m.row.exp(), x, m.square, beta=0), 8),
    "bilinear": (lambda m, x: F.bilinear(x[:, :4], x[:, 4:], m.square.view(4, 4, 4)).relu(), 8),
    "a linear map that is computed": (
        lambda m, x: torch.bmm(x[:, :6].view(-1, 3, 2), x[:, 6:, None]).squeeze(2), 3 + 2,
    ),
    "half times sigmoid of half": (lambda m, x: F.glu(x, 1), 4),
    # functions of parameters alone
    "a parameter, doubled": (lambda m, x: (x @ (2 * m.square)).relu(), 8),
    "its absolute value": (lambda m, x: x @ m.square.abs(), 8),
    "its square": (lambda m, x: x @ m.square.square(), 8),
    "masked": (lambda m, x: x @ (m.square * m.mask), 8),
    "its rows exchanged": (lambda m, x: x @ m.square.flip(0)[m.order], 8),
    "product of two": (lambda m, x: x @ (m.square * m.row), 8),
    "matrix product of two": (lambda m, x: x @ (m.square @ m.square), 8),
    "sum with its transpose": (lambda m, x: x @ (m.square + m.square.t()), 8),
    "divided by its norms": (lambda m, x: x @ (m.square / m.square.norm(dim=0)), 1),
    "concatenated with itself": (lambda m, x: x @ torch.cat([m.square, m.square], 1), 8),
    "division by a parameter": (lambda m, x: (x / m.row).relu(), 8),
    "clamped to a parameter": (lambda m, x: x.clamp(min=m.row), 8),
    "times its mean": (lambda m, x: x * m.square.mean(), 8),
    "softplus of it": (lambda m, x: x @ F.softplus(m.square), 1),
    "exponential of it": (lambda m, x: x * m.row.exp(), 8),
    "as integers": (lambda m, x: x * m.square.long()[0], 8),
    # entries written
    "item assignment": (lambda m, x: (x.__setitem__((slice(None), 0), 1.0), x)[1], 8),
    "one unit onto another": (lambda m, x: (x.__setitem__((..., 0), x[:, 1]), x)[1], 8),
    "copied over": (lambda m, x: x.copy_(x.flip(1)), 8),
    "zeroed": (lambda m, x: torch.cat([x[:, :4].zero_(), x[:, 4:]], 1), 8),
    "added at places": (lambda m, x: torch.zeros_like(x).index_add(1, m.order // 2, x), 4),
    "scattered": (lambda m, x: torch.zeros_like(x).scatter(1, m.order.expand_as(x), x), 8),
    "upper triangle": (lambda m, x: x.triu(), 8),
    "assigned at places": (
        lambda m, x: (x.__setitem__((slice(None), m.order[:2]), x[:, 4:6]), x)[1], 8,
    ),
    "between two": (lambda m, x: torch.lerp(x[:, :4], x[:, 4:], 0.3), 4),
    "sampled": (
        lambda m, x: F.grid_sample(
            x.view(1, 4, -1, 2), m.mask.view(1, 2, 2, 2), align_corners=False
        ).view(4, 4), 1,
    ),
    # as other devices have them
    "dropout, fused": (lambda m, x: torch.native_dropout(x, 0.2, True)[0], 8),
    "norm, as an operation": (
        lambda m, x: x / torch.ops.aten.norm.ScalarOpt_dim(x, 2, [1], True), 1,
    ),
    "norm of degree zero": (lambda m, x: torch.ops.aten.norm.ScalarOpt_dim(x, 0, [1], True), 0),
    "rms norm, fused": (
        lambda m, x: torch.ops.aten._fused_rms_norm(x, [8], m.row, 1e-6)[0], 0,
    ),
    # grounds
    "numbers for what is not finite": (lambda m, x: x.nan_to_num(), 0),
    "running sums as integers": (lambda m, x: x.cumsum(1, dtype=torch.int64).double(), 0),
    "number that are not zero": (lambda m, x: x.norm(p=0, dim=1, keepdim=True), 0),
    "divided by its own norm and a little": (lambda m, x: x / (x.norm() + 1e-6), 0),
    "normalised with an eps": (lambda m, x: F.normalize(x, dim=1), 0),
    "plus one": (lambda m, x: x + 1, 0),
    "plus one half of them": (lambda m, x: torch.cat([x[:, :3] + 1, x[:, 3:]], 1), 5),
    "add_(1) through a view": (lambda m, x: (x[:, :3].add_(1), x)[1], 5),
    "above a threshold": (lambda m, x: x * (x > 0.5), 0),
    "threshold within a view": (lambda m, x: x * torch.cat([x[:, :2] > 1, x[:, 2:] > 0], 1), 6),
    "where numbers": (lambda m, x: torch.where(x > 0, 1.0, 0.0).double(), 8),
    "where constants": (lambda m, x: torch.where(x > 0, torch.ones_like(x), 0.0), 8),
    "where one": (lambda m, x: torch.where(x > 0, x, 1.0), 0),
    "masked_fill one": (lambda m, x: x.masked_fill_(x > 0, 1.0), 0),
    "hardtanh": (lambda m, x: F.hardtanh(x), 0),
    "clamp to 1": (lambda m, x: x.clamp(0, 1), 0),
    "plus a buffer": (lambda m, x: x + m.mask, 0),
    "plus a buffer that is zero": (lambda m, x: x + m.mean, 0),
    "plus a constant": (lambda m, x: x + torch.tensor([0.0] * 4 + [1.0] * 4).double(), 4),
    "integers": (lambda m, x: x.long().double(), 0),
    "sum as integer": (lambda m, x: x.sum(1, keepdim=True, dtype=torch.int64).double(), 0),
    "argmax": (lambda m, x: F.one_hot(x.argmax(1), 8).double(), 0),
    "in-place tanh of a view": (lambda m, x: (x[:, :3].tanh_(), x)[1], 5),
    "softmax of a slice": (lambda m, x: torch.cat([x[:, :2].softmax(1), x[:, 2:]], 1), 6),
    "powers": (lambda m, x: x**2 + x.pow(3), 0),
    "a power that is a tensor": (lambda m, x: x.abs() ** m.mask, 0),
    "a number to the power": (lambda m, x: 2**x, 0),
    "looked up at places that are computed": (lambda m, x: x.gather(1, x.argsort(1)), 1),
    "batch norm function": (lambda m, x: F.batch_norm(x, m.mean, m.mask.abs() + 1), 0),
    "glu": (lambda m, x: x[:, :4] * torch.sigmoid(x[:, 4:]), 4),
    "rms norm function": (lambda m, x: F.rms_norm(x, (8,), m.row), 0),
    "alpha dropout": (lambda m, x: F.alpha_dropout(x, training=False), 8),
    "alpha dropout in training": (lambda m, x: F.alpha_dropout(x, training=True), 0),
    "dropout in training": (lambda m, x: F.dropout(x, 0.2), 8),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_operation_keeps_the_function_in_place_and_the_units_it_can(name):
    function, units = CASES[name]
    assert survivors(function) == units


def test_a_cast_rounds_but_keeps_the_units():
    torch.manual_seed(0)
    model = Between(lambda m, x: x.float().to(torch.float64))
    x = torch.randn(4, 3, dtype=torch.float64)
    group = trace_group(model, x)
    assert group.units == 8
    assert_gauge_invariant(model, x, group=group, tol=1e-6)


NOT_HOMOGENEOUS = {
    "tanh sigmoid logsigmoid gelu silu mish elu selu celu softplus softsign relu6 hardsigmoid "
    "hardswish tanhshrink softshrink hardshrink": (F, ()),
    "exp exp2 expm1 log1p sin cos tan sinh cosh asinh atan erf erfc round floor ceil trunc frac "
    "logical_not isfinite": (torch, ()),
    "log log2 log10 acosh": (torch, ()),
    "floor_divide remainder fmod": (torch, (0.3,)),
    "softmax log_softmax logcumsumexp cumprod": (torch, (1,)),
    "logsumexp prod": (torch, (1, True)),
    "normalize": (F, ()),
    "softmin": (F, (1,)),
    "threshold": (F, (0.1, 0.2)),
    "hypot copysign atan2 heaviside": (torch, (torch.ones(8).double(),)),
}
EACH = [(n, *how) for names, how in NOT_HOMOGENEOUS.items() for n in names.split()]


@pytest.mark.parametrize(("name", "module", "arguments"), EACH, ids=[name for name, *_ in EACH])
def test_other_functions_keep_none(name, module, arguments):
    def function(m, x):
        x = x.abs() + 1 if name.startswith(("log", "acosh")) else x
        return getattr(module, name)(x, *arguments).double()

    left = 8 if name == "heaviside" else 0  # it is the same for every scale
    assert survivors(function) == left


def test_an_operation_without_a_rule_fixes_what_goes_in():
    assert not {"tanh", "_softmax", "exp", "hypot"} & set(RULES)
    assert survivors(lambda m, x: torch.cat([torch.special.bessel_j0(x[:, :3]), x[:, 3:]], 1)) == 5


def test_control_a_rule_of_the_wrong_shape_is_caught(monkeypatch):
    monkeypatch.setitem(RULES, "tanh", lambda op, x: x.carried(x.labels[:2]))
    with pytest.raises(GaugeError, match=r"tanh in .*its rule is wrong"):
        survivors(lambda m, x: x.tanh())


def test_control_a_rule_that_fails_is_refused_by_its_operation(monkeypatch):
    monkeypatch.setitem(RULES, "tanh", lambda op, x: x.labels[17, 17])
    with pytest.raises(GaugeError, match=r"tanh in .*these arguments of it are not known"):
        survivors(lambda m, x: x.tanh())
