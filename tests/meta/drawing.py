"""Examples of a property that draws all kinds of numbers, as one line of text.

`python -m tests.meta.drawing` prints it from a process of its own.
"""

import hashlib
import random

import pytest
import torch
from hypothesis import given, register_random
from hypothesis import strategies as st

from tests import chance


def drawn() -> str:
    """A digest of what the examples of one property are, in the profile that is loaded."""
    seen = []

    @given(
        whole=st.integers(),
        real=st.floats(),
        text=st.text(),
        many=st.lists(st.sampled_from(["a", "b", "c"])),
    )
    def a_property(**numbers):
        seen.append((numbers, random.random(), torch.rand(1).item()))

    a_property()
    return f"{len(seen)} examples, {hashlib.sha256(repr(seen).encode()).hexdigest()[:16]}"


if __name__ == "__main__":
    register_random(chance.TORCH)
    chance.no_constants_of_ours()
    chance.always_the_same()
    with pytest.MonkeyPatch.context() as patch:
        chance.start_over(patch)
        print(drawn())
