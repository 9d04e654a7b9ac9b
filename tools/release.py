"""Write a new version into all places that name it: `python -m tools.release VERSION [--check]`.

pyproject.toml, CITATION.cff, gaugelib/__init__.py and the changelog, whose [Unreleased] becomes
that version's, with today's date; tests/meta/released.json keeps what the release offers. Commits
nothing: .github/workflows/release.yml does. `--check` only says whether the places agree, `--notes`
what the changelog says of the version.
"""

import argparse
import datetime
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NUMBER = r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){2}"
PLACES = {  # file -> the pattern of its version, around the number
    "pyproject.toml": rf'(?m)^(version = ")({NUMBER})(")$',
    "CITATION.cff": rf"(?m)^(version: )({NUMBER})()$",
    "gaugelib/__init__.py": rf'(?m)^(__version__ = ")({NUMBER})(")$',
}
DATE = r"(?m)^(date-released: )(\S+)()$"
UNRELEASED = "## [Unreleased]\n"


class ReleaseError(ValueError):
    """The tree cannot be released as this version; the message says why."""


def replaced(text: str, pattern: str, new: str, where: str) -> str:
    """The text with the one number that the pattern finds replaced."""
    text, count = re.subn(pattern, lambda found: found[1] + new + found[3], text)
    if count != 1:
        raise ReleaseError(f"{where}: {count} places for a version or date, where one is meant")
    return text


def versions(texts: dict[str, str]) -> dict[str, str]:
    """The version that each place names."""
    found = {name: re.findall(pattern, texts[name]) for name, pattern in PLACES.items()}
    return {
        name: one[0][1] if len(one) == 1 else f"{len(one)} of them" for name, one in found.items()
    }


def with_entry(changelog: str, version: str, date: str) -> str:
    """The changelog, with what was unreleased under the version, and an empty [Unreleased]."""
    before, heading, after = changelog.partition(UNRELEASED)
    entry = re.split(r"(?m)^## ", after)[0]
    if not heading or not re.search(r"(?m)^- ", entry):
        raise ReleaseError("CHANGELOG.md has nothing under [Unreleased]: say what has changed")
    return f"{before}{UNRELEASED}\n## [{version}] - {date}\n{after}"


def entry(changelog: str, version: str) -> str:
    """What the changelog says of a version, without its heading: the notes of the release."""
    found = re.search(rf"(?ms)^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## |\Z)", changelog)
    if found is None or not found[1].strip():
        raise ReleaseError(f"CHANGELOG.md has no entry for {version}")
    return found[1].strip() + "\n"


def released(texts: dict[str, str], version: str, date: str, tags: set[str]) -> dict[str, str]:
    """All files of the release, by name.

    Args:
        texts: the files of `PLACES` and CHANGELOG.md as they are.
        version: the new one, such as 1.2.3.
        date: such as 2026-01-31.
        tags: the tags that the repository has.

    Raises:
        ReleaseError: the version is no version, is not new, or a place is not as expected.
    """
    if not re.fullmatch(NUMBER, version):
        raise ReleaseError(f"{version!r} is no version like 1.2.3")
    if f"v{version}" in tags:
        raise ReleaseError(f"v{version} was released before: choose a new version")
    agreed = set(versions(texts).values())
    if len(agreed) != 1:
        raise ReleaseError(f"the places disagree: {versions(texts)}")
    (old,) = agreed
    # Not below: the first release may be the version that the tree bears already.
    if tuple(map(int, version.split("."))) < tuple(map(int, old.split("."))):
        raise ReleaseError(f"{version} is below {old}")
    new = {name: replaced(texts[name], pattern, version, name) for name, pattern in PLACES.items()}
    new["CITATION.cff"] = replaced(new["CITATION.cff"], DATE, date, "CITATION.cff")
    new["CHANGELOG.md"] = with_entry(texts["CHANGELOG.md"], version, date)
    return new


def main(arguments: list[str] | None = None) -> None:
    """Check, or write the version into all places."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("version", nargs="?", default="")
    parser.add_argument("--check", action="store_true", help="only say whether the places agree")
    parser.add_argument("--notes", action="store_true", help="only print the changelog's entry")
    options = parser.parse_args(arguments)
    texts = {name: (ROOT / name).read_text("utf8") for name in [*PLACES, "CHANGELOG.md"]}
    try:
        if options.check:
            print(versions(texts))
            sys.exit(len(set(versions(texts).values())) != 1)
        if not options.version:
            raise ReleaseError("name a version, such as 1.2.3")
        if options.notes:
            print(entry(texts["CHANGELOG.md"], options.version), end="")
            return
        asked = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "tag"]
        tags = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        new = released(texts, options.version, today, set(tags))
    except ReleaseError as error:
        sys.exit(f"release: {error}")
    for name, text in new.items():
        (ROOT / name).write_text(text, "utf8")

    import gaugelib
    from tools import surface

    surface.write(options.version, gaugelib)
    print(f"{', '.join(new)} say {options.version}")


if __name__ == "__main__":
    main()
