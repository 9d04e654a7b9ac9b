"""Options and rules that hold for every test."""

import pathlib
import time

import pytest
import torch
from hypothesis import is_hypothesis_test, register_random

from tests import chance

pytest_plugins = ["tests.browser"]

register_random(chance.TORCH)
chance.no_constants_of_ours()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="a skipped test is a failed test (only `cuda` tests may be skipped)",
    )
    parser.addoption(
        "--explore",
        metavar="FOLDER",
        type=pathlib.Path,
        help="the property tests alone, with new examples; what fails is kept in the folder",
    )
    parser.addoption(
        "--times",
        metavar="N",
        type=float,
        default=1.0,
        help="with --explore: so many times the examples of `make test`",
    )
    parser.addoption(
        "--until",
        metavar="TIME",
        type=float,
        default=float("inf"),
        help="with --explore: begin no test after this time, in seconds since 1970",
    )


def pytest_configure(config: pytest.Config) -> None:
    torch.set_num_threads(1)  # sums are added up in the same order, whoever runs pytest
    folder = config.getoption("explore")
    if folder is None:
        chance.always_the_same()
    else:
        chance.ever_new(folder, config.getoption("times"))


@pytest.fixture(autouse=True)
def _same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    chance.start_over(monkeypatch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item):
    """Stop between tests: one that has met a failing example still reduces and reports it."""
    done = yield
    if time.time() >= item.config.getoption("until"):
        item.session.shouldstop = "the time is over"
    return done


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    is_property = {item: is_hypothesis_test(getattr(item, "obj", None)) for item in items}
    chance.give_counts(item.obj for item in items if is_property[item])
    if config.getoption("explore") is not None:
        config.hook.pytest_deselected(items=[item for item in items if not is_property[item]])
        items[:] = [item for item in items if is_property[item]]

    wanted = [item for item in items if item.get_closest_marker("cuda")]
    if wanted and not torch.cuda.is_available():
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
