"""Forms of a forward that are rare and still have one right answer."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gaugelib import GaugeError, trace_group
from gaugelib.testing import assert_gauge_invariant

IMAGES = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(3)).double()


class Between(nn.Module):
    """Two convolutions, and between them a function of the model and of the channels."""

    def __init__(self, between, **parts) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3).double(), nn.Conv2d(4, 2, 1).double()
        self.between = between
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.last(self.between(self, self.first(x)))


@pytest.mark.parametrize("places", [False, True])
def test_an_adaptive_pool_has_its_channels_with_and_without_the_places(places):
    pool = nn.AdaptiveMaxPool2d(2, return_indices=places)
    model = Between(lambda m, x: m.pool(x.relu())[0] if places else m.pool(x.relu()), pool=pool)
    assert trace_group(model, IMAGES).units == 4
    assert assert_gauge_invariant(model, IMAGES) < 1e-14


def test_the_gain_of_a_group_norm_written_as_a_function_has_a_unit_for_each_channel():
    gain, shift = (nn.Parameter(torch.full((4,), s, dtype=torch.float64)) for s in (1.5, 0.5))
    model = Between(lambda m, x: F.group_norm(x, 2, m.gain, m.shift).relu(), gain=gain, shift=shift)
    group = trace_group(model, IMAGES)
    assert group.units == 4
    assert sorted(group.entries["gain"].target.flatten().tolist()) == [1, 2, 3, 4]
    assert assert_gauge_invariant(model, IMAGES, group=group) < 1e-14


def test_a_complex_constant_fixes_what_it_multiplies():
    turn = torch.full((1,), 0.6 + 0.8j, dtype=torch.complex128)
    model = Between(lambda m, x: (x * m.turn).real.relu(), turn=turn)
    assert trace_group(model, IMAGES).units == 0


def test_a_refusal_points_at_the_line_of_the_model_and_not_of_a_library_that_it_uses():
    model = Between(lambda m, x: x * np.linalg.norm(x))
    with pytest.raises(GaugeError, match=r"\[test_rarely_written\.py:\d+: .*np\.linalg\.norm"):
        trace_group(model, IMAGES)
