"""The IDX reader gives back what was written, and refuses all else by the file's name."""

import gzip

import numpy as np
import pytest
import torch

from gaugelib import GaugeError
from gaugelib.data.idx import read_idx
from tests.data.written import idx, told


@pytest.mark.parametrize("shape", [(7,), (4, 3), (5, 3, 2)])
def test_what_was_written_is_read(shape):
    array = np.arange(np.prod(shape)).reshape(shape) * 9 % 256
    found = read_idx(idx(array), "x.gz")
    assert found.dtype == torch.uint8
    assert np.array_equal(found.numpy(), array)


def test_entries_are_big_endian_sizes_and_not_little():
    swapped = gzip.compress(bytes([0, 0, 8, 1, 3, 0, 0, 0, 7, 8, 9]))
    with pytest.raises(GaugeError, match="must hold 50331648 entries"):
        read_idx(swapped, "x.gz")


WHOLE = gzip.decompress(idx(np.zeros((4, 3))))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (idx(np.zeros(3), kind=0x0D), "found 00 00 0d"),  # floats
        (gzip.compress(b"\x08\x03" + WHOLE[2:]), "found 08 03 08"),
        (gzip.compress(b""), "found nothing"),
        (gzip.compress(WHOLE[:-1]), r"must hold 12 entries for its shape \(4, 3\), found 11"),
        (gzip.compress(WHOLE + b"\0"), "found 13"),
        (gzip.compress(WHOLE[:9]), "ends before its 2 dimensions"),
        (gzip.compress(bytes([0, 0, 8, 0])), "ends before its 0 dimensions"),
        (idx(np.zeros((0, 3))), "is empty"),
        (WHOLE, "is not a whole gzip file"),
        (idx(np.zeros((4, 3)))[:-5], "is not a whole gzip file"),
        (idx(np.zeros((4, 3)))[:-12] + bytes(12), "is not a whole gzip file"),
    ],
    ids=told,
)
def test_a_file_that_is_not_whole_is_refused_by_name(content, message):
    with pytest.raises(GaugeError, match=f"'labels.gz' .*{message}"):
        read_idx(content, "labels.gz")
