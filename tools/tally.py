"""Add up pytest's reports and refuse a suite that ran nothing: `tally.py FOLDER SUITE ...`."""

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
    """Print a line for each suite and one for all; fail if one of them ran no test."""
    passed = failed = 0
    empty = []
    for suite in suites:
        n = counts(pathlib.Path(folder, f"{suite}.xml"))
        bad = n["failures"] + n["errors"]
        good = n["tests"] - bad - n["skipped"]
        print(f"{suite:>10}: {good} passed, {bad} failed, {n['skipped']} skipped")
        passed, failed = passed + good, failed + bad
        if good + bad == 0:
            empty.append(suite)
    if empty:
        print(f"these suites ran no test: {', '.join(empty)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or empty else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
