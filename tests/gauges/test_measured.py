"""What is stored is read back by its names, and what is not there is refused by name."""

import statistics

import pytest

from gaugelib import GaugeError
from gaugelib.gauges import mean_error, measured, measured_rows


def test_rows_are_those_that_have_the_values():
    stored = measured("compared")["distances"]
    rows = measured_rows("compared", "distances", kind="independent", gauge="norm")
    assert rows == [r for r in stored if r["kind"] == "independent" and r["gauge"] == "norm"]
    assert 0 < len(rows) < len(stored)


def test_without_values_all_rows_come():
    assert measured_rows("compared", "distances") == measured("compared")["distances"]


@pytest.mark.parametrize(
    ("name", "part", "which", "said"),
    [
        ("compare", "pruned", {}, "no measurements called 'compare'"),
        ("compared", "prune", {}, "found 'prune'"),
        ("compared", "pruned", {"way": "none"}, "no row of 'pruned'"),
        ("compared", "pruned", {"wey": "trace"}, "no row of 'pruned'"),
    ],
)
def test_what_is_not_there_is_refused(name, part, which, said):
    with pytest.raises(GaugeError, match=said):
        measured_rows(name, part, **which)


def test_the_error_is_that_of_a_mean():
    mean, error = mean_error([3.0, 1.0, 4.0, 1.0, 5.0])
    assert mean == pytest.approx(2.8)
    assert error**2 * 5 == pytest.approx(statistics.variance([3.0, 1.0, 4.0, 1.0, 5.0]))
