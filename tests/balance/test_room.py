"""Where results are written: memory of its own, told by bytes and not by storages."""

import pytest
import torch
from torch.testing import assert_close

from gaugelib import GaugeError, minimum_norm
from tests.balance.networks import initialised


def in_one_vector(params, extra=0):
    """Tensors of the same names and shapes, slices of one vector."""
    flat = torch.zeros(sum(v.numel() for v in params.values()) + extra, dtype=torch.float64)
    slices = flat[extra:].split([v.numel() for v in params.values()])
    return flat, {n: part.view(v.shape) for (n, v), part in zip(params.items(), slices)}


def test_parameters_and_room_may_be_slices_of_one_vector():
    given, group = initialised((4, 6, 5, 3))
    flat, both = in_one_vector(
        {**{f"a{n}": v for n, v in given.items()}, **{f"b{n}": v for n, v in given.items()}}
    )
    params = {name: both[f"a{name}"].copy_(value) for name, value in given.items()}
    room = {name: both[f"b{name}"] for name in given}
    found = minimum_norm(params, group, out=room)
    assert_close(params, given, rtol=0, atol=0)
    assert_close(room, minimum_norm(given, group).params, rtol=1e-12, atol=0)
    assert found.params["0.weight"].untyped_storage().data_ptr() == flat.data_ptr()


def test_control_room_with_a_byte_in_common_is_refused():
    params, group = initialised((4, 6, 5, 3))
    flat, room = in_one_vector(params)
    room["2.weight"] = flat[23:53].view(5, 6)  # one entry of the first
    with pytest.raises(GaugeError, match=r"out\['0\.weight'\] and out\['2\.weight'\] share memory"):
        minimum_norm(params, group, out=room)
    both, room = in_one_vector(params, extra=23)
    params["0.weight"] = both[:24].view(6, 4)
    with pytest.raises(GaugeError, match=r"out\['0\.weight'\] lies in the memory of '0\.weight'"):
        minimum_norm(params, group, out=room)
