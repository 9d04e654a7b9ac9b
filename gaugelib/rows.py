"""Rows of stored measurements, picked by what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def matching(rows: list[dict[str, Any]], what: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows that have these values under these names."""
    return [row for row in rows if all(k in row and row[k] == v for k, v in what.items())]
