"""Formulas in fewer bytes look as KaTeX writes them, and each of their letters is in its font."""

import json
import re
import subprocess
from html import unescape

import pytest
from fontTools.ttLib import TTFont

from gaugebook import katex, katex_slim
from gaugebook.glyphs import Letters, declared
from gaugebook.katex_slim import SHEET, Slim
from tools.site_browser import pages

TEX = re.compile(r'<annotation encoding="application/x-tex">(.*?)</annotation>', re.DOTALL)
HARD = [
    r"\sqrt[3]{\frac{a_i^2}{\sum_{j\ne i} \hat w_j}}",
    r"\left\{\begin{matrix}\mathbb R & \mathcal L \\ \mathbf 1 & \boldsymbol x\end{matrix}\right.",
    r"\overbrace{x+\underline{y}}^{\text{all \textbf{of} it}} \xrightarrow{\;f\;} \widehat{abc}",
    r"\underset{x}{\operatorname{arg\,min}}\ \lim_{n\to\infty}\Bigl(\tfrac12\Bigr)^{n}",
    r"a \not= \mathrm{e}^{-\pi} \in \textbf{a set}",
]
LETTERS = """() => [...document.querySelectorAll(".katex-html")].flatMap((katex) => {
  const found = [];
  const walker = document.createTreeWalker(katex, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const style = getComputedStyle(node.parentElement);
    const { fontFamily, fontWeight, fontStyle, fontSize, color } = style;
    for (let k = 0; k < node.length; k += 1) {
      const range = document.createRange();
      range.setStart(node, k);
      range.setEnd(node, k + 1);
      const { x, y, width, height } = range.getBoundingClientRect();
      const look = [node.data[k], fontFamily, fontWeight, fontStyle, fontSize, color].join(" ");
      found.push({ look, at: [x, y, width, height] });
    }
  }
  const lines = [...katex.querySelectorAll("svg, :empty")].map((e) => e.getBoundingClientRect())
    .filter(({ width, height }) => width * height > 0)
    .map(({ x, y, width, height }) => ({ look: "line", at: [x, y, width, height] }));
  return [...found, ...lines];
})"""
FONTS = """() => {
  const found = {};
  for (const katex of document.querySelectorAll(".katex-html")) {
    const walker = document.createTreeWalker(katex, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const style = getComputedStyle(walker.currentNode.parentElement);
      const { fontFamily, fontWeight, fontStyle } = style;
      const key = [fontFamily.split(",")[0], fontWeight, fontStyle].join(" ");
      found[key] = (found[key] ?? "") + walker.currentNode.data;
    }
  }
  return found;
}"""


def as_katex_writes(formulas):
    """KaTeX's own markup."""
    asked = "".join(json.dumps({"tex": tex, "display": True}) + "\n" for tex in formulas)
    done = subprocess.run(
        [katex.node_path(), str(katex.HERE / "katex_lines.js")],
        input=asked, capture_output=True, text=True, check=True, encoding="utf8",
    )  # fmt: skip
    return [json.loads(line)["html"] for line in done.stdout.splitlines()]


@pytest.fixture
def drawn(tmp_path, open_page, serve):
    """Where each letter of formulas stands under a style sheet, how large, and in which font."""
    (tmp_path / "fonts").symlink_to(SHEET.parent / "fonts")
    address = serve(tmp_path)

    def measured(formulas, sheet):
        body = "".join(f"<div>{html}</div>" for html in formulas)
        page = "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>F</title>"
        page += f'<link rel=icon href="data:,"><style>{sheet}</style>{body}</html>'
        (tmp_path / "page.html").write_text(page, "utf8")
        return open_page(address + "page.html").evaluate(LETTERS)

    return measured


def differ(one, other):
    """Whether two drawings differ by half a pixel, or in a letter or a font."""
    return len(one) != len(other) or any(
        a["look"] != b["look"]
        or max(abs(x - y) for x, y in zip(a["at"], b["at"], strict=True)) > 0.5
        for a, b in zip(one, other, strict=True)
    )


def test_slim_formulas_look_as_katex_writes_them(drawn, site):
    texts = [(site / page).read_text("utf8") for page in pages(site)]
    written = {unescape(tex) for text in texts for tex in TEX.findall(text)}
    formulas = as_katex_writes([*HARD, *sorted(written)][:250])
    slim = Slim()
    shorter = [slim(html) for html in formulas]
    assert len("".join(shorter)) < 0.75 * len("".join(formulas))
    assert not differ(drawn(formulas, SHEET.read_text("utf8")), drawn(shorter, slim.sheet()))


@pytest.mark.parametrize("name", ["mathbb", "katex-sizing"])
def test_control_a_name_is_missed(drawn, monkeypatch, name):
    monkeypatch.setattr(katex_slim, "KNOWN", katex_slim.KNOWN - {name})
    formulas = as_katex_writes(HARD)
    slim = Slim()
    shorter = [slim(html) for html in formulas]
    assert differ(drawn(formulas, SHEET.read_text("utf8")), drawn(shorter, slim.sheet()))


@pytest.mark.parametrize("formula", HARD)
def test_mathematics_for_ears_stays(formula):
    (written,) = as_katex_writes([formula])
    spoken = re.compile(r"<math.*</math>", re.DOTALL)
    plain = written.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    assert spoken.findall(Slim()(written)) == spoken.findall(plain)


def test_every_letter_of_a_formula_is_in_its_font(open_page, site):
    whole = {path.name: TTFont(path).getBestCmap() for path in (SHEET.parent / "fonts").iterdir()}
    seen = 0
    for name in ("symmetry", "minimum_norm", "soft_gauge", "notation"):
        for key, text in open_page(f"book/{name}.html").evaluate(FONTS).items():
            family, weight, style = key.split()
            if family.startswith("KaTeX"):
                bold, italic = int(weight) >= 600, style == "italic"
                kind = {(1, 1): "BoldItalic", (1, 0): "Bold", (0, 1): "Italic"}.get((bold, italic))
                file = f"{family}-{kind or 'Regular'}.woff2"
                cut = TTFont(site / "_static/katex/fonts" / file).getBestCmap()
                missing = {c for c in text if ord(c) in whole[file] and ord(c) not in cut}
                assert missing == set(), (name, file)
                seen += len(text)
    assert seen > 4_000


def test_a_font_is_inherited_until_a_class_names_another():
    letters = Letters(
        ".katex{font:normal 1em KaTeX_Main}.katex .i{font-family:KaTeX_Math}.b{font-weight:700}"
    )
    letters.feed('x<b class="katex">a<br><i class="i">b<i class="b">c</i></i>d</b></p>y')
    main, math = ("KaTeX_Main", "400", "normal"), ("KaTeX_Math", "400", "normal")
    assert letters.by_face == {
        main: set("ad"),
        math: set("b"),
        ("KaTeX_Math", "700", "normal"): set("c"),
    }


def test_a_rule_that_says_nothing_about_fonts_is_none():
    assert declared("color:red") == {}
