"""The reader of CIFAR-10's binary version."""

import numpy as np
import pytest

from gaugelib import GaugeError
from gaugelib.data.cifar import TEST, TRAIN, read_cifar
from tests.data.written import cifar_records, cifar_tar, told


@pytest.fixture
def archive(tmp_path):
    def write(content: bytes):
        path = tmp_path / "cifar.tar.gz"
        path.write_bytes(content)
        return path

    return write


def test_records_come_back_in_the_order_of_the_batches(archive):
    images, labels = read_cifar(archive(cifar_tar()), TRAIN)
    content = b"".join(cifar_records(2, k) for k in range(1, 6))
    expected = np.frombuffer(content, np.uint8).reshape(10, 3073)
    assert np.array_equal(labels.numpy(), expected[:, 0])
    assert np.array_equal(images.numpy(), expected[:, 1:])
    # control: in another order they would be other images
    assert not np.array_equal(images.numpy(), expected[::-1, 1:])


def test_the_test_part_is_a_batch_of_its_own(archive):
    images, labels = read_cifar(archive(cifar_tar()), TEST)
    assert images.shape == (3, 3072)
    assert bytes(labels.tolist()) == cifar_records(3, 9)[::3073]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (cifar_tar({"data_batch_1.bin": cifar_records(2, 1)}), "lacks a member.*test_batch.bin"),
        (cifar_tar({"test_batch.bin": cifar_records(2, 1)[:-1]}), "3073 bytes, found 6145 bytes"),
        (cifar_tar({"test_batch.bin": b""}), "found 0 bytes"),
        (cifar_tar()[:200], "is not a whole gzipped tar archive"),
        (b"<html>moved</html>", "is not a whole gzipped tar archive"),
    ],
    ids=told,
)
def test_an_archive_that_is_not_whole_is_refused_by_name(archive, content, message):
    with pytest.raises(GaugeError, match=message) as refusal:
        read_cifar(archive(content), TEST)
    assert "cifar.tar.gz" in str(refusal.value)


def test_nothing_is_unpacked_onto_the_disk(archive, tmp_path):
    read_cifar(archive(cifar_tar()), TEST)
    assert [path.name for path in tmp_path.iterdir()] == ["cifar.tar.gz"]
