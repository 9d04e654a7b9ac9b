"""The IDX format, in which MNIST and its relatives are published."""

from __future__ import annotations

import gzip
import math
import struct
import zlib

import torch
from torch import Tensor

from gaugelib.group import GaugeError

UNSIGNED_BYTE = 0x08


def read_idx(packed: bytes, name: str) -> Tensor:
    """The array in a gzipped IDX file of unsigned bytes, uint8.

    The file is two zero bytes, the type of its entries, the number of its dimensions, each
    dimension as a big-endian 32-bit number, and then the entries.

    Args:
        packed: the file's content.
        name: what to call it in an error.

    Raises:
        GaugeError: if it is not gzip, is cut off or too long, or holds another type.

    Source: LeCun, Cortes and Burges, the MNIST database, "File formats".

    Example:
        >>> content = bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9])  # one dimension, of length 3
        >>> read_idx(gzip.compress(content), "three.gz")
        tensor([7, 8, 9], dtype=torch.uint8)
    """
    try:
        content = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise GaugeError(f"'{name}' is not a whole gzip file: {error}") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTE:
        raise GaugeError(
            f"'{name}' must begin as an IDX file of unsigned bytes does, 00 00 08, "
            f"found {content[:3].hex(' ') or 'nothing'}"
        )
    start = 4 + 4 * content[3]
    if content[3] == 0 or len(content) < start:
        raise GaugeError(f"'{name}' ends before its {content[3]} dimensions are given")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    if len(content) - start != math.prod(shape):
        raise GaugeError(
            f"'{name}' must hold {math.prod(shape)} entries for its shape {shape}, "
            f"found {len(content) - start}"
        )
    if not math.prod(shape):
        raise GaugeError(f"'{name}' is empty: its shape is {shape}")
    return torch.frombuffer(bytearray(content[start:]), dtype=torch.uint8).reshape(shape)
