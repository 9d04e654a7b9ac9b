"""What moves in a widget while a reader drags a slider along its range, a point over its plane."""

from playwright.sync_api import Page

# Frames are drawn when they are asked for, so that a move costs its redraw and no waiting.
ON_DEMAND = """() => {
  const waiting = [];
  const frame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) => waiting.push(draw);
  window.cancelAnimationFrame = (place) => { waiting[place - 1] = () => {}; };
  window.flush = () => { for (const draw of waiting.splice(0)) draw(performance.now()); };
  window.laidOut = async (width) => {
    document.querySelector("main").style.width = `${width}px`;
    for (let k = 0; k < 3; k += 1) {
      await new Promise((go) => frame(() => setTimeout(go)));
      flush();
    }
  };
  Element.prototype.setPointerCapture = () => {}; // the pointer of this test has no device
}"""

# For each setting of a widget (each option by itself) the parts that were not always in one place.
MOVED = """async ([width, points]) => {
  await laidOut(width);
  const parts = ":is(div, p, table, tr, label, ul):not(.gl-spoken), svg:not(svg svg)";
  const shown = (all) => [...all].filter((e) => e.getClientRects().length > 0);
  const tell = (input, type) => {
    input.dispatchEvent(new Event(type, { bubbles: true }));
    flush();
  };
  function places(root) {
    const top = root.getBoundingClientRect().top;
    return new Map([root, ...shown(root.querySelectorAll(parts))].map((e) => {
      const box = e.getBoundingClientRect();
      return [e, [box.top - top, box.height]];
    }));
  }
  function* dragged(root) {
    for (const input of shown(root.querySelectorAll("input[type=range]:enabled"))) {
      const [low, high, was] = [Number(input.min), Number(input.max), input.value];
      for (let k = 0; k <= points; k += 1) {
        input.value = String(low + (k * (high - low)) / points);
        tell(input, "input");
        yield;
      }
      input.value = was;
      tell(input, "input");
    }
    for (const handle of shown(root.querySelectorAll(".gl-handle"))) {
      const centre = () => {
        const box = handle.firstChild.getBoundingClientRect();
        return [box.left + box.width / 2, box.top + box.height / 2];
      };
      const send = (type, [clientX, clientY]) =>
        handle.dispatchEvent(
          new PointerEvent(type, { clientX, clientY, bubbles: true, pointerId: 1 }),
        );
      const drag = (place) => {
        send("pointerdown", centre());
        send("pointermove", place);
        send("pointerup", place);
        flush();
      };
      const home = centre();
      const box = handle.ownerSVGElement.getBoundingClientRect();
      for (const x of [0.1, 0.45, 0.6, 0.9]) {
        for (const y of [0.1, 0.4, 0.55, 0.9]) {
          drag([box.left + x * box.width, box.top + y * box.height]);
          yield;
        }
      }
      drag(home);
    }
  }
  const found = new Set();
  function look(root, setting) {
    const before = places(root);
    const where = `${width} px, ${root.getAttribute("aria-label")}, ${setting}`;
    const named = (e) => `${e.tagName} ${e.className.baseVal ?? e.className}`;
    for (const _ of dragged(root)) {
      for (const [e, [top, height]] of places(root)) {
        const [was, size] = before.get(e) ?? [top, height];
        const change = Math.max(Math.abs(top - was), Math.abs(height - size));
        if (change > 1) found.add(`${where}: ${named(e)} moves`);
      }
    }
  }
  for (const root of document.querySelectorAll(".gl-widget")) {
    look(root, "at first");
    for (const select of shown(root.querySelectorAll("select"))) {
      const was = select.value;
      const values = [...select.options].map(({ value }) => value).filter((each) => each !== was);
      for (const value of new Set([values[0], values.at(-1)])) {
        select.value = value;
        tell(select, "change");
        look(root, value);
      }
      select.value = was;
      tell(select, "change");
    }
    const boxes = shown(root.querySelectorAll("input[type=checkbox]"));
    for (const box of boxes) {
      box.click(); // and those before it stay as they are now
      flush();
      look(root, box.parentNode.textContent);
    }
    for (const box of boxes) box.click();
    flush();
  }
  return [...found];
}"""


def moved(page: Page, widths: tuple[int, ...], points: int = 6) -> list[str]:
    """The parts of a page's widgets that change their place or height while one of them is dragged.

    Args:
        page: a scratch page with widgets.
        widths: of the column in which they stand, in pixels.
        points: how many steps a slider takes along its range.
    """
    page.evaluate(ON_DEMAND)
    page.add_style_tag(content="body { margin: 0 } main { overflow: clip }")
    return [each for width in widths for each in page.evaluate(MOVED, [width, points])]
