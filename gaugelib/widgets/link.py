"""The linker: how widgets share mathematics although each one is loaded from a single string.

A widget is an ES module beside its Python class, and it imports as any module does what lies in its
own folder and in `shared/`::

    import { rescaled, normPower } from "./gauge.js";

Node runs such files as they are, which is how they are tested. A notebook, however, loads the
widget from a Blob URL, where a relative address leads nowhere. So `linked_module` writes the whole
graph into one string, once per class: every imported module becomes a function that is called on
the spot and returns its exports, ::

    const module_gauge = (() => { ...; return { rescaled, normPower }; })();

and every import becomes a destructuring of such an object. Each module keeps a scope of its own, so
names of different modules cannot collide; a module imported twice is written once. Only the
widget's own file keeps its `export` words.

The linker reads a small, strict part of the language and refuses the rest by name: imports are
static, relative and named (with or without `as`); exports stand in front of `function`, `class` or
`const`; an import or export begins its line.
"""

from __future__ import annotations

import re
from pathlib import Path

from gaugelib.group import GaugeError

_IMPORT = re.compile(r'^import\s*\{(?P<names>[^}]*)\}\s*from\s*"(?P<address>[^"]+)";[ \t]*$', re.M)
_EXPORT = re.compile(
    r"^export\s+(?P<declaration>(?:async\s+function\*?|function\*?|class|const)\s+(?P<name>\w+))",
    re.M,
)
_LEFT_OVER = re.compile(r"^(?:import|export)\b.*$|\bimport\s*(?:\(|\.meta\b).*$", re.M)


def linked_module(path: Path) -> str:
    """The ES module at `path` with every module that it imports, as one self-contained source.

    Args:
        path: the widget's own module; its imports are resolved beside it.

    Raises:
        GaugeError: an address that is not relative, a missing file, a cycle, an imported name that
            its module does not export, or a form of `import` or `export` that is not read here.
    """
    path = path.resolve()
    written: dict[Path, str] = {}
    body = _resolved(path, home=path.parent, written=written, chain=(path,))
    _refuse_leftovers(_EXPORT.sub("", re.sub(r"^export default\b", "", body, flags=re.M)), path)
    return "\n".join([*written.values(), body])


def linked_style(*paths: Path) -> str:
    """The style sheets at `paths`, joined in this order; one that loads another file is refused."""
    sheets = []
    for path in paths:
        text = _read(path)
        if re.search(r"@import|url\((?!\s*['\"]?(?:data:|#))", text):
            raise GaugeError(f"{path.name}: a style sheet of a widget may not load another file")
        sheets.append(text)
    return "\n".join(sheets)


def _resolved(path: Path, home: Path, written: dict[Path, str], chain: tuple[Path, ...]) -> str:
    """The text of one module, its imports replaced; what it needs is added to `written`."""

    def destructure(found: re.Match[str]) -> str:
        address = found["address"]
        target = (path.parent / address).resolve()
        inside = any(target.is_relative_to(folder) for folder in (home, home.parent / "shared"))
        if not address.startswith(("./", "../")) or not inside:
            raise GaugeError(
                f"{path.name} imports {address!r}: only a relative address inside the folder of "
                "the widget or inside shared/ can be linked"
            )
        if target in chain:
            raise GaugeError(f"{path.name} imports {address!r}, which imports it back: a cycle")
        if target not in written:
            written[target] = _wrapped(target, home, written, chain)
        names = [name.split(" as ") for name in _names(found["names"])]
        missing = sorted({name[0].strip() for name in names} - set(_exports(_read(target))))
        if missing:
            raise GaugeError(
                f"{path.name} imports {', '.join(missing)} from {address!r}, "
                "which does not export it"
            )
        pattern = ", ".join(": ".join(part.strip() for part in name) for name in names)
        return f"const {{ {pattern} }} = {_variable(target, home)};"

    return _IMPORT.sub(destructure, _read(path))


def _wrapped(path: Path, home: Path, written: dict[Path, str], chain: tuple[Path, ...]) -> str:
    """One imported module as `const module_NAME = (() => { ... return { exports }; })();`."""
    body = _resolved(path, home, written, (*chain, path))
    exports = ", ".join(_exports(body))
    body = _EXPORT.sub(lambda found: found["declaration"], body)
    _refuse_leftovers(body, path)
    return f"const {_variable(path, home)} = (() => {{\n{body}\nreturn {{ {exports} }};\n}})();"


def _exports(body: str) -> list[str]:
    return [found["name"] for found in _EXPORT.finditer(body)]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _variable(path: Path, home: Path) -> str:
    place = path.relative_to(home if path.is_relative_to(home) else home.parent)
    return "module_" + re.sub(r"\W", "_", place.with_suffix("").as_posix())


def _refuse_leftovers(body: str, path: Path) -> None:
    found = _LEFT_OVER.search(body)
    if found:
        raise GaugeError(f"{path.name}: the linker does not read {found[0].strip()!r}")


def _read(path: Path) -> str:
    if not path.is_file():
        raise GaugeError(f"no file {path.name!r} to link in {path.parent.name}/")
    return path.read_text(encoding="utf-8")
