"""What the title page says, and the date of what is made: both of the revision, not of the day."""

import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Imprint:
    """Who wrote what, and which writing of it this is."""

    title: str
    authors: str
    licence: str  # HTML
    version: str
    revision: str  # "" outside a repository
    date: datetime
    language: str = "en"
    subject: str = ""

    @property
    def stem(self) -> str:
        """The name of the files, without a suffix."""
        return f"gauge-book-{self.version}"

    def page(self, address: str, code: str) -> str:
        """The title page."""
        at = (
            f'<p class="at-address"><a href="{escape(address)}">{escape(address)}</a></p>{code}'
            if address
            else ""
        )
        revision = f", revision {escape(self.revision)}" if self.revision else ""
        day = f"{self.date.day} {self.date:%B %Y}"
        return (
            f'<section class="title-page"><p class="book-title">{escape(self.title)}</p>'
            f'<p class="authors">{escape(self.authors)}</p>'
            f"<p>Version {escape(self.version)}{revision}<br/>{day}</p>{at}"
            f'<div class="licence">{self.licence}</div></section>'
        )


def read(root: Path = ROOT, environment=os.environ) -> Imprint:
    """From the book's configuration, its citation file and git.

    The date is that of SOURCE_DATE_EPOCH, else of the last commit, else of the last release.
    """
    config = yaml.safe_load((root / "_config.yml").read_text("utf8"))
    citation = yaml.safe_load((root / "CITATION.cff").read_text("utf8"))
    revision, _, seconds = git(root, "log", "-1", "--format=%h %ct").partition(" ")
    if revision and git(root, "status", "--porcelain", "--untracked-files=no"):
        revision += ", changed since"
    seconds = environment.get("SOURCE_DATE_EPOCH") or seconds
    released = datetime.fromisoformat(str(citation["date-released"])).replace(tzinfo=UTC)
    return Imprint(
        title=config["title"],
        authors=config["author"][:1].upper() + config["author"][1:],
        licence=config["sphinx"]["config"]["html_theme_options"]["extra_footer"].strip(),
        version=str(citation["version"]),
        revision=revision,
        date=datetime.fromtimestamp(int(seconds), UTC) if seconds else released,
        language=config["sphinx"]["config"]["language"],
        subject=" ".join(citation.get("abstract", "").split()),
    )


def git(root: Path, *words: str) -> str:
    """What git says about this book; nothing if the folder is not the top of a repository."""
    if not (root / ".git").exists():
        return ""
    done = subprocess.run(
        ["git", "-c", f"safe.directory={root}", "-C", str(root), *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() if done.returncode == 0 else ""
