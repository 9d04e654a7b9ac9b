"""A statement of the book carries a proof, a test that checks it and a control that must fail."""

import collections

import pytest

from tests.meta.prose import ROOT, markdown, sources
from tests.meta.statements import complaints, statements

SOUND = """\
:::{prf:theorem} Rescaling moves nothing
:label: thm-sample
For all scales the function stays.
:::

:::{prf:proof}
By homogeneity.
:::

Checked by `tests/sample.py::test_it_holds`; its control is `tests/sample.py::test_tanh_fails`.
"""


def test_every_statement_of_the_book_is_proved_and_tested():
    found = [s for path in sources() for s in statements(markdown(path))]
    assert found, "the book states no theorem"
    assert [c for statement in found for c in complaints(statement, ROOT)] == []


def test_labels_of_statements_are_unique():
    labels = [s.label for path in sources() for s in statements(markdown(path))]
    assert [k for k, n in collections.Counter(labels).items() if n > 1] == []


@pytest.fixture
def root(tmp_path):
    sample = tmp_path / "tests" / "sample.py"
    sample.parent.mkdir(parents=True)
    sample.write_text(
        "def test_it_holds(): ...\nclass TestControl:\n    def test_tanh_fails(self): ...\n"
    )
    return tmp_path


@pytest.mark.parametrize("fence", [":::", "::::", "```"])
def test_a_sound_statement_is_accepted(root, fence):
    (statement,) = statements(SOUND.replace(":::", fence))
    assert statement.label == "thm-sample"
    assert list(complaints(statement, root)) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (":label: thm-sample\n", "", "has no label"),
        ("{prf:proof}", "{prf:remark}", "has no proof"),
        ("Checked by", "See", "does not say"),
        ("; its control is `tests/sample.py::test_tanh_fails`", "", "does not say"),
        ("`tests/sample.py::test_tanh_fails`", "obvious", "names no test among its controls"),
        ("::test_it_holds", "::test_it_hold", "which does not exist"),
        ("sample.py::test_tanh", "missing.py::test_tanh", "which does not exist"),
    ],
)
def test_a_broken_statement_is_refused(root, old, new, complaint):
    (statement,) = statements(SOUND.replace(old, new))
    assert complaint in " ".join(complaints(statement, root))


def test_a_proof_of_the_next_statement_does_not_count(root):
    first, second = statements(SOUND.replace("{prf:proof}", "{prf:remark}") + "\n" + SOUND)
    assert list(complaints(first, root)) != []
    assert list(complaints(second, root)) == []
