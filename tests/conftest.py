"""Options and rules that hold for every test."""

import os

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

# No deadline: two workers share the cores. The same examples each time where the verdict is public,
# new ones each time at home, where a finding can be followed up.
set_hypothesis_home_dir(".cache/hypothesis")
hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="a skipped test is a failed test (only `cuda` tests may be skipped)",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanted = [item for item in items if item.get_closest_marker("cuda")]
    if not wanted:
        return
    import torch

    if not torch.cuda.is_available():
        for item in wanted:
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Fail closed: where every tool is meant to be present, a skip is a hole in the net."""
    report = yield
    # An expected failure reports as skipped too; it did run.
    exempt = hasattr(report, "wasxfail") or item.get_closest_marker("cuda") is not None
    return report if exempt else refuse_skip(report, item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    """The same for a whole file that skips itself."""
    report = yield
    return refuse_skip(report, collector.config)


def refuse_skip(report, config: pytest.Config):
    """Turn a skip into a failure under --no-skips."""
    if report.skipped and config.getoption("--no-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped under --no-skips: {reason}"
    return report
