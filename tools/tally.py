"""Add up pytest's reports and refuse a suite that did not run: `tally.py FOLDER SUITE[=N] ...`.

A suite must have run at least one test; `SUITE=N` must have run exactly N. So a suite that was left
out, or lost a part of itself on the way, is a failure and not a quicker success.
"""

import pathlib
import sys
from xml.etree import ElementTree

KINDS = ("tests", "failures", "errors", "skipped")


def counts(report: pathlib.Path) -> dict[str, int]:
    """The totals that pytest wrote into one JUnit file; all zero if it wrote none."""
    if not report.is_file():
        return dict.fromkeys(KINDS, 0)
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    return {kind: sum(int(suite.get(kind, 0)) for suite in suites) for kind in KINDS}


def main(folder: str, *suites: str) -> int:
    """Print a line for each suite and one for all; fail if one of them did not run in full."""
    passed = failed = 0
    incomplete = []
    for suite in suites:
        name, _, expected = suite.partition("=")
        n = counts(pathlib.Path(folder, f"{name}.xml"))
        bad = n["failures"] + n["errors"]
        good = n["tests"] - bad - n["skipped"]
        print(f"{name:>10}: {good} passed, {bad} failed, {n['skipped']} skipped")
        passed, failed = passed + good, failed + bad
        if good + bad == 0:
            incomplete.append(f"{name} ran no test")
        elif expected and good + bad != int(expected):
            incomplete.append(f"{name} ran {good + bad} tests, not {expected}")
    if incomplete:
        print("; ".join(incomplete))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or incomplete else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
