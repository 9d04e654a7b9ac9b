"""A built site of five pages, with one of each thing that becomes another on paper."""

from datetime import UTC, datetime
from pathlib import Path

from tools.take_along.imprint import Imprint

ADDRESS = "https://someone.github.io/a-book/"
IMPRINT = Imprint(
    "A small book",
    "Two authors",
    "<p>Free.</p>",
    "1.2",
    "abc1234",
    datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC),
)
FRAME = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>T</title>
{next}{canonical}
<link rel="stylesheet" href="../_static/bundle/book.css" /></head><body>
<article class="bd-article"><section id="{id}"><h1>{number}{title}
<a class="headerlink" href="#{id}">#</a></h1>
{body}</section></article></body></html>"""
DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="

INTRO = f"""<p>Start with <a href="chapter.html">the chapter</a>
or <a href="chapter.html#claim">its claim</a>.</p>
<figure class="interactive" id="fig-live"><div class="widget-live"><div></div></div>
<script type="application/vnd.jupyter.widget-view+json">{{}}</script>
<noscript><img alt="A still." src="{DOT}"/></noscript>
<figcaption><p><span class="caption-number">Fig. 1 </span>Turn it.</p></figcaption></figure>
<p>To take along, <code>make pdf</code> prints it.</p>"""
CHAPTER = f"""<section id="sums"><h2><span class="section-number">1.1. </span>Sums of
<span class="math"><span class="katex">
<span class="katex-mathml"><math><annotation encoding="application/x-tex">a^2</annotation></math>
</span><span class="katex-html" aria-hidden="true">aa2</span>
</span></span></h2><p id="claim">The claim,
of <a href="notation.html#sum">a sum</a>, by <a href="https://example.org/x">others</a>;
<a href="../search.html">search</a>,
<a class="reference download" download href="../_sources/book/chapter.ipynb">download</a>.</p>
<pre>print("a line of code")</pre>
<picture><source srcset="narrow.svg"/>
<img class="only-light" alt="Light." loading="lazy" src="{DOT}"/></picture>
<picture><source srcset="narrow.svg"/>
<img class="only-dark" alt="Dark." loading="lazy" src="../_images/dark.svg"/></picture>
<form><label><input class="pst-js-only" type="radio"/> <span>a choice</span></label>
<p class="pst-js-only"><button>Commit</button></p></form>
<p class="predict-ahead"><a href="#claim">The answer</a> stands at the end of the page.</p>
<form class="answer">Your answer</form>
<details class="setup"><summary>The first cell</summary><p>It imports.</p></details></section>"""
EXERCISES = """<section id="balance"><h2><span class="section-number">1.2.1. </span>Balance</h2>
<div class="exercise admonition" id="ex-one">
<p class="admonition-title">Exercise 1.1</p><p>What is one and one?</p></div>
<details class="solution admonition" id="book/x-solution-1">
<summary class="admonition-title">Solution to Exercise 1.1</summary>
<p class="back"><a href="#ex-one">Back to Exercise 1.1</a></p>
<p>The answer is two.</p></details></section>"""
NOTATION = """<section id="signs"><h2>Signs</h2><p id="sum">A sum is a sum,
says <a href="reference.html#add">add</a>.</p></section>"""
PAGES = {
    "intro": ("", "A small book", INTRO),
    "chapter": ("1. ", "The chapter", CHAPTER),
    "exercises": ("1.2. ", "Exercises", EXERCISES),
    "notation": ("", "Notation", NOTATION),
    "reference": ("", "Reference", '<p id="add">It adds.</p>'),
}


def build(folder: Path, address: str = "", **bodies: str) -> Path:
    """The site, with other bodies for some pages."""
    (folder / "book").mkdir(parents=True)
    (folder / "_static" / "bundle").mkdir(parents=True)
    (folder / "_sources" / "book").mkdir(parents=True)
    (folder / "_static" / "bundle" / "book.css").write_text("p { color: #000 }")
    (folder / "_sources" / "book" / "chapter.ipynb").write_text("{}")
    (folder / "index.html").write_text(
        '<meta http-equiv="refresh" content="0; url=book/intro.html">'
    )
    names = [*PAGES]
    for name, after in zip(names, [*names[1:], ""]):
        number, title, body = PAGES[name]
        html = FRAME.format(
            id=f"the-{name}",
            title=title,
            number=f'<span class="section-number">{number}</span>' if number else "",
            next=f'<link rel="next" title="x" href="{after}.html" />' if after else "",
            canonical=f'<link rel="canonical" href="{address}book/{name}.html"/>'
            if address
            else "",
            body=bodies.get(name, body),
        )
        (folder / "book" / f"{name}.html").write_text(html)
    return folder
