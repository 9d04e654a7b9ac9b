#!/usr/bin/env bash
# Asking for a code style makes every library of the process write its progress to the terminal.
#
# Version: accessible-pygments 0.0.5 with pygments 2.21.0, as pydata-sphinx-theme and its heirs bring them.
# Behaviour: its styles are found by Pygments as plug-ins. Their package configures the root logger when it is imported:
#   level INFO, a handler of its own. From then on whatever logs at INFO is on the terminal of whoever asked for a colour
#   scheme, here a library that had been silent, and a later `logging.basicConfig` of the program does nothing.
# Why it matters here: a build of a book printed five hundred lines about the tables of fonts. Our extension sets the
#   level of the logger that talks most.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pygments==2.21.0 accessible-pygments==0.0.5
"$folder/venv/bin/python" - <<'END' 2>&1
import logging

from pygments.styles import get_style_by_name

root, library = logging.getLogger(), logging.getLogger("a_library")


def state():
    return logging.getLevelName(root.level), len(root.handlers), library.isEnabledFor(logging.INFO)


get_style_by_name("monokai")
before = state()
get_style_by_name("a11y-high-contrast-light")
after = state()
print("before:", *before)
print("after: ", *after)
assert before == ("WARNING", 0, False)
assert after == ("INFO", 1, True), "mended"
logging.basicConfig(level=logging.ERROR)
assert root.level == logging.INFO, "mended: the program's own configuration counts"
END
# Output seen:
#   before: WARNING 0 False
#   after:  INFO 1 True
