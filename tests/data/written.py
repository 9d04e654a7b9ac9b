"""Small files in the formats of the published data sets, written without the library."""

import gzip
import hashlib
import io
import struct
import tarfile
import zipfile

import numpy as np

from gaugelib.data import SOURCES, Source

CLASSES = {"mnist": 10, "fashion": 10, "emnist": 47, "cifar10": 10}


def idx(array: np.ndarray, kind: int = 0x08) -> bytes:
    head = bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.astype(np.uint8).tobytes())


def examples(count: int, shape: tuple[int, ...], classes: int, seed: int):
    draw = np.random.default_rng(seed)
    return draw.integers(0, 256, (count, *shape)), draw.integers(0, classes, count)


def four_files(classes: int = 10) -> list[bytes]:
    """Images and labels of a training part of 12 and a test part of 5, 3 × 2 pixels each."""
    parts = [examples(12, (3, 2), classes, 1), examples(5, (3, 2), classes, 2)]
    return [idx(array) for part in parts for array in part]


def emnist_zip() -> bytes:
    content = io.BytesIO()
    names = ("train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1")
    with zipfile.ZipFile(content, "w") as archive:
        for name, file in zip(names, four_files(47), strict=True):
            archive.writestr(f"gzip/emnist-balanced-{name}-ubyte.gz", file)
        archive.writestr("gzip/emnist-letters-train-images-idx3-ubyte.gz", b"not looked at")
    return content.getvalue()


def cifar_records(count: int, seed: int) -> bytes:
    images, labels = examples(count, (3072,), 10, seed)
    return np.concatenate([labels[:, None], images], 1).astype(np.uint8).tobytes()


def cifar_tar(files: dict[str, bytes] | None = None) -> bytes:
    if files is None:
        files = {f"data_batch_{k}.bin": cifar_records(2, k) for k in range(1, 6)}
        files |= {"test_batch.bin": cifar_records(3, 9), "readme.html": b"<html>"}
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, file in files.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(file)
            archive.addfile(entry, io.BytesIO(file))
    return content.getvalue()


def published(name: str) -> dict[str, bytes]:
    """What the files of a data set are called, and what a small one would contain."""
    contents = {"emnist": [emnist_zip()], "cifar10": [cifar_tar()]}.get(name) or four_files()
    return {source.name: file for source, file in zip(SOURCES[name], contents, strict=True)}


def source(content: bytes, *urls: str, name: str = "file.gz") -> Source:
    return Source(name, hashlib.md5(content).hexdigest(), urls)


def told(value: object) -> str:
    """The name of a case: what it is told, for the bytes themselves hold the time of day."""
    return value if isinstance(value, str) else "file"
