"""The data sets: the embedded digits, and the paper's four from small files in their formats."""

import builtins
import pathlib

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.testing import assert_close

from gaugelib import GaugeError
from gaugelib.data import SOURCES, Dataset, digits, load, paper_set
from tests.data.written import CLASSES, examples, published

SEEN = [6, 5, 5, 7, 9, 9, 8, 4]  # noted once, so that another deal does not go unnoticed


def test_the_digits_are_dealt_without_loss():
    data, (pixels, labels) = digits(), load_digits(return_X_y=True)
    both = torch.cat([data.train_inputs, data.test_inputs]) * 16
    rows = sorted(map(tuple, np.column_stack([both.numpy(), _labels(data)]).tolist()))
    assert rows == sorted(map(tuple, np.column_stack([pixels, labels]).tolist()))
    assert (len(data.train_labels), len(data.test_labels)) == (1437, 360)


def test_the_digits_are_the_same_for_everybody():
    first, second = digits(), load("digits")
    assert torch.equal(first.train_inputs, second.train_inputs)
    assert first.train_labels[:8].tolist() == SEEN
    assert not torch.equal(first.train_labels[:360], first.test_labels)


def _labels(data: Dataset) -> np.ndarray:
    return torch.cat([data.train_labels, data.test_labels]).numpy()


def _without(name: str):
    real = builtins.__import__

    def refuse(module, *rest):
        if module.split(".")[0] == name:
            raise ImportError(name)
        return real(module, *rest)

    return refuse


def test_without_scikit_learn_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(builtins, "__import__", _without("sklearn"))
    with pytest.raises(GaugeError, match=r"pip install 'gaugelib\[data\]'"):
        digits()


def test_without_pooch_the_message_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(builtins, "__import__", _without("pooch"))
    with pytest.raises(GaugeError, match=r"pooch.*pip install 'gaugelib\[data\]'"):
        paper_set("mnist", tmp_path)


def from_folder(folder: pathlib.Path, files: dict[str, bytes]):
    """Stands for the cache: the files are there, and their checksums are not asked for."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return lambda source, where: pathlib.Path(where) / source.name


@pytest.mark.parametrize("name", SOURCES)
def test_each_of_the_four_is_read_and_projected(name, tmp_path):
    fetch = from_folder(tmp_path, published(name))
    data = paper_set(name, tmp_path, dimensions=4, fetch=fetch)
    counts = (10, 3) if name == "cifar10" else (12, 5)
    assert (data.name, data.classes, data.features) == (name, CLASSES[name], 4)
    assert (len(data.train_labels), len(data.test_labels)) == counts


def test_pixels_and_labels_are_those_of_the_files(tmp_path):
    fetch = from_folder(tmp_path, published("mnist"))
    data = paper_set("mnist", tmp_path, dimensions=6, fetch=fetch)  # a rotation: nothing is lost
    train, labels = examples(12, (3, 2), 10, 1)
    test, _ = examples(5, (3, 2), 10, 2)
    train, test = (torch.from_numpy(x.reshape(len(x), -1) / 255) for x in (train, test))
    assert data.train_labels.tolist() == labels.tolist()
    assert_close(torch.cdist(data.test_inputs, data.train_inputs), torch.cdist(test, train))


def test_directions_come_from_the_training_part_alone(tmp_path):
    fetch = from_folder(tmp_path, published("mnist"))
    train = torch.from_numpy(examples(12, (3, 2), 10, 1)[0].reshape(12, 6) / 255)
    data = paper_set("mnist", tmp_path, dimensions=2, fetch=fetch)
    values = torch.linalg.svdvals(train)
    assert_close(data.train_inputs.norm(dim=0), values[:2])
    # control: the test part has other singular values
    assert (data.test_inputs.norm(dim=0) - values[:2]).abs().min() > 0.1


def test_by_default_there_are_200_dimensions(tmp_path):
    fetch = from_folder(tmp_path, published("mnist"))
    with pytest.raises(GaugeError, match="no 200 singular directions"):
        paper_set("mnist", tmp_path, fetch=fetch)


def test_an_archive_that_is_none_is_refused_by_name(tmp_path):
    fetch = from_folder(tmp_path, {"emnist-gzip.zip": b"<html>moved</html>"})
    with pytest.raises(GaugeError, match=r"'emnist-gzip\.zip' is not the EMNIST archive"):
        paper_set("emnist", tmp_path, fetch=fetch)


@pytest.mark.parametrize("ask", [load, paper_set])
def test_an_unknown_name_is_refused(ask):
    with pytest.raises(GaugeError, match="found 'imagenet'"):
        ask("imagenet")


def test_every_file_has_a_checksum_of_its_own_and_an_address():
    sources = [source for group in SOURCES.values() for source in group]
    assert len({s.md5 for s in sources}) == len({s.name for s in sources}) == len(sources) == 10
    assert all(len(s.md5) == 32 and int(s.md5, 16) >= 0 and s.urls for s in sources)


GOOD = {
    "name": "x",
    "classes": 2,
    "train_inputs": torch.zeros(3, 2),
    "train_labels": torch.tensor([0, 1, 1]),
    "test_inputs": torch.zeros(1, 2),
    "test_labels": torch.tensor([0]),
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_labels": torch.tensor([0, 1])}, r"shapes \(3, 2\) and \(2,\)"),
        ({"train_labels": torch.tensor([0, 1, 2])}, "labels from 0 to 1"),
        ({"test_labels": torch.tensor([-1])}, "the test part of 'x'"),
        ({"test_labels": torch.tensor([0.0])}, "int64"),
        ({"train_inputs": torch.full((3, 2), torch.nan)}, "finite"),
        ({"test_inputs": torch.zeros(1, 3)}, "differ in their features"),
    ],
)
def test_a_set_whose_parts_do_not_fit_is_refused(change, message):
    Dataset(**GOOD)
    with pytest.raises(GaugeError, match=message):
        Dataset(**(GOOD | change))
