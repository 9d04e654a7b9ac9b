#!/usr/bin/env bash
# sphinx-external-toc: `external_toc_exclude_missing` lets in, and MyST-NB executes, whatever lies in a hidden folder.
#
# Version: sphinx-external-toc 1.1.0 with sphinx 7.4.7 and myst-nb 1.4.0.
# Behaviour: the setting puts each file that the contents do not name on Sphinx's list of exclusions. It looks for
#   them with glob, which passes over names that begin with a dot; Sphinx then walks through the folder and passes over
#   nothing. So a notebook in `share/` is left out, and the same notebook in `.conda/share/`, in `part/.pixi/` or as
#   `.draft.md` is read, executed and published, with a warning that no contents name it. The source says that it
#   prefers glob *because* it ignores hidden files: meant for what is let in, it acts on what is kept out.
# Why it matters here: Jupyter Book's `only_build_toc_files` is this setting. An environment in a hidden folder of the
#   repository brings the documentation and notebooks of its packages, which would run during the build.
# Remedy: `exclude_patterns = [".*", "**/.*"]`, as below; or `include_patterns` made of what the contents name, as
#   book/_ext/gaugebook/contents.py does.
# Upstream: jupyter-book/jupyter-book#1488 (open) and #1866 report the symptom; none on the setting itself was found.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet sphinx==7.4.7 docutils==0.21.2 myst-parser==3.0.1 myst-nb==1.4.0 \
  sphinx-external-toc==1.1.0
cd "$folder"
export HOME="$folder" TMPDIR="$folder" # where the kernel keeps its files
"$folder/venv/bin/python" - <<'END'
import pathlib
import subprocess
import sys

CONF = 'extensions = ["myst_nb", "sphinx_external_toc"]\nnb_execution_mode = "force"\nhtml_theme = "basic"\n'
NOTEBOOK = """---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---
# A notebook

```{code-cell}
from pathlib import Path
Path("executed").touch()
```
"""
STRAY = ["share/notebook.md", ".conda/share/notebook.md", "part/.pixi/notebook.md", ".draft.md"]


def build(name, *settings):
    """For each file that the contents do not name: whether it is published and whether it was executed."""
    book = pathlib.Path(name)
    for path in STRAY:
        (book / path).parent.mkdir(parents=True, exist_ok=True)
        (book / path).write_text(NOTEBOOK)
    (book / "index.md").write_text("# The book\n")
    (book / "_toc.yml").write_text("root: index\n")
    (book / "conf.py").write_text("\n".join([CONF, "external_toc_exclude_missing = True", *settings]))
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", book, pathlib.Path("out", name)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert pathlib.Path("out", name, "index.html").exists()
    return {
        path: (
            pathlib.Path("out", name, path).with_suffix(".html").exists(),
            (book / path).with_name("executed").exists(),
        )
        for path in STRAY
    }


def show(title, found):
    print(title)
    for path, (published, executed) in found.items():
        print(f"  {path}: published {published}, executed {executed}")


alone = build("alone")
show("external_toc_exclude_missing:", alone)
assert alone["share/notebook.md"] == (False, False)
for path in STRAY[1:]:
    assert alone[path] == (True, True), f"mended: {path}"

helped = build("helped", 'exclude_patterns = [".*", "**/.*"]')
show("with exclude_patterns besides:", helped)
assert not any(map(any, helped.values()))
END
# Output seen:
#   external_toc_exclude_missing:
#     share/notebook.md: published False, executed False
#     .conda/share/notebook.md: published True, executed True
#     part/.pixi/notebook.md: published True, executed True
#     .draft.md: published True, executed True
#   with exclude_patterns besides:
#     share/notebook.md: published False, executed False
#     .conda/share/notebook.md: published False, executed False
#     part/.pixi/notebook.md: published False, executed False
#     .draft.md: published False, executed False
