"""A page says to an answer what the checker says: same verdict, same words."""

from copy import deepcopy
from functools import cache
from unittest.mock import patch

import numpy as np
import pytest
import torch

from gaugebook.answers import as_data, plain, seeded
from gaugelib import check
from gaugelib.check import fresh
from gaugelib.check.cases import asked_by
from tests.check.formulas import compiled, in_node, value
from tests.check.tried import LEAST, RIGHT, answers, exercise, stubs, texts_of

pytestmark = pytest.mark.xdist_group("what pages say to answers")


def said_by_checker(name, texts):
    """What the checker says to a function that computes these formulas with numpy."""
    asked = exercise(name)
    with patch.object(fresh, "draw", seeded()):
        if name == "homogeneity":
            return check.homogeneity(dict(zip(asked["rows"], texts, strict=True)))
        if name == "keeps_gauge":
            chosen = iter(texts)
            return check.keeps_gauge(lambda *given: next(chosen))
        ticked = {row for row, tick in zip(asked.get("rows", []), texts, strict=False) if tick}
        texts = [text for text in texts if isinstance(text, str)]
        codes = [compiled(text.replace("np.", "").replace("math.", "")) for text in texts]
        if name == "refutation":
            return check.refutation(
                dict(zip(asked["parts"], [value(code, {}) for code in codes], strict=True))
            )

        def function(*given):
            if asked["form"] == "ticked":
                if given[0] not in ticked:
                    return [False, 0.0]
                return [True, value(codes[0], dict(zip(asked["names"], given[1:], strict=True)))]
            scope = dict(zip(asked["names"], map(plain, given), strict=True))
            found = [value(code, scope) for code in codes]
            return found if asked["parts"] else found[0]

        return getattr(check, name)(function)


@cache
def both():
    """Answers to every exercise, what the page says to each, and what the checker says."""
    tried = [(name, texts) for name in RIGHT for texts in answers(name)]
    page = in_node(asked=[(exercise(name), texts) for name, texts in tried])["asked"]
    return [(*one, said, said_by_checker(*one)) for one, said in zip(tried, page, strict=True)]


def test_every_exercise_of_cases_is_on_a_page_and_here():
    assert {
        name for name, x in vars(check).items() if callable(x) and getattr(x, "asked", None)
    } == RIGHT.keys()
    assert stubs().keys() >= RIGHT.keys()


@pytest.mark.parametrize("name", RIGHT)
def test_a_page_says_what_the_checker_says(name):
    tried = [(texts, said, verdict) for one, texts, said, verdict in both() if one == name]
    assert len(tried) >= LEAST
    for texts, said, verdict in tried:
        assert (said["passed"], said["message"]) == (verdict.passed, verdict.message), texts
    assert tried[0][1]["passed"]


@pytest.mark.parametrize("name", RIGHT)
def test_every_hint_of_a_known_mistake_is_given(name):
    given = {said["message"] for one, _, said, _ in both() if one == name}
    hints = set(exercise(name)["hints"])
    # of two mistakes that coincide the first is named, and for p = 2 some are right
    assert 3 * len(hints - given) <= len(hints)


def test_what_cannot_be_read_does_not_pass_and_no_known_mistake_is_named():
    for text in ("", "2p", "w^2", "1,5", "lambda p: p", "p +", "()", "p p", "sqrt(", "os.getcwd()"):
        said = in_node(asked=[(exercise("weight_rate"), [text])])["asked"][0]
        assert not said["passed"]
        assert said["unread"] == 0


def test_a_fault_found_while_computing_is_told_of_its_own_field():
    for texts, field in ((["1", "p[0]"], 1), (["sqrt()", "1"], 0)):
        two = exercise("two_eigenvalues") | {"names": ["p"]}
        assert in_node(asked=[(two, texts)])["asked"][0]["unread"] == field


@pytest.mark.parametrize("text", ["(" * 50_000, "-" * 50_000 + "1", "1" + "+1" * 50_000])
def test_what_is_too_deep_is_told_as_too_long(text):
    said = in_node(asked=[(exercise("weight_rate"), [text])])["asked"][0]
    assert (said["message"], said["unread"]) == ("this formula is too long.", 0)


@pytest.mark.parametrize("name", ["weight_rate", "two_eigenvalues", "keeps_gauge", "refutation"])
def test_control_a_case_or_a_hint_that_is_changed_on_one_side_is_noticed(name):
    tried = [(texts, verdict) for one, texts, _, verdict in both() if one == name]

    def disagree(change):
        other = deepcopy(exercise(name))
        change(other)
        page = in_node(asked=[(other, texts) for texts, _ in tried])["asked"]
        return any(
            (said["passed"], said["message"]) != (verdict.passed, verdict.message)
            for said, (_, verdict) in zip(page, tried, strict=True)
        )

    def other_hint(page):
        if page["hints"]:
            page["hints"] = [f"{hint}!" for hint in page["hints"]]
        else:
            page["cases"][0]["rules"][0][1] += "!"

    def other_case(page):
        case = page["cases"][0]
        if "rules" in case:
            case["rules"][0][0] = "False"
        else:
            case["right"] = [
                not x if isinstance(x, bool) else x + 1 for x in texts_of(case["right"])
            ]

    assert not disagree(lambda page: None)
    assert disagree(other_hint)
    assert disagree(other_case)


def test_a_page_holds_the_same_cases_at_every_build():
    first, second = (as_data(name, getattr(check, name), stubs()[name]) for name in ["balance"] * 2)
    assert first == second
    torch.manual_seed(0)
    np.random.default_rng(0)
    assert as_data("balance", check.balance, stubs()["balance"]) == first


def test_a_checker_that_takes_tensors_or_functions_has_no_cases():
    assert as_data("alive", check.alive) is None
    assert asked_by(check.drift_order) is None
