"""The binary version of CIFAR-10, which is read without unpickling anything."""

from __future__ import annotations

import pathlib
import tarfile
import zlib

import torch
from torch import Tensor

from gaugelib.group import GaugeError

PIXELS = 3 * 32 * 32
TRAIN = tuple(f"cifar-10-batches-bin/data_batch_{k}.bin" for k in range(1, 6))
TEST = ("cifar-10-batches-bin/test_batch.bin",)


def read_cifar(path: pathlib.Path, members: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """Images (examples, 3072) and labels (examples,) in members of the archive, both uint8.

    Each record is one byte for the label and 3072 for the pixels. Members are read where they
    are; nothing is unpacked onto the disk.

    Raises:
        GaugeError: if the archive is not whole, lacks a member, or one is no row of records.

    Source: Krizhevsky, the CIFAR-10 data set, "Binary version".
    """
    parts = []
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in members:
                file = archive.extractfile(member)
                if file is None:
                    raise GaugeError(f"'{member}' in '{path.name}' is not a file")
                content = file.read()
                if not content or len(content) % (1 + PIXELS):
                    raise GaugeError(
                        f"'{member}' in '{path.name}' must be records of {1 + PIXELS} bytes, "
                        f"found {len(content)} bytes"
                    )
                parts.append(torch.frombuffer(bytearray(content), dtype=torch.uint8))
    except KeyError as error:
        raise GaugeError(f"'{path.name}' lacks a member: {error}") from error
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise GaugeError(f"'{path.name}' is not a whole gzipped tar archive: {error}") from error
    records = torch.cat(parts).reshape(-1, 1 + PIXELS)
    return records[:, 1:], records[:, 0]
