"""`--no-skips`: where every tool is meant to be present, a skip is a failure."""

import contextlib
import io
import re
import sys
from typing import NamedTuple

import pytest

from tests.meta.prose import ROOT

pytestmark = pytest.mark.xdist_group("tools-no_skips")

SAMPLES = {
    "called": "import pytest\ndef test_it():\n    pytest.skip('no browser')\n",
    "marked": "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it(): pass\n",
    "module": "import pytest\npytest.skip('no browser', allow_module_level=True)\n",
    "import": "import pytest\npytest.importorskip('no_such_module')\n",
    "empty": "import pytest\n@pytest.mark.parametrize('x', [])\ndef test_it(x): pass\n",
}
EXEMPT = {
    "cuda": "import pytest\n@pytest.mark.cuda\ndef test_it(): pytest.skip('no device')\n"
    "def test_other(): pass\n",
    "xfail": "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_it(): assert False\n",
}


class Run(NamedTuple):
    """How a run of pytest ended, and what it printed."""

    returncode: int
    stdout: str


def run(folder, sources, *options):
    """One run of pytest under our rules; each test's or file's end, and the run's own.

    It happens in this process: another one would import torch and all that our conftest needs anew.
    """
    for name, source in sources.items():
        (folder / f"test_{name}.py").write_text(source)
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = cuda: needs CUDA\n")
    words = ["-q", "-rA", "-p", "no:cacheprovider", "-p", "no:xdist", "--import-mode=importlib"]
    every_file = "--continue-on-collection-errors"
    printed, before = io.StringIO(), set(sys.modules)
    with pytest.MonkeyPatch.context() as here, contextlib.redirect_stdout(printed):
        here.chdir(folder)
        here.delenv("PYTEST_ADDOPTS", raising=False)
        try:
            ended = pytest.main([*words, every_file, *options, str(folder)])
        finally:
            for name in set(sys.modules) - before:
                if name.partition(".")[0] in {"conftest", *(f"test_{name}" for name in sources)}:
                    del sys.modules[name]
    return Run(int(ended), printed.getvalue())


@pytest.fixture(scope="module")
def skipping(tmp_path_factory):
    return run(tmp_path_factory.mktemp("skipping"), SAMPLES, "--no-skips")


@pytest.fixture(scope="module")
def exempt(tmp_path_factory):
    return run(tmp_path_factory.mktemp("exempt"), EXEMPT, "--no-skips")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_skip_fails_the_run(skipping, name):
    assert skipping.returncode not in (0, 5), skipping.stdout
    ended = re.findall(rf"^(?:FAILED|ERROR) test_{name}\.py.*", skipping.stdout, re.M)
    assert len(ended) == 1, skipping.stdout
    assert re.search(rf"test_{name}\.py\S* was skipped under --no-skips", skipping.stdout)


@pytest.mark.parametrize("name", EXEMPT)
def test_missing_hardware_and_expected_failures_do_not(exempt, name):
    assert exempt.returncode == 0, exempt.stdout
    assert re.search(rf"^(?:SKIPPED|XFAIL).*test_{name}\.py", exempt.stdout, re.M), exempt.stdout


def test_without_the_option_a_skip_is_a_skip(tmp_path):
    done = run(tmp_path, {"called": SAMPLES["called"]})
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout
