"""A student's numbers: drawn from the course's secret, the student and the problem's name."""

import hashlib
import os
import random
from pathlib import Path

PUBLIC = (
    "gaugelib"  # the salt of everybody who has none: with it anybody can compute anybody's answers
)


def drawn(name: str, student: str = "", salt: str = PUBLIC) -> random.Random:
    """The same numbers for the same salt, student and problem, on every machine."""
    parts = "".join(f"{len(part)}:{part}" for part in (salt, student, name))  # no two triples alike
    return random.Random(int.from_bytes(hashlib.sha256(parts.encode()).digest(), "big"))


def salt_of(overlay: Path | None = None) -> str | None:
    """The course's secret: the variable COURSE_SALT, else the overlay's file `salt`, else None."""
    if given := os.environ.get("COURSE_SALT", "").strip():
        return given
    if overlay is not None and (file := overlay / "salt").is_file():
        return file.read_text().strip() or None
    return None
