"""Answers to the exercises that pages check: right ones, known mistakes, anything typed."""

import json
import random
from functools import cache

from gaugebook.answers import as_data
from gaugelib import check
from tests.check.formulas import number, truth
from tools.execute_notebooks import find_notebooks

LEAST = 200  # answers to each exercise
RIGHT = {
    "balance": "(sum(abs(w_out) ** p) / sum(abs(w_in) ** p)) ** (1 / (2 * p))",
    "balanced_unit": ["(out / into) ** (1 / (2 * k))", "2 * sqrt(into * out)"],
    "circle_factor": "(r * r + s * s) / (2 * r * s)",
    "flow_end": [
        "((w**p - v**p + sqrt((w**p - v**p) ** 2 + 4 * y**p)) / 2) ** (1 / p)",
        "y / ((w**p - v**p + sqrt((w**p - v**p) ** 2 + 4 * y**p)) / 2) ** (1 / p)",
    ],
    "flow_path": None,
    "gauge_dimension": "sum(widths[1:-1])",
    "halving_epochs": "log(2) / (decay * p * lr * steps)",
    "has_lightest": "min(exponents) < 0 < max(exponents) or min(exponents) == max(exponents) == 0",
    "homogeneity": [1, 1, 1, None, None, None, 2, 1],
    "keeps_gauge": [True, False, False, False, False, False, False, True],
    "lost_share": "1 - exp(-decay * p * lr * steps * (1 - factor**epochs) / (1 - factor))",
    "massive_modes": "sum(widths[1:-1]) - dead",
    "no_trap": "n == 2 or a + (n - 1) * b == 0",
    "outgoing_factor": "a**-k",
    "predicted_share": "prod(totals) ** (1 / len(totals)) * len(totals) / sum(totals)",
    "refutation": ["0.5", "1", "100", "100"],
    "relaxation_time": "log(tanh(u0 / 2) / tanh(u1 / 2)) / (4 * kappa * rho)",
    "resting_imbalance": [
        *(True, True, False, False, False, False),
        "lr**2 * (into - out) / (1 - (1 - lr * decay) ** 2)",
    ],
    "safe_exponents": ["1 / (2 * max(lengths) * p)", "1 / (max(lengths) * p)"],
    "steps_needed": "log(factor) / -log(cos(pi / (2 * layers)) ** 2)",
    "trace_gauge": ["d / o", "(d + o) / (2 * sqrt(d * o))"],
    "transformer_dials": "(2 * blocks + 1) * width + blocks"
    " * (shared * size * (1.5 if rotary else 2) + inner * (2 if relu else 1))",
    "two_eigenvalues": ["2 * target - 2 * decay", "2 * decay"],
    "weight_rate": "p * bias * slope",
}


@cache
def stubs():
    """The cells that ask a checker, by its name."""
    found = {}
    for path in find_notebooks():
        for cell in json.loads(path.read_text("utf8"))["cells"]:
            code = "".join(cell["source"])
            if cell["cell_type"] == "code" and "solution" not in cell["metadata"].get("tags", []):
                found |= {name: code for name in vars(check) if f"check.{name}(" in code}
    return found


@cache
def exercise(name):
    return json.loads(json.dumps(as_data(name, getattr(check, name), stubs()[name])))


def texts_of(answer):
    return answer if isinstance(answer, list) else [answer]


def chosen_by_case(name, pick):
    """Formulas that give at each case what is picked for it, and at others its right answer."""
    asked = exercise(name)
    pieces = {}
    for k, case in enumerate(asked["cases"]):
        many = case.get("many")
        for call, given in enumerate(case["given"] if many else [case["given"]]):
            wanted = pick(k, case)
            wanted = wanted[call] if many else wanted
            part = case.get("part", slice(None))
            answer = pieces.setdefault(
                json.dumps(given), [given, [None] * max(len(asked["parts"]), 1)]
            )
            answer[1][part] = (
                wanted if isinstance(wanted, list) else [wanted] if part == slice(None) else wanted
            )
    texts = []
    for part in range(max(len(asked["parts"]), 1)):
        text = "0"
        for given, answer in pieces.values():
            text = f"({answer[part]!r} if {is_given(asked['names'], given)} else {text})"
        texts.append(text)
    return texts


def is_given(names, given):
    """A condition that is true for these arguments."""
    parts = []
    for name, each in zip(names, given, strict=True):
        if isinstance(each, list):
            parts.append(f"len({name}) == {len(each)}")
            parts += [f"{name}[{k}] == {x!r}" for k, x in enumerate(each)][:2]
        else:
            parts.append(f"{name} == {each!r}")
    return " and ".join(parts)


def known_mistakes(name):
    """At each case in turn each of its known mistakes, with the right answers before it."""
    for k, case in enumerate(exercise(name)["cases"]):
        for _, wrong in case.get("wrong", []):
            yield chosen_by_case(
                name, lambda n, one, k=k, wrong=wrong: wrong if n == k else one["right"]
            )
        if case.get("tolerance") or not case.get("many"):
            for factor in (1.5, 0.7, -1, 1 + 1e-5, 1 + 1e-6, 1 + 2e-4, 1 + 3e-5):
                yield chosen_by_case(
                    name,
                    lambda n, one, k=k, factor=factor: (
                        [factor * x for x in one["right"]]
                        if isinstance(one["right"], list)
                        else factor * one["right"]
                    )
                    if n == k
                    else one["right"],
                )  # fmt: skip


def answers(name):
    """Right ones, known mistakes, near misses, random formulas: the same ones each time."""
    draw, asked = random.Random(name), exercise(name)
    right = RIGHT[name] or chosen_by_case(name, lambda _, case: case["right"])
    found = [texts_of(right)]
    if asked["form"] == "ticked":
        ticks, rule = right[:6], right[6]
        rules = [f"({rule}) * {x}" for x in ("-1", "(1 - lr * decay)", "2", "(1 + 1e-6)", "1e-9")]
        rules += ["lr * (into - out) / (2 * decay)", "lr * (into - out) / decay", "0", "1 / 0"]
        rules += ["lr**2 * (into - out)", "lr**2 * (into + out) / (1 - (1 - lr * decay) ** 2)"]
        rules += [rule, *(number(draw, asked["names"], [], 2) for _ in range(40))]
        found += [[*ticks, rule] for rule in rules] + [[*(not t for t in ticks), rule]]
        while len(found) < LEAST:
            found.append([*(t != (draw.random() < 0.2) for t in ticks), draw.choice(rules)])
        return found
    if asked.get("rows"):
        rows, choices = len(asked["rows"]), asked["choices"]
        found += [wrong for case in asked["cases"] for _, wrong in case.get("wrong", [])]
        while len(found) < LEAST:
            tried = list(right)
            for k in draw.sample(range(rows), draw.randint(1, 3)):
                tried[k] = draw.choice(choices)
            found.append(tried)
        return found
    count = max(len(asked["parts"]), 1)
    if name == "refutation":
        found += [["0.3", "-1", "100", "30"], ["1/2", "2", "-50", "5"], ["2", "1", "100", "100"]]
        for _ in range(120):
            numbers = [draw.choice([-1, 1, 1]) * 10 ** draw.uniform(-3, 5) for _ in range(3)]
            found.append([draw.choice(["0.5", "0.2", "0.9", "1", "0", "-1"]), *map(repr, numbers)])
    mistakes = list(known_mistakes(name)) if name != "refutation" else []
    found += draw.sample(mistakes, min(len(mistakes), 140))
    if name == "no_trap":
        rules = [
            "a + 2 * b == 0",
            "n == 2",
            "a + n * b == 0",
            "a == (n - 1) * b",
            "a * b < 0",
            "n == 2 or a == 0",
        ]
        found += [[rule] for rule in rules] + [[f"not {rule}"] for rule in rules]
    lists = [n for n, given in zip(asked["names"], first_given(asked)) if isinstance(given, list)]
    plain_names = [n for n in asked["names"] if n not in lists]
    found += [
        [text] * count
        for text in (
            "1/0",
            "0/0",
            "-1/0",
            "log(0 - 1)",
            "True",
            "1 == 1",
            "0",
            "1",
            *asked["names"],
        )
    ]
    found += [[*texts_of(right)[:-1], text] for text in ("1/0", "sqrt(-1)", "True", "0")]
    found += [
        [*texts_of(right)[:-1], f"({texts_of(right)[-1]}) * {x}"]
        for x in ("2", "-1", "0.5", "100", "(1 + 1e-5)")
    ]
    while len(found) < LEAST:
        make = truth if asked["form"] == "truth" and draw.random() < 0.8 else number
        found.append([make(draw, plain_names, lists, draw.randint(1, 3)) for _ in range(count)])
    return found


def first_given(asked):
    case = asked["cases"][0]
    return case["given"][0] if case.get("many") else case["given"]
