"""How many units windows and channels leave, in one, two and three dimensions, by counting.

Every pixel of every channel is a unit of its own before the operation; the count of those that are
left follows from which of them meet. That the function stays is what `trace_group` checks itself.
"""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gaugelib import GaugeError, trace_group

SIZES = {1: (6,), 2: (4, 6), 3: (4, 2, 6)}
CHANNELS = 4
DIMENSIONS = sorted(SIZES)
LAYOUTS = {"batch": (2,), "no batch": ()}


class Pixels(nn.Module):
    """Units without any ties, shaped as an image; an operation; and a last layer."""

    def __init__(self, act, shape, batch):
        super().__init__()
        self.act, self.shape, self.batch = act, shape, batch
        self.first = nn.Linear(3, math.prod(shape)).double()
        with torch.no_grad():
            after = act(torch.ones(*batch, *shape).double())
        self.last = nn.Linear(after.numel() // math.prod(batch), 2).double()

    def forward(self, x):
        x = torch.relu(self.first(x)).reshape(*self.batch, *self.shape)
        x = torch.relu(self.act(x))
        return self.last(x.flatten(len(self.batch)))


def left(act, spatial, batch=(2,), channels=CHANNELS):
    """Units that are left of channels * pixels."""
    torch.manual_seed(0)
    model = Pixels(act, (channels, *SIZES[spatial]), batch)
    example = torch.randn(*batch, 3, generator=torch.Generator().manual_seed(1)).double()
    return trace_group(model, example).units


def convolution(spatial, transposed=False):
    return getattr(F, f"conv{'_transpose' if transposed else ''}{spatial}d")


@pytest.mark.parametrize("batch", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("spatial", DIMENSIONS)
def test_a_fixed_convolution_leaves_one_unit_for_each_group_of_channels(
    spatial, groups, transposed, batch
):
    outputs = 8 // groups if transposed else 8
    inputs = CHANNELS if transposed else CHANNELS // groups
    shape = (inputs, outputs) if transposed else (outputs, inputs)
    kernel = torch.rand(*shape, *(1,) * spatial).double() + 0.1

    def act(x):
        return convolution(spatial, transposed)(x, kernel, groups=groups)

    assert left(act, spatial, batch) == groups


@pytest.mark.parametrize("batch", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("spatial", DIMENSIONS)
def test_a_convolution_opens_a_unit_for_each_of_its_channels(spatial, groups, transposed, batch):
    """Its inputs are one unit a channel, its outputs another: 4 and 6."""
    kind = getattr(nn, f"Conv{'Transpose' if transposed else ''}{spatial}d")
    torch.manual_seed(0)
    layer = kind(CHANNELS, 6, 2, groups=groups).double()
    assert left(layer, spatial, batch) == CHANNELS + 6


@pytest.mark.parametrize("kind", ["MaxPool", "AvgPool"])
@pytest.mark.parametrize("batch", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("spatial", DIMENSIONS)
def test_windows_that_do_not_meet_leave_a_unit_each(spatial, batch, kind):
    pool = getattr(nn, f"{kind}{spatial}d")
    windows = math.prod(size // 2 for size in SIZES[spatial])
    assert left(pool(2), spatial, batch) == CHANNELS * windows
    uneven = (*(1,) * (spatial - 1), 3)  # one pixel high, three wide
    windows = math.prod(SIZES[spatial]) // 3
    assert left(pool(uneven), spatial, batch) == CHANNELS * windows


@pytest.mark.parametrize("spatial", DIMENSIONS)
def test_windows_that_meet_make_one_unit_along_their_way(spatial):
    """Windows of two with steps of one along the last dimension, and pixels apart along others."""
    pool = getattr(F, f"max_pool{spatial}d")
    size, step = (*(1,) * (spatial - 1), 2), 1
    rows = math.prod(SIZES[spatial][:-1])
    assert left(lambda x: pool(x, size, step), spatial) == CHANNELS * rows
    # With steps of three, every third pixel is in nobody's window, and a unit of its own.
    windows = (2 + 2) * rows
    steps = (*(1,) * (spatial - 1), 3)
    assert left(lambda x: pool(x, size, steps), spatial) == CHANNELS * windows


@pytest.mark.parametrize("batch", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("spatial", DIMENSIONS)
def test_other_windows_make_one_unit_of_a_channel(spatial, batch):
    size = SIZES[spatial]
    pool = getattr(F, f"max_pool{spatial}d")
    for options in ({"padding": 1}, {"ceil_mode": True}, {"dilation": 2, "stride": 1}):
        kernel = (*(2,) * (spatial - 1), 2) if "dilation" not in options else 1
        assert left(lambda x, k=kernel, o=options: pool(x, k, **o), spatial, batch) == CHANNELS
    adaptive = getattr(F, f"adaptive_avg_pool{spatial}d")
    assert left(lambda x: adaptive(x, 1), spatial, batch) == CHANNELS
    assert left(lambda x: adaptive(x, (*(None,) * (spatial - 1), 2)), spatial, batch) == CHANNELS
    assert left(lambda x: adaptive(x, size), spatial, batch) == CHANNELS


@pytest.mark.parametrize("spatial", DIMENSIONS)
def test_resampling_makes_one_unit_of_a_channel(spatial):
    assert left(lambda x: F.interpolate(x, scale_factor=2), spatial) == CHANNELS


@pytest.mark.parametrize(
    ("act", "count"),
    [
        (lambda x: x.sum(1), 6),
        (lambda x: x.mean(-1, keepdim=True), 4),
        (lambda x: x.amax((1, 2), keepdim=True), 1),
        (lambda x: x.amax(dim=-1), 4),
        (lambda x: x.max(2).values, 4),
        (lambda x: x.max(dim=1, keepdim=True)[0], 6),
        (lambda x: torch.maximum(x, x.flip(1)), 12),
        (lambda x: x + x.roll(1, 1), 6),
        (lambda x: torch.where(x > 1.0, x, x.flip(2)), 0),
        (lambda x: torch.where(x > 0, x, x.flip(2)), 12),
        (lambda x: torch.where(x > x.flip(1), x, 0.0), 12),
        (lambda x: torch.ones(4).double() @ x, 6),
        (lambda x: x @ torch.ones(6).double(), 4),
        (lambda x: F.alpha_dropout(x), 24),
    ],
)
def test_reductions_and_meetings_leave_a_unit_for_each_class(act, count):
    """Of 4 channels times 6 pixels."""
    assert left(act, 1) == count


def test_a_condition_that_is_not_boolean_is_refused_in_the_words_of_torch():
    model = Pixels(lambda x: x, (CHANNELS, 6), (2,))
    model.act = lambda x: torch.where(torch.ones(6), x, 0.0)
    with pytest.raises(GaugeError, match=r"cannot be evaluated on the example.* boolean"):
        trace_group(model, torch.ones(2, 3).double(), verify=False)


def test_control_an_operation_that_moves_entries_leaves_all_units():
    assert left(lambda x: x.flip(1), 1) == CHANNELS * 6
