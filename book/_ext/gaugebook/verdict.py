"""Runs in the kernels of a build: which choice of a prediction is right, and what was computed.

`predictions` puts a cell before each answer that calls `judge`. What an author writes is evaluated
in a copy of the page's names, and must depend on something that the page or gaugelib computed:
nobody types an answer. It imports nothing of the book.
"""

import ast
import builtins
import json
from operator import index
from types import ModuleType
from unittest.mock import patch

LIBRARY = "gaugelib"
LONGEST = 120  # letters of a result: it stands on one line or two


class PredictionError(ValueError):
    """What is wrong with an expression, and what to do."""


def judge(spec: dict) -> None:
    """Print the verdict on one prediction; the page's own names stay as they are."""
    import comm
    from IPython import get_ipython

    # A widget that is asked for its numbers is nowhere to be seen: the page would carry its state.
    with patch("comm.create_comm", comm.DummyComm):
        said = verdict(spec, get_ipython().user_ns)
    print(json.dumps(said))


def verdict(spec: dict, page: dict) -> dict:
    """The indices of the right choices and the computed result.

    Args:
        spec: `name`, `choices` (how many), `several`, and the author's `right`, `found`, `code`.
        page: the names of the page.
    """
    code, name = "\n".join(spec.get("code", [])), spec["name"]
    known = computed_names(page)
    names, before = dict(page), states(page)
    run(name, "code", code, names)
    known = followed(name, code, known)
    values = {}
    for part in ("right", "found"):
        if not loaded(parsed(name, part, spec[part])) & known:
            raise PredictionError(
                f"{name}: `{part}` is {spec[part]!r}, which depends on nothing that the page or "
                f"{LIBRARY} computed; choose by a computed number, so that the answer follows it"
            )
        values[part] = run(name, part, spec[part], names)
    if states(page) != before:
        raise PredictionError(
            f"{name}: a generator of the page was drawn from, so that what follows on the page "
            "would change; make one of its own in `code`"
        )
    return {
        "right": indices(name, values["right"], spec["choices"], spec["several"]),
        "found": text(name, values["found"]),
    }


def parsed(name: str, part: str, source: str) -> ast.AST:
    """The author's code as a tree."""
    try:
        return ast.parse(source, mode="exec" if part == "code" else "eval")
    except SyntaxError as error:
        raise PredictionError(f"{name}: `{part}` is no Python: {error}: {source!r}") from None


def run(name: str, part: str, source: str, names: dict):
    """Execute code, or evaluate an expression, in these names."""
    tree = compile(parsed(name, part, source), f"<{part} of {name}>", _mode(part))
    try:
        return eval(tree, names)
    except Exception as error:
        raise PredictionError(
            f"{name}: `{part}` fails with {type(error).__name__}: {error}. It is evaluated after "
            f"the last code cell before the answer: {source!r}"
        ) from error


def _mode(part: str) -> str:
    return "exec" if part == "code" else "eval"


def computed_names(page: dict) -> set[str]:
    """Names that stand for what the page or the library has, and not for a tool."""
    return {name for name, value in page.items() if not name.startswith("_") and is_ours(value)}


def is_ours(value: object) -> bool:
    """A value of the page, a function of the page or of the library."""
    if isinstance(value, ModuleType):
        return value.__name__.partition(".")[0] == LIBRARY
    if callable(value) and hasattr(value, "__qualname__"):  # a function or a class
        return str(value.__module__).partition(".")[0] in (LIBRARY, "__main__")
    return True


def followed(name: str, code: str, known: set[str]) -> set[str]:
    """The names that depend on what was computed, after the lines of `code`, too."""
    known = set(known)
    for statement in parsed(name, "code", code).body:  # type: ignore[attr-defined]
        new = {n.id for n in ast.walk(statement) if is_name(n, ast.Store)}
        new |= {n.name for n in ast.walk(statement) if isinstance(n, ast.FunctionDef)}
        depends = bool(loaded(statement) & known)
        for part in ast.walk(statement):
            if isinstance(part, ast.Import | ast.ImportFrom):
                new |= {alias.asname or alias.name.partition(".")[0] for alias in part.names}
                modules = [getattr(part, "module", None), *(alias.name for alias in part.names)]
                depends |= any(str(m).partition(".")[0] == LIBRARY for m in modules)
        known = known | new if depends else known - new
    return known


def loaded(tree: ast.AST) -> set[str]:
    """The names that code reads, without those of its loops within and of its functions."""
    bound = {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    inner = (ast.comprehension, ast.FunctionDef)
    for part in (n for n in ast.walk(tree) if isinstance(n, inner)):
        within = part.target if isinstance(part, ast.comprehension) else part
        bound |= {n.id for n in ast.walk(within) if is_name(n, ast.Store)}
    read = {n.id for n in ast.walk(tree) if is_name(n, ast.Load)}
    return read - bound - set(vars(builtins))


def is_name(node: ast.AST, context: type) -> bool:
    """Whether it reads, or binds, a name."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, context)


def states(page: dict) -> list[bytes]:
    """Where the page's generators of random numbers stand."""
    generators = [v for v in page.values() if hasattr(v, "get_state") and hasattr(v, "manual_seed")]
    return [bytes(generator.get_state().tolist()) for generator in generators]


def indices(name: str, value: object, choices: int, several: bool) -> list[int]:
    """The right choices, counted from 0; of `several`, also from a truth value for each choice."""
    value = value.tolist() if hasattr(value, "tolist") else value
    try:
        found = list(value) if several else [value]  # type: ignore[call-overload]
        found = [item.item() if hasattr(item, "item") else item for item in found]
        if several and len(found) == choices and all(isinstance(v, bool) for v in found):
            found = [place for place, holds in enumerate(found) if holds]
        found = sorted({index(item) for item in found})
    except TypeError:
        found = []
    if not found or not 0 <= found[0] <= found[-1] < choices:
        wanted = "indices, or a truth value for each choice" if several else "the index of a choice"
        raise PredictionError(
            f"{name}: `right` gives {value!r}; it must give {wanted}, counted from 0, of {choices}"
        )
    return found


def text(name: str, value: object) -> str:
    """The computed result as a page shows it."""
    if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST or "\n" in value:
        raise PredictionError(
            f"{name}: `found` gives {value!r}; it must give one line of text, at most {LONGEST} "
            "letters"
        )
    if "$" in value:
        raise PredictionError(f"{name}: `found` gives {value!r}; it is shown as plain text, no TeX")
    return value.strip()
