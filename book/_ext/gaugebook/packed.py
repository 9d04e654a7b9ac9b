"""The index of the search, with each of its frequent words written once.

A book says much in few words. `packed` gives each word that is worth it a letter that the index
does not use, and writes the letter in its place: nothing is lost, and little more than half the
bytes are left. `unpacked` puts the words back, as its namesake in `book/site/search.js` does.
"""

import json
import re
from collections import Counter

WORD = re.compile(
    r"(?<!\\) ?\w+"
)  # with the space before it; the letter after a backslash is no word's
LETTERS = [
    *map(chr, range(0x100, 0x300)),
    *map(chr, range(0x370, 0x590)),
]  # two bytes each, none combines
SCRIPT = re.compile(r'const searchWords=(".*");\nconst searchIndex=(\[.*\]);\n')


def packed(index: list) -> str:
    r"""The file that the page of results loads.

    >>> packed([["a minimum, one minimum, no minimum"]])
    'const searchWords="Ā minimum";\nconst searchIndex=[["aĀ, oneĀ, noĀ"]];\n'
    """
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"))
    free = [letter for letter in LETTERS if letter not in text]
    letters = dict(zip(worthwhile(text), free, strict=False))
    words = ",".join(letter + word for word, letter in letters.items())
    short = WORD.sub(lambda found: letters.get(found[0], found[0]), text)
    return f'const searchWords="{words}";\nconst searchIndex={short};\n'


def worthwhile(text: str) -> list[str]:
    """The words that a letter and an entry in the list make shorter, what saves most first."""
    saved = {
        word: often * (length - 2) - (length + 3)
        for word, often in Counter(WORD.findall(text)).items()
        for length in [len(word.encode())]
    }
    return sorted(
        (word for word in saved if saved[word] > 0), key=lambda word: (-saved[word], word)
    )


def unpacked(script: str) -> list:
    """The index in full.

    Raises:
        ValueError: if it is not what `packed` writes.
    """
    found = SCRIPT.fullmatch(script)
    if found is None:
        raise ValueError("this is no index of the search")
    words = {entry[0]: entry[1:] for entry in json.loads(found[1]).split(",") if entry}
    return json.loads("".join(words.get(letter, letter) for letter in found[2]))
