"""What a page that is not running says of its cells, where the notebook needs no word.

- A solution is opened by its whole title, without a script; a link in it leads to the exercise.
- Below the checker's answer to the empty stub stands how an answer of one's own is checked: on the
  page itself, if a formula is enough (`answers`).
- The first cell, which finds the library and imports, is folded.
"""

from html import escape

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import is_solution_node, solution_node

from .answers import forms
from .repository import COLAB
from .widgets import raw

FIRST_LINE = "try:\n    import gaugelib\n"
SETUP = "To run this page yourself: the first cell"
NOT_YET = "Not yet:"
TRY = (
    "This is the checker’s answer to the empty stub. "
    "To have one of your own checked, {here}run this page {places}."
)
HERE = '<span class="pst-js-only">give it below, or </span>'
PYTHON = "which takes Python, "


class OpenByTitle(SphinxPostTransform):
    """The title of a solution names its exercise; the link to it stands below, in the solution."""

    default_priority = 900  # the titles are resolved at 21
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Make each title a summary, and its link a paragraph."""
        for solution in self.document.findall(is_solution_node):
            title = solution[0]
            said = [part.astext().strip() for part in title.children]
            for link in title.findall(nodes.reference):
                number = link.astext().strip().partition(" (")[0]
                back = nodes.reference("", f"Back to {number}", **link.attributes)
                solution.insert(1, nodes.paragraph("", "", back, classes=["back"]))
            summary = f'<summary class="admonition-title">{escape(" ".join(said))}</summary>'
            solution.replace(title, raw(summary))
            solution["classes"].remove("dropdown")


def visit_solution(translator, node: solution_node) -> None:
    """A native disclosure: it opens without a script, and when a word in it is sought.

    Its first child is the summary.
    """
    translator.body.append(translator.starttag(node, "details", CLASS="admonition"))


def depart_solution(translator, node: solution_node) -> None:
    """Close it."""
    translator.body.append("</details>\n")


class SayHowToTry(SphinxPostTransform):
    """A reader of a static page sees "Not yet" and cannot answer it there."""

    default_priority = 890  # each output has one representation since 4
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Add a paragraph to each such output outside the solutions."""
        for output in self.document.findall(is_part("cell_code_output")):
            if says_not_yet(output) and not within_solution(output):
                below = forms(
                    "".join(c.astext() for c in output.parent.findall(is_part("cell_code_source")))
                )
                how = TRY.format(here=HERE if below else PYTHON, places=self.places())
                output.append(raw(f'<p class="verdict-how">{how}</p>{below}'))

    def places(self) -> str:
        """Where the page can be run: in Colab if it is published, in Jupyter in any case."""
        name = self.env.docname
        here = f"{'../' * name.count('/')}_sources/{name}.ipynb"
        jupyter = f'<a class="reference download" href="{here}" download>in Jupyter</a>'
        repository = self.app.gaugebook_repository
        if repository is None:
            return jupyter
        colab = f"{COLAB}/github/{repository.slug}/blob/gh-pages/_sources/{name}.ipynb"
        return f'<a class="reference external" href="{colab}">in Colab</a> or {jupyter}'


def is_part(kind: str):
    """Tells the parts of a cell by myst-nb's names."""
    return lambda node: isinstance(node, nodes.container) and node.get("nb_element") == kind


def says_not_yet(output: nodes.Element) -> bool:
    """Whether a verdict in it asks for an answer: shown, or printed."""
    texts = (node.astext() for node in output.findall(nodes.FixedTextElement))
    return any(NOT_YET in text.replace("<strong>", "") for text in texts)


def within_solution(node: nodes.Node | None) -> bool:
    """Whether it is a part of a solution."""
    while node is not None and not is_solution_node(node):
        node = node.parent
    return node is not None


class FoldTheFirstCell(SphinxPostTransform):
    """Who reads does not need it, who runs the page finds it."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Put the cell that finds the library into a disclosure."""
        cell = next(self.document.findall(is_part("cell_code")), None)
        if cell is not None and cell.astext().startswith(FIRST_LINE):
            cell.insert(0, raw(f'<details class="setup"><summary>{SETUP}</summary>'))
            cell.append(raw("</details>"))


def setup(app) -> None:
    """Register the transforms, and write solutions as disclosures."""
    for transform in (OpenByTitle, SayHowToTry, FoldTheFirstCell):
        app.add_post_transform(transform)
    app.add_node(solution_node, override=True, html=(visit_solution, depart_solution))
