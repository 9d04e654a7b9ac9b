"""On a page: a reader chooses before the answer opens, and what was computed stands beside it.

The choices of a question become a form, and the outputs up to its answer are shut. The answers
themselves stand at the end of the page, where paper and readers without scripts find them;
`book/site/predict.js` brings one to its place when its reader has chosen.
"""

import json
from collections.abc import Iterator
from html import escape

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode, NbMetadataCollector
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform

from .predictions import END, INSERTED
from .search import readable, tidy
from .widgets import raw

TITLE = "Answers to the predictions"
FORM = '<form class="predict-form" data-predict="{name}" autocomplete="off"><fieldset>'
LEGEND = '<legend class="visually-hidden">Your prediction</legend>'
LABEL = (
    '<label><input class="pst-js-only" type="{type}" name="{name}" value="{place}"{heard}> <span>'
)
BUTTONS = """</fieldset><p class="predict-do pst-js-only">\
<button type="submit">That is my prediction</button> <button type="button">Show me</button></p>\
<p class="predict-said pst-js-only" aria-live="polite"></p>\
<p class="predict-then pst-js-only" hidden><a href="#{name}-answer">Read the answer</a> \
<button type="reset">Choose again</button> \
<button type="button" class="predict-all" hidden>Show all on this page</button></p>\
<p class="predict-ahead"><a href="#{name}-answer">The answer</a> stands at the end of the page.</p>\
</form>"""
SHUT = """<details class="admonition hide predict-shut" data-predict="{names}">\
<summary><span class="pst-js-only">Opens when you have {chosen}</span>\
<noscript>Show the output</noscript></summary>
"""


class shut(nodes.General, nodes.Element):
    """An output that opens when the questions in `predict` are answered."""


def read_verdicts(app, doctree) -> None:
    """Take the cells that found the verdicts out of a page that was read; its answers keep them."""
    cells = [c for c in doctree.findall(is_cell) if INSERTED in c.get("cell_metadata", {})]
    for cell in cells:
        name, said = cell["cell_metadata"][INSERTED], cell.astext().strip()
        if said:
            box_of(doctree, "predicted", f"{name}-answer")["verdict"] = json.loads(said)
        elif NbMetadataCollector.get_exec_data(app.env, app.env.docname):
            raise ExtensionError(f"{app.env.docname}: the cell of {name} was executed in vain")
        cell.parent.remove(cell)


def is_cell(node: nodes.Node) -> bool:
    """Whether it is a code cell."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def boxes(doctree: nodes.Node, kind: str) -> Iterator[nodes.admonition]:
    """The named boxes of a kind."""
    for box in doctree.findall(nodes.admonition):
        if kind in box["classes"] and box["ids"]:
            yield box


def box_of(doctree: nodes.document, kind: str, name: str) -> nodes.admonition:
    """The box of a name."""
    for box in boxes(doctree, kind):
        if name in box["ids"]:
            return box
    raise ExtensionError(f"{doctree.get('source')}: no box of class {kind} is named {name}")


class Play(SphinxPostTransform):
    """After outputs have been folded (199) and references resolved."""

    default_priority = 895
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Shut the outputs, move the answers, make forms of the questions."""
        answers = {box["ids"][0]: box for box in boxes(self.document, "predicted")}
        if not answers:
            return
        questions = {
            name: box_of(self.document, "predict", name[: -len("-answer")]) for name in answers
        }
        for output, names in list(self.between(questions, answers)):
            shut_in(output, names)
        end = nodes.section("", nodes.title("", TITLE), ids=[END], classes=[END])
        for name, answer in answers.items():
            choices = self.choices_of(questions[name])
            here = raw(f'<div class="predict-here" data-predict="{name[:-7]}"></div>')
            answer.parent.replace(answer, here)
            discuss(answer, choices)
            end.append(answer)
        for question in questions.values():
            ask(question, list(self.choices_of(question)))
        next(iter(self.document.findall(nodes.section))).append(end)

    def between(self, questions: dict, answers: dict) -> Iterator[tuple[nodes.Element, list[str]]]:
        """Every output that is no widget, and the questions that are open where it stands."""
        waiting: list[str] = []
        asked = {id(box): name[: -len("-answer")] for name, box in questions.items()}
        answered = {id(box): name[: -len("-answer")] for name, box in answers.items()}
        for node in self.document.findall():
            if id(node) in asked:
                waiting.append(asked[id(node)])
            elif id(node) in answered:
                waiting.remove(answered[id(node)])
            elif waiting and is_output(node) and not has_widget(node):
                yield node, list(waiting)

    def choices_of(self, question: nodes.admonition) -> list[nodes.paragraph]:
        """The choices of a question, each in one paragraph."""
        items = question[-1].children if isinstance(question[-1], nodes.enumerated_list) else []
        if not items or any(len(i) != 1 or not isinstance(i[0], nodes.paragraph) for i in items):
            raise ExtensionError(
                f"{self.env.docname}: {question['ids'][0]} does not end in a numbered list of "
                "choices, each of one paragraph"
            )
        for link in [link for item in items for link in item.findall(nodes.reference)]:
            link.parent.replace(link, link.children)  # who clicks on a choice chooses it
        return [item[0] for item in items]


def is_output(node: nodes.Node) -> bool:
    """Whether it is what a code cell shows."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code_output"


def has_widget(output: nodes.Element) -> bool:
    """A widget begins unrevealed, and is there to find the answer with."""
    return any("widget-live" in part.astext() for part in output.findall(nodes.raw))


def shut_in(output: nodes.Element, names: list[str]) -> None:
    """Put an output behind one line, in place of the fold that it may have."""
    folded = output.parent if isinstance(output.parent, HideCodeCellNode) else output
    gate = shut(predict=names)
    folded.parent.replace(folded, gate)
    gate.append(output)


def ask(question: nodes.admonition, choices: list[nodes.paragraph]) -> None:
    """Make a form of the list."""
    name, several = question["ids"][0], "several" in question["classes"]
    for place, choice in enumerate(choices):
        kind = "checkbox" if several else "radio"
        label = LABEL.format(type=kind, name=name, place=place, heard=heard(choice))
        choice.insert(0, raw(label))
        choice.append(raw("</span></label>"))
    question.insert(len(question) - 1, raw(FORM.format(name=name) + LEGEND))
    question.append(raw(BUTTONS.format(name=name)))


def heard(choice: nodes.paragraph) -> str:
    """A name in plain text, where a formula would be left out of it."""
    has_formula = any(True for _ in choice.findall(nodes.math))
    return f' aria-label="{escape(tidy(readable(choice)))}"' if has_formula else ""


def discuss(answer: nodes.admonition, choices: list[nodes.paragraph]) -> None:
    """Say in an answer what was computed, and of each choice what it is."""
    verdict = answer.get("verdict")
    listed = next(part for part in answer.children if isinstance(part, nodes.enumerated_list))
    if len(listed) != len(choices):
        raise ExtensionError(f"{answer['ids'][0]}: {len(listed)} answers to {len(choices)} choices")
    if verdict is not None:
        found = nodes.paragraph("", f"Computed: {verdict['found']}", classes=["predict-computed"])
        answer.insert(answer.index(listed), found)
    for place, (item, choice) in enumerate(zip(listed.children, choices, strict=True)):
        line = nodes.paragraph("", "", *said(choice), classes=["choice"])
        if verdict is not None and place in verdict["right"]:
            item["classes"].append("right")
            line.append(raw(' <span class="predict-right">right</span>'))
        item.insert(0, line)
    answer["classes"].remove("dropdown")
    back = answer["ids"][0].removesuffix("-answer")
    answer.append(raw(f'<p class="back"><a href="#{escape(back)}">Back to the question</a></p>'))


def said(choice: nodes.paragraph) -> list[nodes.Node]:
    """A choice once more."""
    return [part.deepcopy() for part in choice.children]


def visit_shut(translator, node: shut) -> None:
    """A native disclosure: it opens without a script, and when a word in it is sought."""
    translator.body.append(
        SHUT.format(
            names=" ".join(node["predict"]),
            chosen="chosen" if len(node["predict"]) == 1 else "answered the questions above",
        )
    )


def depart_shut(translator, node: shut) -> None:
    """Close it."""
    translator.body.append("</details>\n")


def setup(app) -> None:
    """When a page has been read, and when it is written."""
    app.connect("doctree-read", read_verdicts)
    app.add_node(shut, html=(visit_shut, depart_shut))
    app.add_post_transform(Play)
