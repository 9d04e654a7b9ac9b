"""What an error says: its first line, the line of the model behind it, and what to do about it."""

from __future__ import annotations

import traceback
from pathlib import Path

import torch

STAND_IN = (
    "the forward is run on stand-ins for tensors, which know no values, sizes, dtype or device: it "
    "must not branch on these, loop over a tensor, or give a stand-in to what needs a real tensor, "
    "number or name (float, len, torch.func, autocast(x.device.type), einops); decide by "
    "attributes of the model, and write it with methods and functions of torch"
)

ADVICE = {
    "parameter is not a member of this module": (
        "it uses a parameter that the model does not list, as one in a plain list or dict, which "
        "is not saved, moved or rescaled with it; hold it in nn.ParameterList or nn.ParameterDict"
    ),
    "module is not installed as a submodule": (
        "it calls a module that the model does not list, as one in a plain list or dict or one "
        "made in the forward; make it in __init__, and hold several in nn.ModuleList or "
        "nn.ModuleDict"
    ),
}
"""What messages of the tracer mean."""

_TORCH = Path(torch.__file__).parent
_PYTHON = Path(traceback.__file__).parent
_HERE = Path(__file__).parent


def first_line(error: Exception) -> str:
    """The first line of an error's message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def explained(error: Exception) -> str:
    """What the tracer says, the line of the model where it does, and what to write instead."""
    found = first_line(error)
    advice = next((text for said, text in ADVICE.items() if said in found), STAND_IN)
    return f"{found}{_where(error)}; {advice}"


def _where(error: Exception) -> str:
    """The deepest line of the model's own code; if there is none, of a library that it uses."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not _is_ours(Path(frame.filename))
    ]
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
