"""What several meta-tests share."""

import pytest

from tests.meta.sampler import small_notebook
from tools.execute_notebooks import executed


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    """The sample notebook, executed."""
    return executed(small_notebook(), "sample.ipynb", tmp_path_factory.mktemp("kernel"))
