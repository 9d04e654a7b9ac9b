"""The way to uv without pip and venv, against an index of our own."""

import functools
import hashlib
import http.server
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import zipfile

import pytest

from tests.meta.prose import ROOT
from tools.fetch_wheel import find, fitting, main

LINUX = "uv-1.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
MUSL = "uv-1.0-py3-none-musllinux_1_1_x86_64.whl"
MAC = "uv-1.0-py3-none-macosx_11_0_arm64.whl"
HERE = platform.system(), platform.machine(), platform.libc_ver()[0]
VERSION = re.search(r"^version=(\S+)$", (ROOT / "tools" / "uv.sh").read_text(), re.MULTILINE)[1]


@pytest.mark.parametrize(
    ("filename", "here"),
    [
        (LINUX, ("Linux", "x86_64", "glibc")),
        (MUSL, ("Linux", "x86_64", "")),
        (MAC, ("Darwin", "arm64", "")),
    ],
)
def test_a_wheel_fits_its_own_platform_only(filename, here):
    assert fitting(filename, *here)
    others = {LINUX, MUSL, MAC} - {filename}
    assert not any(fitting(other, *here) for other in others)


def test_another_version_or_machine_is_not_taken():
    files = [{"filename": LINUX}]
    assert find(files, "uv", "1.0", ("Linux", "x86_64", "glibc")) == files[0]
    for version, machine in [("1.1", "x86_64"), ("1.0", "riscv64")]:
        with pytest.raises(SystemExit, match="no wheel"):
            find(files, "uv", version, ("Linux", machine, "glibc"))


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index on this machine that serves one wheel with one program."""
    system, machine, libc = HERE
    tag = "macosx_11_0" if system == "Darwin" else f"{'many' if libc else 'musl'}linux_2_17"
    name = f"uv-{VERSION}-py3-none-{tag}_{machine}.whl"
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"uv-{VERSION}.data/scripts/uv", "#!/bin/sh\necho sound\n")
        archive.writestr("uv/__init__.py", "")
    page = tmp_path / "simple" / "uv" / "index.html"
    page.parent.mkdir(parents=True)
    (page.parent / name).write_bytes(wheel.getvalue())
    digest = hashlib.sha256(wheel.getvalue()).hexdigest()
    file = {"filename": name, "url": name, "hashes": {"sha256": digest}}
    page.write_text(json.dumps({"files": [file]}))

    handler = functools.partial(Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        yield page
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_the_wheels_program_is_unpacked(index, tmp_path):
    main("uv", VERSION, str(tmp_path / "home"))
    program = tmp_path / "home" / "bin" / "uv"
    assert os.access(program, os.X_OK)
    assert "sound" in program.read_text()


def test_a_wheel_that_was_tampered_with_is_refused(index, tmp_path):
    index.write_text(index.read_text().replace('"sha256": "', '"sha256": "0'))
    with pytest.raises(SystemExit, match="not the file"):
        main("uv", VERSION, str(tmp_path / "home"))
    assert not (tmp_path / "home").exists()


def test_a_python_without_pip_and_venv_is_enough(index, tmp_path):
    """As Debian and Ubuntu ship theirs."""
    tools, programs = tmp_path / "book" / "tools", tmp_path / "programs"
    programs.mkdir()
    for name in ("uv.sh", "fetch_wheel.py"):
        tools.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tools" / name, tools)
    bare = programs / "python3"
    bare.write_text(f'#!/bin/sh\n[ "$1" = -m ] && exit 1\nexec {sys.executable} "$@"\n')
    bare.chmod(0o755)
    done = subprocess.run(
        [str(tools / "uv.sh")],
        env=os.environ | {"PATH": f"{programs}:/usr/bin:/bin", "PYTHON": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "book" / ".cache" / f"uv-{VERSION}" / "bin" / "uv")
    assert "sound" in done.stderr
