"""Formulas as Python computes them, to compare with what the pages make of them."""

import json
import math
import random
import re
import subprocess
from pathlib import Path

import numpy as np

from gaugebook.katex import node_path

SCRIPT = Path(__file__).with_name("verdicts.cjs")


def in_node(**lists):
    """What the scripts of the pages say, in one process."""
    done = subprocess.run(
        [node_path(), str(SCRIPT)], input=json.dumps(lists), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _one_or_many(reduce):
    return lambda *values: reduce(values[0] if len(values) == 1 else values)


# but not the places in a list
NUMBER = re.compile(r"(?<![\w.\[:])(?<![\[:]-)(?<!e[-+])(\d+\.?\d*(?:e[-+]?\d+)?)")
SAME = ("sqrt", "exp", "log2", "log10", "log1p", "expm1", "abs", "sin", "cos", "tan",
        "sinh", "cosh", "tanh", "ceil", "floor", "sign", "round", "degrees", "radians", "hypot",
        "sum", "prod", "float64")  # fmt: skip
ARCS = ("asin", "acos", "atan", "asinh", "acosh", "atanh")
FUNCTIONS = {
    **{name: getattr(np, name) for name in SAME},
    **{name: getattr(np, f"arc{name[1:]}") for name in ARCS},
    "log": lambda x, *base: np.log(x) / np.log(base[0]) if base else np.log(x),
    "pow": np.power,
    "min": _one_or_many(np.min),
    "max": _one_or_many(np.max),
    "len": lambda values: np.float64(len(values)),
    "pi": np.float64(math.pi),
}


def compiled(text):
    """A formula as Python's own code, with numpy's numbers: what they divide by 0 is infinite."""
    return compile(NUMBER.sub(r"float64(\1)", text), "formula", "eval")


def value(code, scope):
    """What it computes from numbers and lists."""
    names = {
        name: np.array([float(x) for x in given]) if np.ndim(given) else np.float64(given)
        for name, given in scope.items()
    }
    with np.errstate(all="ignore"):
        found = eval(code, {"__builtins__": {}, **FUNCTIONS}, names)
    return found.tolist() if isinstance(found, np.ndarray) else found


LEAVES = ("{}[0]", "{}[-1]", "len({})", "sum({})", "max({})", "prod({}[1:])", "min({}[:-1])")


def number(draw: random.Random, names, lists, depth=3):
    """A random formula that gives a number."""
    if depth == 0 or draw.random() < 0.15:
        leaves = [*names, "1", "2", "0.5", "3e-1", "4", "pi"]
        leaves += [leaf.format(name) for name in lists for leaf in LEAVES]
        return draw.choice(leaves)

    def part():
        return number(draw, names, lists, depth - 1)

    kind = draw.randrange(10)
    if kind < 5:
        return f"{part()} {draw.choice(['+', '-', '*', '/', '//', '%', '**'])} {part()}"
    if kind == 5:
        return f"{draw.choice(['-', '+', '- -'])}{part()}"
    if kind == 6:
        one = ("sqrt", "log", "exp", "abs", "tanh", "cos", "math.floor", "np.log2", "round")
        return f"{draw.choice(one)}({part()})"
    if kind == 7:
        return f"{draw.choice(['min', 'max', 'hypot', 'log'])}({part()}, {part()})"
    if kind == 8:
        return f"({part()} if {truth(draw, names, lists, depth - 1)} else {part()})"
    return f"({part()})"


def truth(draw: random.Random, names, lists, depth=2):
    """A random formula that gives True or False."""

    def part():
        return number(draw, names, lists, max(depth - 1, 0))

    sign = draw.choice(["<", ">", "<=", ">=", "==", "!="])
    kind = draw.randrange(6) if depth > 0 else 0
    if kind < 2:
        return f"{part()} {sign} {part()}"
    if kind == 2:
        return f"{part()} < {part()} {sign} {part()}"
    if kind == 3:
        return f"not {truth(draw, names, lists, depth - 1)}"
    first, second = (truth(draw, names, lists, depth - 1) for _ in range(2))
    return f"({first} {draw.choice(['and', 'or'])} {second})"
