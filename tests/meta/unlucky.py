"""A false statement, which `make explore` must find. `make test` does not collect this file."""

from hypothesis import given
from hypothesis import strategies as st


@given(x=st.integers(0, 10**9))
def test_whole_numbers_are_small(x):
    assert x < 1000


def test_without_examples():
    raise AssertionError("the search runs properties alone")
