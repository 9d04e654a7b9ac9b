"""The mutants of a source are the small errors that were meant, and nothing else."""

import ast

import pytest

from tools.mutation_sites import mutants

IN_A_FUNCTION = "def f(a, b, x, n):\n    return {}\n"


def changes(expression):
    found = mutants("m.py", IN_A_FUNCTION.format(expression).encode())
    return {m.after.removeprefix("return ") for m in found}


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("-a", {"+a"}),
        ("a + b", {"a - b"}),
        ("a - b", {"a + b"}),
        ("a * b", {"a / b"}),
        ("a // b", {"a * b"}),
        ("a**-b", {"a*-b", "a**+b"}),
        ("a < b", {"a <= b", "a >= b"}),
        ("a >= b", {"a > b", "a < b"}),
        ("a == b", {"a != b"}),
        ("a is not b", {"a is b"}),
        ("a in b", {"a not in b"}),
        ("a < b <= x", {"a <= b <= x", "a >= b <= x", "a < b < x", "a < b > x"}),
        ("a and b or x", {"a or b or x", "a and b and x"}),
        ("not a", {" a"}),
        ("~a | b", {"a | b", "~a & b"}),
        ("a if x else b", {"a if (not x) else b"}),
        ("[y for y in a if y.b]", {"[y for y in a if (not y.b)]"}),
        ("x.sum(dim=-1)", {"x.sum(dim=+1)", "x.sum(dim=-2)"}),
        ("x[1:]", {"x[2:]"}),
        ("x[a : a + n]", {"x[(a) + 1 : a + n]", "x[a : (a + n) + 1]", "x[a : a - n]"}),
        ("slice(a, b)", {"slice((a) + 1, b)", "slice(a, (b) + 1)"}),
        ("100 + 0.5", {"50 + 0.5", "100 + 1.0", "100 - 0.5"}),
        ("(1e-13, 0.0)", {"(1e-10, 0.0)", "(1e-13, 1.0)"}),
        ("True", {"False"}),
        ("min(a, b)", {"max(a, b)"}),
        ("x.add_(b)", {"x.sub_(b)"}),
        ("x.any()", {"x.all()"}),
        ("reversed(x)", {"list(x)"}),
        ("(\n        a  # + not here\n        + b\n    )", {"- b"}),
        ("'é' < a", {"'é' <= a", "'é' >= a"}),  # columns are counted in bytes
    ],
)
def test_an_expression_has_its_errors(written, becomes):
    assert {c.strip() for c in changes(written)} == {b.strip() for b in becomes}


def test_statements_have_their_errors():
    source = (
        b"def f(n, unused=0, used=1):\n"
        b"    while n:\n"
        b"        n -= used\n"
        b"        if n == 3:\n"
        b"            break\n"
    )
    found = {m.after for m in mutants("m.py", source)}
    header = "def f(n, unused=0, used=2):"
    assert found == {header, "while (not n):", "n += used", "if n != 3:", "if n == 4:", "pass"}


@pytest.mark.parametrize(
    "source",
    [
        '"""Sums 1 + 1."""\n',
        "x: 'list[-1] | None'\n",
        "Size = int | None\n",
        "def f(x: tuple[1, 2] = None) -> 3 < 4: ...\n",
        "def f(n):\n    raise ValueError(f'{n + 1} of {-n}')\n",
        "def f(n):\n    return f'{n + 1} of {-n}'\n",
        "@dataclass(frozen=True)\nclass A: ...\n",
        "def f(a, b):\n    return zip(a, b, strict=True)\n",
        "def f(a):\n    return [a for _ in range(_STEPS)]\n",
        "def f(a):\n    return isinstance(a, int | float)\n",
        "def f(a):\n    warnings.warn('1', stacklevel=2)\n",
        "if TYPE_CHECKING:\n    import a\n",
    ],
)
def test_what_carries_no_behaviour_is_left_alone(source):
    assert mutants("m.py", source.encode()) == []


def test_each_mutant_is_another_program_in_one_line():
    source = b"def f(a, b, n):\n    x = a[n:] * -1\n    return x + b if x < 2.5 else max(a, b)\n"
    found = mutants("m.py", source)
    trees = {ast.dump(ast.parse(m.apply(source))) for m in found}
    assert len(trees) == len(found)
    assert ast.dump(ast.parse(source)) not in trees
    for mutant in found:
        pairs = zip(source.decode().splitlines(), mutant.apply(source).decode().splitlines())
        changed = [(k, b.strip(), a.strip()) for k, (b, a) in enumerate(pairs, 1) if b != a]
        assert changed == [(mutant.line, mutant.before, mutant.after)]


def test_a_mutant_keeps_its_name_when_lines_move():
    source = (
        b"class A:\n    def f(self, a):\n        a = a + 1\n        a = a + 1\n        return a\n"
    )
    found = mutants("m.py", source)
    moved = mutants("m.py", b"\n\nb = c\n" + source)
    assert [m.name for m in found] == [m.name for m in moved]
    assert [m.line for m in found] != [m.line for m in moved]
    assert len({m.name for m in found}) == len(found) == 4
    assert {m.scope for m in found} == {"A.f"}


def test_a_mutant_knows_the_statement_that_runs_it():
    source = b"N = 1\ndef f(n=2):\n    if n:\n        return (\n            n + 3\n        )\n"
    reach = {m.after: m.reach for m in mutants("m.py", source)}
    assert reach["N = 2"] == 0
    assert reach["def f(n=3):"] == reach["if (not n):"] == 3
    assert reach["n - 3"] == 4
