#!/usr/bin/env bash
# text2qti adds the points of all questions of a group to what the group gives: a quiz of two points is worth five.
#
# Version: text2qti 0.8.0.
# Behaviour: a group with `pick: 1` and `points per question: 2` gives a student one question and two points, however
#   many questions it holds. The zip says so in the assessment (`selection_number` 1, `points_per_item` 2). But the
#   quiz's own total, `points_possible` in `assessment_meta.xml`, grows by one for each question in the group: 3 with
#   one question, 4 with two, 5 with three. Without a group it is right. Nothing is said, and the exit status is 0.
# Why it matters here: numbers that differ from student to student are groups of variants; with eight variants of an
#   answer of two points the total is ten.
# Remedy: look at the total after the import, and set it by hand if the platform has taken it over.
# Upstream: no report of this was found.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet text2qti==0.8.0
cd "$folder"
export HOME="$folder" # no settings of the user's
venv/bin/python - <<'END'
import re
import subprocess
import zipfile

QUESTION = "{k}. What is 1 + {k}?\n=   {answer} +- 0.001\n"


def total(variants: int, *, grouped: bool) -> float:
    """The points of a quiz of so many questions, of which a group asks one for two points."""
    asked = "\n".join(QUESTION.format(k=k, answer=1 + k) for k in range(1, variants + 1))
    group = f"GROUP\npick: 1\npoints per question: 2\n\n{asked}\nEND_GROUP\n"
    with open("quiz.txt", "w", encoding="utf8") as file:
        file.write("Quiz title: Sums\n\n" + (group if grouped else asked))
    done = subprocess.run(["venv/bin/text2qti", "quiz.txt"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile("quiz.zip") as made:
        texts = {name: made.read(name).decode() for name in made.namelist() if name.endswith(".xml")}
    if grouped:
        whole = "".join(texts.values())
        assert "<selection_number>1<" in whole and "<points_per_item>2<" in whole
    meta = next(text for name, text in texts.items() if name.endswith("assessment_meta.xml"))
    return float(re.search(r"<points_possible>([\d.]+)<", meta)[1])


found = [total(variants, grouped=True) for variants in (1, 2, 3)]
print("a group that gives two points, with 1, 2 and 3 questions: total", *found)
alone = [total(questions, grouped=False) for questions in (1, 2, 3)]
print("as many questions without a group, one point each: total", *alone)
assert found == [3.0, 4.0, 5.0], found
assert alone == [1.0, 2.0, 3.0], alone
END
