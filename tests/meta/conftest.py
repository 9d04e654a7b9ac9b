"""What several meta-tests share."""

import sys

import pytest

from tests.meta.prose import ROOT
from tests.meta.sampler import small_notebook
from tools.execute_notebooks import executed

sys.path.append(str(ROOT / "book" / "_ext"))  # the book's extension, gaugebook


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    """The sample notebook, executed."""
    return executed(small_notebook(), "sample.ipynb", tmp_path_factory.mktemp("kernel"))
