"""Cut a style sheet to the rules that can apply on this site.

A rule goes only when it names a class or an id that stands nowhere in any page or script, and that
no script could put together from a beginning that it holds. So it errs on the side of keeping.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WORD = re.compile(r"-*[A-Za-z_][\w-]*")
NAMES = re.compile(r"""\b(?:class|id)=(["'])(.*?)\1""", re.DOTALL)
SCRIPT = re.compile(r"<script\b[^>]*>(.*?)</script>", re.DOTALL)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
LICENCE = re.compile(r"/\*!.*?\*/", re.DOTALL)
# Strings may hold braces and semicolons: they are stepped over whole.
TOKEN = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\\.|[{};]", re.DOTALL)
NAME = re.compile(r"[.#]((?:[A-Za-z_-]|\\.)(?:[\w-]|\\.)*)")
NESTED = re.compile(r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|\[[^\]]*\]")
VARIABLE = re.compile(r"--[\w-]+")
READ = re.compile(r"var\(\s*(--[\w-]+)")
SET = re.compile(
    r"(?<=[;{])\s*(--[\w-]+)\s*:(?:[^;{}()\"']|\([^()]*\)|\"[^\"]*\"|'[^']*')*(?:;|(?=\}))"
)
GROUPS = ("@media", "@supports", "@layer", "@container")


@dataclass(frozen=True)
class Vocabulary:
    """Every class and id of the pages of a site, and every word of its scripts."""

    words: frozenset[str]
    stems: tuple[str, ...]  # hyphenated words of scripts: a script may append to them

    @classmethod
    def of(cls, pages: list[str], scripts: list[str]) -> "Vocabulary":
        """Collect the names and words of these texts; a script may stand within a page."""
        inline = [script for text in pages for script in SCRIPT.findall(text)]
        spoken = {word for text in [*scripts, *inline] for word in WORD.findall(text)}
        seen = {
            word for text in pages for _, names in NAMES.findall(text) for word in names.split()
        }
        stems = {word.rstrip("-") + "-" for word in spoken if "-" in word and len(word) > 4}
        words = seen | spoken
        return cls(
            frozenset(words | {word.lstrip("-") for word in words}),
            tuple(sorted(stems)),
        )

    def knows(self, name: str) -> bool:
        """Whether an element of the site may bear this class or id."""
        name = name.replace("\\", "")
        # An escaped name may hold characters that no word has.
        return name in self.words or not WORD.fullmatch(name) or name.startswith(self.stems)


def purge(style: str, vocabulary: Vocabulary) -> str:
    """The style sheet without the rules that cannot apply, and without comments but licences."""
    return "".join(LICENCE.findall(style)) + applicable(COMMENT.sub("", style), vocabulary)


def without_unused(styles: dict[Path, str], others: list[str]) -> dict[Path, str]:
    """The style sheets without variables that nothing reads.

    A variable that only an unused one reads goes, too.
    """
    names = frozenset(name for text in others for name in VARIABLE.findall(text))
    while True:
        read = names.union(*(READ.findall(style) for style in styles.values()))
        shorter = {key: with_only(read, style) for key, style in styles.items()}
        if shorter == styles:
            return styles
        styles = shorter


def with_only(names: frozenset[str], style: str) -> str:
    """The style sheet without the variables of other names."""
    return SET.sub(lambda found: found[0] if found[1] in names else "", style)


def applicable(style: str, vocabulary: Vocabulary) -> str:
    """The statements of a style sheet, or of a group within one, that can apply."""
    kept = []
    for prelude, block in statements(style):
        head = prelude.strip()
        if block is None:
            kept.append(f"{head};")
        elif head.startswith(GROUPS):
            if inner := applicable(block, vocabulary):
                kept.append(f"{head}{{{inner}}}")
        elif head.startswith("@"):  # fonts, animations, pages
            kept.append(f"{head}{{{block}}}")
        else:
            selectors = [s for s in split(head) if all(map(vocabulary.knows, required(s)))]
            if selectors:
                kept.append(f"{','.join(selectors)}{{{block}}}")
    return "".join(kept)


def statements(style: str) -> Iterator[tuple[str, str | None]]:
    """Each statement's prelude and its block, or None where a semicolon ends it."""
    start, opened, depth = 0, 0, 0
    for token in TOKEN.finditer(style):
        mark = token[0]
        if mark == "{":
            depth += 1
            opened = token.end() if depth == 1 else opened
        elif mark == "}":
            depth -= 1
            if depth == 0:
                yield style[start : opened - 1], style[opened : token.start()]
                start = token.end()
        elif mark == ";" and depth == 0:
            yield style[start : token.start()], None
            start = token.end()
    if depth or style[start:].strip():
        raise ValueError(f"the style sheet ends within a statement: {style[start : start + 80]!r}")


def split(selectors: str) -> list[str]:
    """The selectors of a list: commas within parentheses or brackets do not divide it."""
    shadow = NESTED.sub(lambda part: "_" * len(part[0]), selectors)
    ends = [match.start() for match in re.finditer(",", shadow)]
    starts = [0, *(end + 1 for end in ends)]
    return [selectors[a:b].strip() for a, b in zip(starts, [*ends, len(selectors)], strict=True)]


def required(selector: str) -> list[str]:
    """Classes and ids without which the selector cannot apply; those in parentheses are not."""
    return NAME.findall(NESTED.sub("", selector))
