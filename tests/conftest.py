"""Options and rules that hold for every test."""

import pytest


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
    if report.skipped and item.config.getoption("--no-skips") and not allowed_to_skip(item, report):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped under --no-skips: {reason}"
    return report


def allowed_to_skip(item: pytest.Item, report: pytest.TestReport) -> bool:
    """Expected failures report as skipped too; they did run."""
    return hasattr(report, "wasxfail") or item.get_closest_marker("cuda") is not None
