#!/usr/bin/env bash
# ipywidgets' `drop_defaults=True` leaves the code of an anywidget out of the page that it embeds.
#
# Version: ipywidgets 8.1.9 with anywidget 0.11.0.
# Behaviour: `embed_data` and `embed_minimal_html` have an option that keeps a page small: a trait that still has its
#   default is left out, for the model in the browser has the same default. The models of ipywidgets do. An anywidget's
#   module in the browser knows no class: its `_esm` and its style come with the state, and as they are the defaults
#   of their class in Python, they are dropped like any other. What is left has nothing that could be shown.
# Why it matters here: the widgets of this book are anywidgets, and the option is the first thing to try on a heavy page.
# Remedy: leave the option out.
# Upstream: no report of this was found.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet ipywidgets==8.1.9 anywidget==0.11.0
cat >"$folder/embed.py" <<'END'
import anywidget
import traitlets
from ipywidgets import FloatSlider
from ipywidgets.embed import embed_data


class Dial(anywidget.AnyWidget):
    _esm = "export default { render({ model, el }) { el.textContent = model.get('value'); } };"
    value = traitlets.Float(1.0).tag(sync=True)


def kept(widget, drop):
    state = embed_data(views=[widget], drop_defaults=drop)["manager_state"]["state"]
    return state[widget.model_id]["state"]


dial, slider = Dial(value=2.0), FloatSlider(value=2.0)
for drop in (False, True):
    found = kept(dial, drop)
    print(f"drop_defaults={drop}: value {found.get('value')}, module {'kept' if '_esm' in found else 'dropped'}")
assert "_esm" in kept(dial, False)
assert kept(slider, True)["value"] == 2.0  # a widget of ipywidgets has all that its page needs
assert "_esm" not in kept(dial, True), "mended"
END
"$folder/venv/bin/python" "$folder/embed.py"
# Output seen:
#   drop_defaults=False: value 2.0, module kept
#   drop_defaults=True: value 2.0, module dropped
