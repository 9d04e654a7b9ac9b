"""`--no-skips`: where every tool is meant to be present, a skip is a failure."""

import subprocess
import sys

import pytest

from tests.meta.prose import ROOT

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


def run(folder, source, *options):
    (folder / "test_sample.py").write_text(source)
    conftest = (ROOT / "tests" / "conftest.py").read_text()
    (folder / "conftest.py").write_text(conftest)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = cuda: needs CUDA\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *options,
        str(folder),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_skip_fails_the_run(tmp_path, name):
    done = run(tmp_path, SAMPLES[name], "--no-skips")
    assert done.returncode not in (0, 5), done.stdout
    assert "under --no-skips" in done.stdout


@pytest.mark.parametrize("name", EXEMPT)
def test_missing_hardware_and_expected_failures_do_not(tmp_path, name):
    done = run(tmp_path, EXEMPT[name], "--no-skips")
    assert done.returncode == 0, done.stdout


def test_without_the_option_a_skip_is_a_skip(tmp_path):
    done = run(tmp_path, SAMPLES["called"])
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout
