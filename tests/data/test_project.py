"""Projection onto the leading singular directions."""

import pytest
import torch
from torch.testing import assert_close

from gaugelib import GaugeError
from gaugelib.data.project import leading_directions, project


def inputs(seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(30, 6, generator=draw, dtype=torch.float64) + 1


def test_the_projection_is_the_best_of_its_rank():
    x = inputs()
    directions = leading_directions(x, 3)
    u, s, v = torch.linalg.svd(x, full_matrices=False)  # Eckart and Young (1936)
    assert_close(project(x, directions) @ directions.T, u[:, :3] * s[:3] @ v[:3])
    # control: three other directions do worse
    last = torch.linalg.svd(x)[2][3:].T
    assert (x - x @ last @ last.T).norm() > (x - project(x, directions) @ directions.T).norm() + 1


def test_all_directions_keep_every_distance():
    x = inputs()
    assert_close(torch.cdist(y := project(x, leading_directions(x, 6)), y), torch.cdist(x, x))


def test_directions_are_orthonormal_and_have_a_sign():
    v = leading_directions(inputs(), 4)
    assert_close(v.T @ v, torch.eye(4, dtype=torch.float64))
    assert (v.gather(0, v.abs().argmax(0, keepdim=True)) > 0).all()
    assert_close(leading_directions(-inputs(), 4), v)


def test_bytes_are_read_as_the_numbers_they_are():
    x = torch.arange(20, dtype=torch.uint8).reshape(5, 4) * 12
    assert_close(leading_directions(x, 2), leading_directions(x.double(), 2), rtol=0, atol=0)


@pytest.mark.parametrize("dimensions", [0, 7])
def test_there_are_no_more_directions_than_features(dimensions):
    with pytest.raises(GaugeError, match=f"no {dimensions} singular directions"):
        leading_directions(inputs(), dimensions)


def test_inputs_that_are_not_finite_are_refused():
    with pytest.raises(GaugeError, match="finite"):
        leading_directions(torch.full((3, 2), torch.nan), 1)
