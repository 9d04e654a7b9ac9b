"""Mutants of Python source: small changes of meaning, made as pure functions of the text.

What carries no behaviour is left alone: annotations, docstrings and other strings, what is raised
and its message, warnings, the options of `dataclass`, `zip(strict=)`.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

OPERATORS: dict[type[ast.AST], tuple[str, ...]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
    ast.Lt: ("<", "<=", ">="),
    ast.LtE: ("<=", "<", ">"),
    ast.Gt: (">", ">=", "<="),
    ast.GtE: (">=", ">", "<"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
"""What is written, then what it is changed to, one after the other."""

_PAIRS = "min max, amin amax, minimum maximum, argmin argmax, any all, floor ceil, zeros ones"
_PAIRS += ", logical_and logical_or, new_zeros new_ones, zeros_like ones_like, add sub, mul div"
CALLS = {a: b for pair in _PAIRS.split(", ") for a, b in (pair.split(), pair.split()[::-1])}

_SILENT = {"strict", "stacklevel"}
_TEXT = (ast.JoinedStr, ast.Tuple, ast.List, ast.ListComp)


@dataclass(frozen=True)
class Mutant:
    """One change of a file.

    Attributes:
        file: path of the source, from the root.
        scope: qualified name of the function or class around it, empty at the top.
        line: number of the line where it starts.
        before: the line as it is, without indentation.
        after: the line as it becomes.
        start: first byte that is replaced.
        end: first byte after what is replaced.
        new: what is put there.
        reach: line of the statement that must run for the change to matter; 0 if it runs at import.
        again: how many equal changes of equal lines come before it in the same scope.
    """

    file: str
    scope: str
    line: int
    before: str
    after: str
    start: int
    end: int
    new: str
    reach: int
    again: int = 0

    @property
    def name(self) -> str:
        """What identifies it when lines above it move."""
        return "\n".join((self.file, self.scope, self.before, self.after, str(self.again)))

    def apply(self, source: bytes) -> bytes:
        """The source with this one change."""
        return source[: self.start] + self.new.encode() + source[self.end :]


def mutants(file: str, source: bytes) -> list[Mutant]:
    """All mutants of a source, in the order in which they stand."""
    reader, seen, found = _Reader(source), Counter[str](), []
    changes = sorted(set(reader.body(ast.parse(source).body, "", at_import=True)))
    for start, end, new, scope, reach in changes:
        first, last = source.rfind(b"\n", 0, start) + 1, source.find(b"\n", end)
        before = source[first:last].decode()
        after = (source[first:start] + new.encode() + source[end:last]).decode()
        line = 1 + source.count(b"\n", 0, start)
        made = Mutant(file, scope, line, before.strip(), after.strip(), start, end, new, reach)
        again = seen[made.name]
        seen[made.name] += 1
        found.append(Mutant(*(*_fields(made)[:-1], again)))
    return found


def _fields(mutant: Mutant) -> tuple:
    return tuple(getattr(mutant, name) for name in Mutant.__dataclass_fields__)


Change = tuple[int, int, str, str, int]


class _Reader:
    def __init__(self, source: bytes) -> None:
        self.source = source
        self.starts = [0, *(match.end() for match in re.finditer(b"\n", source))]

    def body(self, body: list[ast.stmt], scope: str, at_import: bool) -> Iterator[Change]:
        for statement in body:
            reach = 0 if at_import else statement.lineno
            for change in self.statement(statement, scope, at_import):
                yield change if len(change) == 5 else (*change, scope, reach)

    def statement(self, node: ast.stmt, scope: str, at_import: bool) -> Iterator[tuple]:
        if isinstance(node, ast.Raise):
            return
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner, is_class = f"{scope}.{node.name}".lstrip("."), isinstance(node, ast.ClassDef)
            for part in node.decorator_list:
                if "dataclass" not in ast.unparse(part):
                    yield from self.expression(part)
            for default in [] if is_class else _defaults(node):
                reach = node.body[min(1, len(node.body) - 1)].lineno if at_import else node.lineno
                for change in self.expression(default):
                    yield *change, inner, reach
            yield from self.body(node.body, inner, at_import and is_class)
            return
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Break | ast.Continue):
            yield *self.span(node), "pass"
        for name, value in ast.iter_fields(node):
            if name == "annotation" or name == "type_comment":
                continue
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.stmt):
                    yield from self.body([part], scope, at_import)
                elif isinstance(part, ast.ExceptHandler | ast.match_case):
                    yield from self.body(part.body, scope, at_import)
                elif isinstance(part, ast.expr):
                    yield from self.expression(part)
                elif isinstance(part, ast.withitem):
                    yield from self.expression(part.context_expr)
        if isinstance(node, ast.If | ast.While):
            yield from self.negated(node.test)
        if isinstance(node, ast.AugAssign):
            yield from self.between(node.target, node.value, node.op, suffix="=")

    def expression(self, node: ast.AST) -> Iterator[tuple]:
        if isinstance(node, ast.JoinedStr):
            return
        yield from self.here(node)
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name.endswith("warn"):
                return
            checked = name in ("isinstance", "issubclass")
            parts = [node.func, *(node.args[:1] if checked else node.args)]
            parts += [k.value for k in node.keywords if k.arg not in _SILENT]
        elif isinstance(node, ast.Lambda):
            parts = [*node.args.defaults, node.body]
        else:
            parts = list(ast.iter_child_nodes(node))
        for part in parts:
            yield from self.expression(part)

    def here(self, node: ast.AST) -> Iterator[tuple]:
        if isinstance(node, ast.Constant):
            yield from self.constant(node)
        elif isinstance(node, ast.BinOp):
            sides = (node.left, node.right)
            if not any(isinstance(s, _TEXT) or _is_text(s) or _is_none(s) for s in sides):
                yield from self.between(*sides, node.op)
        elif isinstance(node, ast.UnaryOp):
            start, end = self.span(node)[0], self.span(node.operand)[0]
            new = {ast.USub: "+", ast.Not: "", ast.Invert: ""}.get(type(node.op))
            if new is not None:
                length = 3 if isinstance(node.op, ast.Not) else 1
                yield start, min(end, start + length), new
        elif isinstance(node, ast.BoolOp):
            for left, right in pairwise(node.values):
                yield from self.between(left, right, node.op)
        elif isinstance(node, ast.Compare):
            for (left, right), op in zip(pairwise([node.left, *node.comparators]), node.ops):
                yield from self.between(left, right, op)
        elif isinstance(node, ast.IfExp):
            yield from self.negated(node.test)
        elif isinstance(node, ast.comprehension):
            for test in node.ifs:
                yield from self.negated(test)
        elif isinstance(node, ast.Slice):
            for bound in (node.lower, node.upper):
                yield from self.shifted(bound)
        elif isinstance(node, ast.Call):
            yield from self.call(node)

    def call(self, node: ast.Call) -> Iterator[tuple]:
        end = self.span(node.func)[1]
        name = ast.unparse(node.func).rsplit(".", 1)[-1]
        bare = name.removesuffix("_")
        if bare in CALLS:
            yield end - len(name), end, CALLS[bare] + name[len(bare) :]
        if name == "reversed":
            yield end - len(name), end, "list"
        if name in ("slice", "range"):
            for bound in node.args:
                yield from self.shifted(bound)

    def constant(self, node: ast.Constant) -> Iterator[tuple]:
        value = node.value
        if isinstance(value, bool):
            new: object = not value
        elif isinstance(value, int):
            new = value + 1 if value < 10 else value // 2
        elif isinstance(value, float):
            new = value * (2 if 1e-3 <= value <= 1e3 else 1000) if value else 1.0
        else:
            return
        yield *self.span(node), repr(new)

    def negated(self, test: ast.expr) -> Iterator[tuple]:
        if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant):
            start, end = self.span(test)
            yield start, end, f"(not {self.source[start:end].decode()})"

    def shifted(self, bound: ast.expr | None) -> Iterator[tuple]:
        written = bound.operand if isinstance(bound, ast.UnaryOp) else bound
        if isinstance(written, ast.Name) and written.id.isupper():
            return  # a bound on rounds: the constant itself has a mutant
        if bound is not None and not isinstance(written, ast.Constant | ast.Starred):
            start, end = self.span(bound)
            yield start, end, f"({self.source[start:end].decode()}) + 1"

    def between(self, left: ast.AST, right: ast.AST, op: ast.AST, suffix: str = "") -> Iterator:
        if type(op) not in OPERATORS:
            return
        start, end = self.span(left)[1], self.span(right)[0]
        old, *others = OPERATORS[type(op)]
        gap = re.sub(rb"#[^\n]*", lambda m: b" " * len(m[0]), self.source[start:end])
        pattern = re.escape(old + suffix).replace(r"\ ", r"\s+").encode()
        found = re.search(pattern, gap)
        assert found is not None, (old, gap)
        for new in others:
            yield start + found.start(), start + found.end(), new + suffix

    def span(self, node: ast.AST) -> tuple[int, int]:
        first = self.starts[node.lineno - 1] + node.col_offset
        return first, self.starts[node.end_lineno - 1] + node.end_col_offset


def _defaults(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    """Defaults of the parameters that the function uses: others only mirror a signature."""
    used = {n.id for part in node.body for n in ast.walk(part) if isinstance(n, ast.Name)}
    places = [*node.args.posonlyargs, *node.args.args]
    pairs = [*zip(places[::-1], node.args.defaults[::-1])]
    for argument, default in [*pairs, *zip(node.args.kwonlyargs, node.args.kw_defaults)]:
        if default is not None and argument.arg in used:
            yield default


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_none(node: ast.AST) -> bool:  # of a union of types
    return isinstance(node, ast.Constant) and node.value is None
