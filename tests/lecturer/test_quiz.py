"""The quiz for a learning platform: each answer a group, right values right, no solution."""

import random
import re

import pytest

from tools.teach import Answer, Collection, Problem, ProblemError, load, problem
from tools.teach.quiz import quiz


@problem(title="A product", stars=1, minutes=5)
def product(draw):
    a, b = draw.randint(2, 9), draw.randint(11, 19)
    word = "even" if a * b % 2 == 0 else "odd"
    other = {"even": "odd", "odd": "even"}[word]
    return Problem(
        question=f"Multiply ${a}$ and ${b}$.\n\n$$x = {a}\\cdot{b}$$",
        answers=(
            Answer("$x$", a * b, lambda: a * b, mistakes=((a + b, "added"), (-a * b, "a sign"))),
            Answer("its parity", word, lambda: word, mistakes=((other, "guessed"),)),
        ),
        solution="The SOLUTION is a product.",
        marks=((3, "MARKED for the product"), (1, "its parity")),
    )


TOY = Collection("toy", (product,))


def test_each_answer_is_a_group_of_questions_with_other_numbers():
    text = quiz(TOY, 6)
    groups = re.findall(r"^GROUP$.*?^END_GROUP$", text, re.DOTALL | re.MULTILINE)
    assert len(groups) == 2
    assert all("pick: 1\npoints per question: 2" in group for group in groups)
    assert len(set(re.findall(r"Multiply \$(\d+)\$ and \$(\d+)\$", groups[0]))) >= 4


def test_the_value_of_each_question_is_that_of_its_own_numbers():
    found = re.findall(
        r"Multiply \$(\d+)\$ and \$(\d+)\$.*?^=   ([\d.]+) \+-",
        quiz(TOY, 6),
        re.DOTALL | re.MULTILINE,
    )
    assert len(found) >= 4
    assert all(int(a) * int(b) == float(value) for a, b, value in found)


def test_a_word_is_chosen_and_one_is_right():
    text = quiz(TOY, 1)
    assert len(re.findall(r"^\*[ab]\) (?:even|odd)$", text, re.MULTILINE)) == 1
    assert len(re.findall(r"^[ab]\) (?:even|odd)$", text, re.MULTILINE)) == 1


def test_neither_solution_nor_marks_are_in_it():
    text = quiz(TOY, 3)
    assert "SOLUTION" not in text
    assert "MARKED" not in text
    assert "SOLUTION" in product(random.Random(0)).solution  # the control


def test_another_salt_gives_other_numbers():
    assert quiz(TOY, 3, "one") != quiz(TOY, 3, "two")
    assert quiz(TOY, 3, "one") == quiz(TOY, 3, "one")


def test_a_chapter_of_the_book_makes_a_quiz():
    assert quiz(load()["symmetry"], 1).count("END_GROUP") >= 2


def test_control_a_chapter_of_proofs_makes_none():
    @problem(title="A proof", stars=1, minutes=5)
    def proof(draw):
        return Problem("Prove.", "So.", ((1, "all"),), witness=lambda: True, control=lambda: False)

    with pytest.raises(ProblemError, match="asks for a number or a word"):
        quiz(Collection("proofs", (proof,)), 2)
