"""Drive a widget by keyboard in the renderer of VS Code: `python -m tools.vscode_look RENDERER`.

RENDERER is the file dist/ipywidgets.js of the npm package @vscode/jupyter-ipywidgets8. It is given
a saved widget and anywidget's own module, without VS Code around it and without a kernel: what the
widget says must change with the arrow keys.
"""

import functools
import http.server
import json
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from ipywidgets.embed import embed_data
from playwright.sync_api import sync_playwright

from gaugelib.widgets import RescaleNeuron
from tools.jupyter_look import answers

ANYWIDGET = Path(sys.prefix, "share", "jupyter", "nbextensions", "anywidget", "index.js")
PAGE = """\
<!doctype html><meta charset="utf-8"><div id="w"></div>
<script>
// A registry of modules as VS Code gives its renderers: named ones, and the last that had no name.
const modules = {};
window.define = (name, needs, make) => {
  const found = (names) => names.map((n) => modules[n]);
  if (typeof name === "string") modules[name] = make ? make(...found(needs)) : needs();
  else modules.anywidget = needs(...found(name));
};
window.requirejs = window.require = (names, ok, no) => {
  const missing = names.filter((n) => !(n in modules));
  missing.length ? no(Error(missing)) : ok(...names.map((n) => modules[n]));
};
requirejs.defined = (n) => n in modules;
</script>
<script type="module">
try {
  const { activate } = await import("./renderer.js");
  activate();
  vscIPyWidgets8.load();
  const script = document.createElement("script");
  script.src = "anywidget.js";
  const loaded = new Promise((go, no) => Object.assign(script, { onload: go, onerror: no }));
  document.head.append(script);
  await loaded;
  const comm = { open() {}, close() {}, send: () => ({}), commId: "x", targetName: "widget" };
  const signal = { connect: () => true, disconnect() {} };
  const kernel = {
    registerCommTarget() {}, createComm: () => comm,
    requestCommInfo: async () => ({ content: { comms: {} } }),
    iopubMessage: signal, anyMessage: signal, unhandledMessage: signal, disposed: signal,
    statusChanged: signal, connectionStatusChanged: signal,
  };
  const scripts = {
    widgetsRegisteredInRequireJs: new Set(["anywidget"]), successHandler() {},
    loadWidgetScript: async (name) => { throw Error(`asked for ${name}`); },
    errorHandler(...what) { throw Error(what.join(" ")); },
  };
  const { state, view } = await (await fetch("data.json")).json();
  const place = document.getElementById("w");
  const manager = new vscIPyWidgets.WidgetManager(kernel, place, scripts, () => {}, state);
  await manager.set_state(state);
  const model = await manager.get_model(view.model_id);
  await manager.display_view(null, await manager.create_view(model, {}), { node: place });
  window.verdict = "shown";
} catch (error) {
  window.verdict = String(error.stack || error);
}
</script>
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files, without a word about each."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(renderer: str) -> None:
    """Show the widget, press the keys, compare."""
    data = embed_data(views=[RescaleNeuron()], drop_defaults=False)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        shutil.copy(renderer, Path(folder, "renderer.js"))
        shutil.copy(ANYWIDGET, Path(folder, "anywidget.js"))
        saved = {"state": data["manager_state"], "view": data["view_specs"][0]}
        Path(folder, "data.json").write_text(json.dumps(saved), "utf8")
        Path(folder, "page.html").write_text(PAGE, "utf8")
        handler = functools.partial(Quiet, directory=folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/page.html")
        page.wait_for_function("window.verdict")
        if (verdict := page.evaluate("window.verdict")) != "shown":
            sys.exit(f"VS Code's renderer does not show the widget: {verdict}")
        before, after = answers(page)
        browser.close()
        server.shutdown()
    print(f"VS Code's renderer: {before} became {after}")
    if before == after:
        sys.exit("the widget does not answer the keyboard in VS Code's renderer")


if __name__ == "__main__":
    main(sys.argv[1])
