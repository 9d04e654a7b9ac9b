"""The closing line adds up, and a suite that ran nothing is a failure."""

import pytest

from tools.tally import main


def write(folder, name, tests, failures=0, errors=0, skipped=0):
    (folder / f"{name}.xml").write_text(
        f'<testsuites><testsuite tests="{tests}" failures="{failures}" errors="{errors}" '
        f'skipped="{skipped}"/></testsuites>'
    )


def test_suites_add_up(tmp_path, capsys):
    write(tmp_path, "one", tests=5, skipped=1)
    write(tmp_path, "two", tests=7)
    assert main(str(tmp_path), "one", "two") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "11 passed, 0 failed"


@pytest.mark.parametrize(
    ("counts", "last"),
    [
        ({"tests": 3, "failures": 1}, "2 passed, 1 failed"),
        ({"tests": 3, "errors": 2}, "1 passed, 2 failed"),
        ({"tests": 0}, "0 passed, 0 failed"),
        ({"tests": 4, "skipped": 4}, "0 passed, 0 failed"),
    ],
)
def test_failures_and_empty_suites_are_refused(tmp_path, capsys, counts, last):
    write(tmp_path, "one", **counts)
    assert main(str(tmp_path), "one") == 1
    assert capsys.readouterr().out.splitlines()[-1] == last


def test_a_suite_that_wrote_no_report_is_refused(tmp_path):
    write(tmp_path, "one", tests=5)
    assert main(str(tmp_path), "one", "two") == 1


@pytest.mark.parametrize(("expected", "verdict"), [(5, 0), (4, 1), (10, 1)])
def test_a_suite_that_lost_tests_on_the_way_is_refused(tmp_path, expected, verdict):
    write(tmp_path, "one", tests=5)
    assert main(str(tmp_path), f"one={expected}") == verdict
