"""The four data sets of the paper: their addresses and checksums, and how they are read."""

from __future__ import annotations

import pathlib
import zipfile
import zlib
from collections.abc import Callable, Mapping

from torch import Tensor

from gaugelib.data.cifar import TEST, TRAIN, read_cifar
from gaugelib.data.fetch import Source, fetch
from gaugelib.data.idx import read_idx
from gaugelib.data.project import leading_directions, project
from gaugelib.data.sets import Dataset
from gaugelib.group import GaugeError

DIMENSIONS = 200  # to which the paper projects all inputs
BRIGHTEST = 255.0
Parts = tuple[Tensor, Tensor, Tensor, Tensor]
Fetch = Callable[[Source, "pathlib.Path | str | None"], pathlib.Path]

MNIST_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
FASHION_MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
MNIST_URLS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
FASHION_URLS = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
EMNIST_MEMBERS = tuple(
    f"gzip/emnist-balanced-{part}-{kind}-ubyte.gz"
    for part in ("train", "test")
    for kind in ("images-idx3", "labels-idx1")
)


def _four(name: str, md5: Mapping[str, str], bases: tuple[str, ...]) -> tuple[Source, ...]:
    return tuple(
        Source(f"{name}-{file}", md5[file], tuple(base + file for base in bases)) for file in md5
    )


SOURCES: dict[str, tuple[Source, ...]] = {
    "mnist": _four("mnist", MNIST_MD5, MNIST_URLS),
    "fashion": _four("fashion", FASHION_MD5, FASHION_URLS),
    "emnist": (
        Source(
            "emnist-gzip.zip",
            "58c8d27c78d21e728a6bc7b3cc06412e",
            ("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",),
        ),
    ),
    "cifar10": (
        Source(
            "cifar-10-binary.tar.gz",
            "c32a1d4ab5d03f1284b67883e8d87530",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
        ),
    ),
}
"""By name of the set. The checksums of MNIST, Fashion-MNIST and EMNIST are those of torchvision,
that of CIFAR-10 stands on its author's page. All inputs are read from these files and no others.
"""

CLASSES = {"mnist": 10, "fashion": 10, "emnist": 47, "cifar10": 10}


def paper_set(
    name: str,
    folder: pathlib.Path | str | None = None,
    *,
    dimensions: int = DIMENSIONS,
    fetch: Fetch = fetch,
) -> Dataset:
    """One of the paper's four data sets, projected to 200 dimensions, in float64.

    Pixels are divided by 255, then both parts are projected onto the leading right singular
    vectors of the training part. EMNIST is its balanced split.

    Args:
        name: `"mnist"`, `"fashion"`, `"emnist"` or `"cifar10"`.
        folder: where the files are kept; by default the user's cache.
        dimensions: how many to project to.
        fetch: finds or downloads a file.

    Raises:
        GaugeError: if the name is unknown, or a file cannot be had or is not what it should be.

    Source: Saul (2023), Table 1 and Section 4.1.
    """
    if name not in SOURCES:
        raise GaugeError(f"the data set must be one of {sorted(SOURCES)}, found {name!r}")
    paths = [fetch(source, folder) for source in SOURCES[name]]
    train, train_labels, test, test_labels = READERS[name](paths)
    train, test = train.flatten(1), test.flatten(1)
    directions = leading_directions(train, dimensions)
    return Dataset(
        name,
        CLASSES[name],
        project(train, directions) / BRIGHTEST,
        train_labels.long(),
        project(test, directions) / BRIGHTEST,
        test_labels.long(),
    )


def _from_four(paths: list[pathlib.Path]) -> Parts:
    train, train_labels, test, test_labels = (read_idx(p.read_bytes(), p.name) for p in paths)
    return train, train_labels, test, test_labels


def _from_zip(paths: list[pathlib.Path]) -> Parts:
    try:
        with zipfile.ZipFile(paths[0]) as archive:
            a, b, c, d = (read_idx(archive.read(name), name) for name in EMNIST_MEMBERS)
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error) as error:
        raise GaugeError(f"'{paths[0].name}' is not the EMNIST archive: {error}") from error
    return a, b, c, d


def _from_cifar(paths: list[pathlib.Path]) -> Parts:
    return *read_cifar(paths[0], TRAIN), *read_cifar(paths[0], TEST)


READERS: dict[str, Callable[[list[pathlib.Path]], Parts]] = {
    "mnist": _from_four,
    "fashion": _from_four,
    "emnist": _from_zip,
    "cifar10": _from_cifar,
}
