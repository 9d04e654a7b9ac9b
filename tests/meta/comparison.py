"""How stored outputs are compared with those of a fresh execution."""

import base64
import copy
import difflib
import io
from collections.abc import Iterator

import nbformat
import numpy as np
from nbformat import NotebookNode
from PIL import Image

# Another processor rounds the last bit otherwise, which can move the edge of a line by a shade.
SHADES, SHARE = 16, 0.005


def differences(stored: NotebookNode, fresh: NotebookNode) -> Iterator[str]:
    """How two executions differ: every byte counts, but pictures are compared as pictures."""
    stored, pictures = without_pictures(stored)
    fresh, again = without_pictures(fresh)
    texts = [nbformat.writes(n).splitlines() for n in (stored, fresh)]
    yield from difflib.unified_diff(*texts, "stored", "fresh", lineterm="", n=1)
    for where in sorted(pictures.keys() & again.keys()):
        if not same_picture(pictures[where], again[where]):
            yield f"the picture of cell {where[0]} is not the one that the cell draws"


def without_pictures(notebook: NotebookNode) -> tuple[NotebookNode, dict[tuple[int, int], str]]:
    """The notebook with each PNG replaced by a mark, and the PNGs by cell and output."""
    notebook, pictures = copy.deepcopy(notebook), {}
    for i, cell in enumerate(notebook.cells):
        for k, output in enumerate(cell.get("outputs", [])):
            if "image/png" in output.get("data", {}):
                pictures[i, k] = output.data["image/png"]
                output.data["image/png"] = "a picture"
    return notebook, pictures


def same_picture(one: str, other: str) -> bool:
    """Equal size, and nearly every pixel equal up to a few shades."""
    if one.strip() == other.strip():
        return True
    a, b = (pixels(png) for png in (one, other))
    if a.shape != b.shape:
        return False
    return bool((np.abs(a - b).max(axis=-1) > SHADES).mean() <= SHARE)


def pixels(png: str) -> np.ndarray:
    """The colours of a base64 PNG, (height, width, 4)."""
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        return np.asarray(image.convert("RGBA"), dtype=int)
