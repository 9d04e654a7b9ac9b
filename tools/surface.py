"""The public surface of gaugelib: its top-level names, each with the parameters it takes.

tests/meta/released.json keeps that of the last release; tools/release.py writes it. A name or a
parameter that was released may go only after a release in which it warns: `lost` tells which do
not.
"""

import inspect
import json
import types
import warnings
from pathlib import Path

RELEASED = Path(__file__).resolve().parents[1] / "tests" / "meta" / "released.json"


def parameters(thing: object) -> list[str]:
    """The names of the parameters of a function or a class; none of anything else."""
    try:
        return list(inspect.signature(thing).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return []


def surface(package: types.ModuleType) -> dict[str, list[str]]:
    """Each public name with its parameters."""
    return {name: parameters(getattr(package, name)) for name in sorted(package.__all__)}


def lost(released: dict[str, list[str]], package: types.ModuleType) -> list[str]:
    """What was released and is gone without a deprecation that names a successor.

    A name that is no longer in `__all__` may still be had, with a `DeprecationWarning`: a module's
    `__getattr__` gives it. A parameter stays in the signature as long as it is deprecated.
    """
    found = []
    for name, takes in released.items():
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            thing = getattr(package, name, None)
        if thing is None:
            found.append(name)
        elif name not in package.__all__ and not any(
            issubclass(w.category, DeprecationWarning) and "use " in str(w.message) for w in told
        ):
            found.append(f"{name} warns of nothing")
        else:
            found += [f"{name}({p})" for p in takes if p not in parameters(thing)]
    return found


def write(version: str, package: types.ModuleType, path: Path | None = None) -> None:
    """Keep the surface of this release."""
    kept = {"version": version, "names": surface(package)}
    (path or RELEASED).write_text(json.dumps(kept, indent=1) + "\n", "utf8")
