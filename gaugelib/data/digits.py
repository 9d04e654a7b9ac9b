"""The embedded data set: handwritten digits that travel with scikit-learn."""

from __future__ import annotations

import torch

from gaugelib.data.sets import Dataset
from gaugelib.group import GaugeError

TRAINING = 1437  # of 1797 images, four fifths
BRIGHTEST = 16.0


def digits() -> Dataset:
    """Handwritten digits of 8 × 8 pixels: 1437 images to train on and 360 to test on, in float64.

    Nothing is downloaded. The pixels are divided by their largest possible value, 16, and the
    images are dealt once by a permutation with seed 0, so that everybody has the same two parts.

    Raises:
        GaugeError: if scikit-learn is not installed.

    Source: Alpaydin and Kaynak (1998), the test part of the UCI set, as scikit-learn ships it.

    Example:
        >>> data = digits()
        >>> tuple(data.train_inputs.shape), len(data.test_labels), data.classes
        ((1437, 64), 360, 10)
        >>> data.train_labels.bincount().min() > 130  # no class is rare
        tensor(True)
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as missing:
        raise GaugeError(
            "the digits come with scikit-learn, which is not installed: "
            "pip install 'gaugelib[data]', or pip install scikit-learn"
        ) from missing
    pixels, labels = load_digits(return_X_y=True)
    inputs = torch.as_tensor(pixels, dtype=torch.float64) / BRIGHTEST
    labels = torch.as_tensor(labels, dtype=torch.int64)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    train, test = order[:TRAINING], order[TRAINING:]
    return Dataset("digits", 10, inputs[train], labels[train], inputs[test], labels[test])
