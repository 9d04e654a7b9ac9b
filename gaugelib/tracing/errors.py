"""What an error says: its first line, the line of the model behind it, and what to do about it."""

from __future__ import annotations

import traceback
from pathlib import Path

import torch

STAND_IN = (
    "the forward is run on stand-ins for tensors, which know no values: give a tensor to functions "
    "of torch only, and let attributes of the model decide what is done"
)
_TORCH = Path(torch.__file__).parent
_PYTHON = Path(traceback.__file__).parent
_HERE = Path(__file__).parent


def first_line(error: Exception) -> str:
    """The first line of an error's message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def explained(error: Exception) -> str:
    """What went wrong on stand-ins, the line of the model where it did, and what to do."""
    return f"{first_line(error)}{_line(traceback.extract_tb(error.__traceback__))}; {STAND_IN}"


def here() -> str:
    """The line of the model that is being executed."""
    return _line(traceback.extract_stack())


def _line(stack: traceback.StackSummary) -> str:
    """The deepest line of the model's own code; if there is none, of a library that it uses."""
    frames = [frame for frame in stack if not _is_ours(Path(frame.filename))]
    own = [frame for frame in frames if "site-packages" not in frame.filename]
    if not frames:
        return ""
    frame = (own or frames)[-1]
    return f" [{Path(frame.filename).name}:{frame.lineno}: {frame.line}]"


def _is_ours(file: Path) -> bool:
    """Whether it is a file of torch, of Python itself or of this package."""
    installed = "site-packages" in file.parts
    standard = _PYTHON in file.parents and not installed
    return _TORCH in file.parents or _HERE in file.parents or standard
