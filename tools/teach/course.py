"""Where a course keeps what is its own: problems and secrets that are in no public repository."""

import os
from pathlib import Path

from tools.teach.loading import ROOT
from tools.teach.problem import ProblemError

SETTINGS = ROOT / "course.yml"


def overlay_of(given: Path | None = None, settings: Path = SETTINGS) -> Path | None:
    """The overlay's folder: as given, else COURSE_OVERLAY, else `overlay` of course.yml, or none.

    Raises:
        ProblemError: a folder is named that is not there.
    """
    named = given or os.environ.get("COURSE_OVERLAY") or _written(settings)
    if not named:
        return None
    folder = (settings.parent / Path(named).expanduser()).resolve()
    if not folder.is_dir():
        raise ProblemError(
            f"the course's overlay {folder} is not there: mend course.yml, or make it"
        )
    return folder


def _written(settings: Path) -> str | None:
    if not settings.is_file():
        return None
    import yaml

    return (yaml.safe_load(settings.read_text("utf8")) or {}).get("overlay")
