#!/usr/bin/env bash
# A widget that was closed before its cell ended is still saved with an executed notebook, and so with its page.
#
# Version: nbclient 0.10.4 with ipywidgets 8.1.9 and ipykernel 7.4.0.
# Behaviour: nbclient, which executes notebooks for nbconvert, jupyter-cache and MyST-NB, writes down the state of each
#   widget that a kernel opens. `close()`, and `Widget.close_all()`, tell the front end to forget it, and the kernel
#   forgets it; what is saved keeps it whole. A widget that is made in a loop only to ask it for numbers leaves one
#   state for each turn.
# Why it matters here: a page carries the state of its widgets; one that nobody can see made pages of this book
#   heavier (an anywidget's state has its module in it).
# Remedy: `gaugebook/verdict.py` opens no channel at all for widgets that are only asked (`comm.DummyComm`).
# Upstream: no report of this was found.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet nbclient==0.10.4 nbformat==5.11.1 ipykernel==7.4.0 ipywidgets==8.1.9
cat >"$folder/close.py" <<'END'
import nbformat
from nbclient import NotebookClient

STATE = "application/vnd.jupyter.widget-state+json"
SOURCE = """
from ipywidgets import IntSlider, Widget

for number in range(3):
    slider = IntSlider(description=f"closed {number}")
    slider.close()
IntSlider(description="closed with all")
Widget.close_all()
_ = IntSlider(description="open")
"""
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SOURCE)])
NotebookClient(notebook, kernel_name="python3").execute()
states = notebook.metadata.widgets[STATE]["state"].values()
names = [each["state"]["description"] for each in states if each["model_name"] == "IntSliderModel"]
print(*names, sep="\n")
assert "open" in names
assert names[:4] == ["closed 0", "closed 1", "closed 2", "closed with all"], "mended"
END
"$folder/venv/bin/python" "$folder/close.py" 2>"$folder/log" || { cat "$folder/log"; exit 1; }
# Output seen:
#   closed 0
#   closed 1
#   closed 2
#   closed with all
#   open
