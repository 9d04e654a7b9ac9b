"""Draws of the checkers, fresh in the book, are the same at every run of a test."""

from itertools import count

import pytest
import torch

from gaugelib.check import fresh


@pytest.fixture(autouse=True)
def _the_same_draws(monkeypatch):
    seeds = count(1)
    monkeypatch.setattr(fresh, "draw", lambda: torch.Generator().manual_seed(next(seeds)))
