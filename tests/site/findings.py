"""What can be wrong with a page as the browser shows it; each function returns the findings."""

from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page

AXE = (Path(__file__).parent / "vendor/axe-core/axe.min.js").read_text("utf8")
# Of axe's rules only these look at colours, and colours are the same at every width.
COLOURS = ("color-contrast", "link-in-text-block")


def axe_violations(
    page: Page, *only: str, within: str = "html", but: Sequence[str] = ()
) -> list[str]:
    """Accessibility violations found by axe-core: every rule that it runs by default, or a few.

    Whole pages have a test of their own; tests of a part of one look `within` a selector, and what
    stands beside it is not shown meanwhile. The rules `but` are left out: they have looked at the
    same already.
    """
    violations, passed = audit(page, *only, within=within, but=but)
    assert violations or passed, f"axe found nothing to look at in {within}"
    return violations


def audit(
    page: Page, *only: str, within: str = "html", but: Sequence[str] = ()
) -> tuple[list[str], int]:
    """The same violations, and how many rules found something to look at and no fault in it."""
    if page.evaluate("() => !window.axe"):
        page.evaluate(AXE)
    options = {"rules": {rule: {"enabled": False} for rule in but}}
    options |= {"runOnly": list(only)} if only else {}
    rules, passed = page.evaluate(AUDIT, [within, options])
    found = [
        f"{rule['id']}: {rule['help']}: {' '.join(map(str, node['target']))}: {node['html'][:120]}"
        for rule in rules
        for node in rule["nodes"]
    ]
    return found, passed


def raw_mathematics(page: Page) -> list[str]:
    """Formulas that were not typeset, and text in which TeX can be read."""
    return page.evaluate(RAW_MATHEMATICS)


def sideways(page: Page) -> list[str]:
    """Elements that reach beyond the right edge and that nothing around them scrolls or hides."""
    return page.evaluate(SIDEWAYS)


def cut(page: Page, selector: str) -> list[str]:
    """Parts whose right end is hidden until they are scrolled."""
    return page.evaluate(CUT, selector)


def orphans(page: Page) -> list[str]:
    """Commas and other words without a space before them that stand a line below what they follow.

    What they follow is the last piece of a formula, or a name in code.
    """
    return page.evaluate(ORPHANS)


def chopped(page: Page) -> list[str]:
    """Names in code whose lines end elsewhere than behind a sign that joins two parts."""
    return page.evaluate(CHOPPED)


def widgets(page: Page) -> dict[str, list[str]]:
    """Ids of the widgets that the page holds as state, as views, and as mounted views."""
    return page.evaluate(WIDGETS)


# For each of the thousands of elements of a chapter that are shown axe asks for styles and boxes.
AUDIT = """async ([at, how]) => {
  const parts = [...document.querySelectorAll(at)].filter((e) => !e.parentElement?.closest(at));
  const around = new Set();
  for (const part of parts) {
    for (let e = part.parentElement; e; e = e.parentElement) around.add(e);
  }
  const beside = [...around].flatMap((e) => [...e.children])
    .filter((e) => !around.has(e) && !parts.includes(e));
  const [x, y] = [scrollX, scrollY];
  const unseen = new CSSStyleSheet();
  unseen.replaceSync("[data-unseen] { display: none !important }");
  document.adoptedStyleSheets.push(unseen);
  for (const e of beside) e.dataset.unseen = "";
  try {
    // What passed, node by node, would be megabytes: it does not leave the browser.
    const { violations, passes } = await axe.run(at, { resultTypes: ["violations"], ...how });
    return [violations, passes.length];
  } finally {
    for (const e of beside) delete e.dataset.unseen;
    document.adoptedStyleSheets.pop();
    scrollTo({ left: x, top: y, behavior: "instant" });
  }
}"""

RAW_MATHEMATICS = r"""() => {
  const untypeset = [...document.querySelectorAll(".math, .katex-error")]
    .filter((e) => !e.querySelector(".katex math")).map((e) => e.outerHTML.slice(0, 120));
  const skipped = "script, style, noscript, code, pre, textarea, .katex-mathml";
  const tex = /\\[a-zA-Z]{2,}|\\[()\[\]]|\$\$|\$[^$\s][^$\n]{0,200}\$/;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const read = [document.title];
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest(skipped)) read.push(walker.currentNode.data);
  }
  return [...untypeset, ...read.filter((text) => tex.test(text))];
}"""

SIDEWAYS = r"""() => {
  const width = document.documentElement.clientWidth;
  const whole = document.documentElement.scrollWidth;
  const found = whole > width ? [`the page is ${whole} px wide in a window of ${width} px`] : [];
  const contained = (element) => {
    for (let e = element; e && e !== document.body; e = e.parentElement) {
      const { overflowX, position } = getComputedStyle(e);
      // The box of a drawing inside a drawing is its contents' box, also where it hides them.
      const around = e !== element || e.ownerSVGElement;
      if (position === "fixed" || (around && overflowX !== "visible")) return true;
    }
    return false;
  };
  for (const e of document.querySelectorAll("body *")) {
    const box = e.getBoundingClientRect();
    if (box.width > 0 && box.height > 0 && box.right > width + 1 && !contained(e)) {
      found.push(`${e.tagName}.${e.className}: right edge at ${Math.round(box.right)} px`);
    }
  }
  return found;
}"""

CUT = """(selector) => [...document.querySelectorAll(selector)]
    .filter((part) => part.scrollWidth > part.clientWidth + 1)
    .map((part) => part.textContent.trim().slice(0, 80))"""

ORPHANS = r"""() => {
  const found = [], range = document.createRange();
  for (const part of document.querySelectorAll("article span.math, article :not(pre) > code")) {
    const piece = part.matches("code") ? part : [...part.querySelectorAll(".katex-base")].at(-1);
    const line = [...(piece?.getClientRects() ?? [])].at(-1);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    texts.currentNode = piece ?? part;
    let next = texts.nextNode();
    // The first text behind the piece.
    while (next && piece?.contains(next)) next = texts.nextNode();
    if (!line || !next || !/^\S/.test(next.data)) continue;
    if (!part.closest("p, li, td, dd, figcaption, summary")?.contains(next)) continue;
    range.setStart(next, 0);
    range.setEnd(next, 1);
    const mark = range.getClientRects()[0];
    if (mark && mark.top > line.bottom - 2) {
      found.push(`${part.textContent.slice(-30)} | ${next.data.slice(0, 12)}`);
    }
  }
  return found;
}"""

CHOPPED = r"""() => {
  const found = [];
  for (const code of document.querySelectorAll("article :not(pre) > code")) {
    const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    const range = document.createRange(), part = /[a-z0-9]/i;
    let before = null;
    while (texts.nextNode()) {
      const text = texts.currentNode;
      for (let i = 0; i < text.data.length; i++) {
        range.setStart(text, i);
        range.setEnd(text, i + 1);
        const box = [...range.getClientRects()].at(-1), letter = text.data[i];
        const below = before && box?.width && box.top > before.top + 4;
        if (below && part.test(before.letter) && /\w/.test(letter)) {
          found.push(`${code.textContent.slice(0, 60)}: ${before.letter}|${letter}`);
        }
        if (/\s/.test(letter)) before = null;
        else if (box?.width) before = { letter, top: box.top };
      }
    }
  }
  return found;
}"""

WIDGETS = r"""() => {
  const scripts = (kind) => `script[type="application/vnd.jupyter.${kind}+json"]`;
  const json = (kind) => [...document.querySelectorAll(scripts(kind))]
    .map((script) => JSON.parse(script.textContent));
  const state = Object.assign({}, ...json("widget-state").map((s) => s.state));
  return {
    anywidgets: Object.keys(state).filter((id) => state[id].model_module === "anywidget"),
    views: json("widget-view").map((view) => view.model_id),
    mounted: [...document.querySelectorAll(".widget-live[data-model]")]
      .filter((e) => e.childElementCount > 0).map((e) => e.dataset.model),
  };
}"""
