"""Which names of the library stand where in a piece of code: read with `ast`, nothing is run.

What a name means is said by imports: `gl.NAME`, `gaugelib.part.NAME`,
`from gaugelib.part import NAME`. A name that is also bound to something else is left alone.
"""

import ast
import re
from collections.abc import Callable, Iterator

LIBRARY = "gaugelib"
COMMAND = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)  # of IPython
PROMPTED = re.compile(r"^(?!>>> |\.\.\. ).*$", re.MULTILINE)
PROMPT = re.compile(r"^(?:>>> |\.\.\. )", re.MULTILINE)

Finder = Callable[[str], str]  # from `gaugelib.part.NAME` to an address, "" if there is none


def parsed(text: str, prompts: bool) -> ast.Module:
    """The code of a block, each line where it was; empty if it is no Python."""
    if prompts:
        text = PROMPT.sub("", PROMPTED.sub("", text))
    try:
        return ast.parse(COMMAND.sub(r"\1pass", text))
    except SyntaxError:
        return ast.Module([], [])


def imported(trees: list[ast.Module]) -> dict[str, str]:
    """What the names mean that these pieces of code import from the library, and mean only that."""
    meant: dict[str, str] = {}
    bound: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                meant[name] = alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                meant[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
    return {
        name: what
        for name, what in meant.items()
        if name not in bound and what.partition(".")[0] == LIBRARY
    }


def named(tree: ast.Module, meant: dict[str, str]) -> Iterator[tuple[str, int, int, str]]:
    """What is named where: its full name, line, column in bytes, and the word itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield f"{node.module}.{alias.name}", alias.lineno, alias.col_offset, alias.name
        elif isinstance(node, ast.Name | ast.Attribute) and (full := dotted(node, meant)):
            word = node.id if isinstance(node, ast.Name) else node.attr
            yield full, node.end_lineno or 0, (node.end_col_offset or 0) - len(word.encode()), word


def dotted(node: ast.expr, meant: dict[str, str]) -> str:
    """The full name of an expression such as `gl.NAME`; "" if it has none."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value, meant)
        return before and f"{before}.{node.attr}"
    return meant.get(node.id, "") if isinstance(node, ast.Name) else ""


def places(text: str, tree: ast.Module, meant, find: Finder, prompts: bool) -> dict[int, tuple]:
    """Offset in the text -> word and address, of the first place of each name."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    found: dict[int, tuple[str, str]] = {}
    for full, row, column, word in sorted(named(tree, meant), key=lambda one: one[1:3]):
        address = find(full)
        if address and address not in {known for _, known in found.values()}:
            shift = 4 * prompts
            before = lines[row - 1][shift:].encode()[:column].decode()
            found[starts[row - 1] + shift + len(before)] = word, address
    return found
