"""The library's floors, what imports what, and the drawing of it that the book shows.

python -m tools.floor_plan
"""

import ast
import pathlib
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "gaugelib"
DRAWING = ROOT / "book" / "images" / "floor_plan.svg"

FLOORS = (
    {"nodes"},
    {"group"},
    {"bounds", "memory", "rows"},
    {"action", "gradient", "modules", "networks", "tracing"},
    {"balance", "curvature", "equivariance", "flow", "mlp", "noether", "soft"},
    {"gauges"},  # one solver of `balance` for all of them; `optim` can keep any
    {"check", "data", "optim", "proofs", "testing"},
    {"plot"},
    {"experiments"},
    {"widgets"},  # on top: one of them shows what the experiments stored
)
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}


def room(path: pathlib.Path, package: pathlib.Path) -> str:
    """The module that a file belongs to; a subpackage is one room."""
    return path.relative_to(package).parts[0].removesuffix(".py")


def files(package: pathlib.Path) -> list[pathlib.Path]:
    """All files of the package but its front door."""
    return [path for path in sorted(package.rglob("*.py")) if path != package / "__init__.py"]


def imported(path: pathlib.Path, package: pathlib.Path) -> Iterator[str]:
    """The modules of the package that a file imports: anywhere in it, and only for types, too."""
    here = (package.name, *path.relative_to(package).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets: list[str] = []
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = here[: len(here) - node.level + 1] if node.level else ()
            base = ".".join((*start, *([node.module] if node.module else [])))
            names = [f"{base}.{alias.name}" for alias in node.names]
            targets = [name if is_module(name, package) else base for name in names]
        yield from (t for t in targets if t.split(".")[0] == package.name)


def is_module(name: str, package: pathlib.Path) -> bool:
    """Whether a dotted name is that of a file or a folder of the package."""
    path = package.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()


def rooms(package: pathlib.Path = PACKAGE) -> dict[str, set[str]]:
    """Each room, and the other rooms that it imports from; the front door is the room ''."""
    found: dict[str, set[str]] = {}
    for path in files(package):
        others = {(*name.split("."), "")[1] for name in imported(path, package)}
        found.setdefault(room(path, package), set()).update(others)
    return {name: others - {name} for name, others in found.items()}


def modules(package: pathlib.Path = PACKAGE) -> dict[str, set[str]]:
    """Each module, and the modules that it imports."""
    found: dict[str, set[str]] = {}
    for path in files(package):
        name = ".".join((package.name, *path.relative_to(package).with_suffix("").parts))
        name = name.removesuffix(".__init__")
        found[name] = set(imported(path, package)) - {name}
    return found


STEP, LINE, LEFT, TOP = 10, 17, 82, 14


def drawing(package: pathlib.Path = PACKAGE) -> str:
    """The rooms from the roof to the ground, and a dot for each import, as an inline SVG.

    A room's imports stand in its line, above the rooms that they lead to. The letters are 12 units
    high and all is 300 wide, as a phone's page is; the ink is that of the text around.
    """
    imports = rooms(package)
    order = sorted(imports, key=lambda name: (-FLOOR[name], name))
    x = {name: LEFT + STEP * k for k, name in enumerate(order)}
    y = {name: TOP + LINE * k for k, name in enumerate(order)}
    bands, rows = [], []
    for floor in range(len(FLOORS)):
        lines = [y[name] for name in order if FLOOR[name] == floor]
        if lines and floor % 2:
            height = max(lines) - min(lines) + LINE
            bands.append(f'<path d="M0 {min(lines) - LINE // 2 - 1}h300v{height}h-300z"/>')
    for name in order:
        others = sorted(imports[name], key=order.index)
        dots = "".join(f'<circle cx="{x[other]}" cy="{y[name]}" r="3"/>' for other in others)
        wire = f"M{x[name]} {y[name]}H{x[others[-1]]}" if others else ""
        users = [y[other] for other in order if name in imports[other]]
        wire += f"M{x[name]} {y[name]}V{min(users)}" if users else ""
        rows.append(
            f"<g><title>{name}: imports {', '.join(others) or 'nothing'}</title>"
            f'<path d="{wire}"/><text x="{x[name] - 7}" y="{y[name] + 4}">{name}</text>'
            f'<path d="M{x[name] - 3} {y[name] - 3}h6v6h-6z"/>{dots}</g>'
        )
    floors = [", ".join(sorted(FLOORS[floor] & set(order))) for floor in range(len(FLOORS))]
    words = (
        "The parts of gaugelib on their floors, each joined to the parts that it imports, which "
        f"are all on lower floors. From the ground to the roof: {'; '.join(filter(None, floors))}."
    )
    return "\n".join(
        (
            f'<svg viewBox="0 0 300 {2 * TOP + LINE * (len(order) - 1)}" role="img"',
            f'aria-label="{words}"',
            'style="display:block;width:100%;max-width:26rem;margin:1.5rem auto;break-inside:avoid;'
            'font:12px var(--sans, sans-serif)" fill="currentColor" text-anchor="end">',
            f'<g opacity=".07">{"".join(bands)}</g><g stroke="currentColor" stroke-width=".6">',
            *(row.replace("<text", '<text stroke="none"') for row in rows),
            "</g></svg>\n",
        )
    )


if __name__ == "__main__":
    DRAWING.write_text(drawing(), encoding="utf-8")
