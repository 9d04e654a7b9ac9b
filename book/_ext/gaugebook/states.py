"""The address of a widget in a state, as its button on the page copies it.

`book/site/states.js` reads it. What a widget takes is said by its trait `_linkable`
(`gaugelib/widgets/base.py`); a built page carries it in the widget's state.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any
from urllib.parse import quote

MOST = 1000  # characters for one figure, as in states.js
LEFT_ALONE = "-_.!~*'();/?:@&=+$,#"  # by JavaScript's encodeURI
NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?", re.IGNORECASE)


class StateError(ValueError):
    """A state that no address leads to; says which trait, and what it can be."""


def address(
    page: str, figure: str, state: Mapping[str, Any], linkable: Mapping[str, Any] | None = None
) -> str:
    """The address that opens the widget of a figure in a state.

    Args:
        page: the address of the page, without a hash.
        figure: the name of the figure that shows the widget.
        state: values of traits: numbers, truth values, words, lists of numbers, or texts as in an
            address. Only what differs from the page's own start need be there.
        linkable: what the widget takes, its trait `_linkable`; without it nothing is checked.

    Raises:
        StateError: a trait that the widget has not, or that an address may not set; a value that is
            none of those that it can have; or an address that is too long.

    >>> address("book/symmetry.html", "fig-hat", {"p": 1, "log2_scales": [1.0, 0, -0.5]})
    'book/symmetry.html#fig-hat?log2_scales=1,0,-0.5&p=1'
    >>> address("soft_gauge.html", "fig-stability", {"start": "uneven 0.5"})
    'soft_gauge.html#fig-stability?start=uneven%200.5'
    """
    texts = {name: written(state[name]) for name in sorted(state)}
    if linkable is not None:
        require(figure, texts, linkable)
    text = "&".join(f"{name}={value}" for name, value in texts.items())
    if len(text) > MOST:
        raise StateError(f"{figure}: the state takes {len(text)} characters, at most {MOST} can go")
    return f"{page}#{figure}" + (f"?{quote(text, safe=LEFT_ALONE)}" if text else "")


def require(figure: str, texts: Mapping[str, str], linkable: Mapping[str, Any]) -> None:
    """Refuse what the widget does not take, by name.

    >>> require("fig-hat", {"p": "3"}, {"p": {"of": [1, 2]}})
    Traceback (most recent call last):
    ...
    gaugebook.states.StateError: fig-hat: p must be one of 1, 2; found '3'
    """
    found: dict[str, Any] = {}
    for name in sorted(texts, key=lambda name: "by" in linkable.get(name, {})):
        if name not in linkable:
            known = ", ".join(sorted(linkable))
            raise StateError(f"{figure}: an address cannot set {name!r} there, only {known}")
        values = [linkable[name]]
        if "by" in linkable[name]:
            by, cases = linkable[name]["by"], linkable[name]["cases"]
            values = [cases[found[by]]] if by in found else list(cases.values())
        can_be = [value for each in values if (value := read(texts[name], each)) is not None]
        if not can_be:
            what = ", or ".join(map(words, values))
            raise StateError(f"{figure}: {name} must be {what}; found {texts[name]!r}")
        found[name] = can_be[0]


def read(text: str, values: Mapping[str, Any]) -> Any:
    """What a text says, among the values that are allowed; None if it is none of them.

    >>> read("1,0.5", {"each": {"from": 0, "to": 1}, "least": 2, "most": 2})
    [1.0, 0.5]
    """
    if "each" in values:
        parts = text.split(",") if text else []
        all_ = [read(part, values["each"]) for part in parts]
        return all_ if values["least"] <= len(all_) <= values["most"] and None not in all_ else None
    number = float(text) if NUMBER.fullmatch(text) else float("nan")
    if "of" in values:
        near = values.get("near", 0)
        for value in values["of"]:
            counts = isinstance(value, int | float) and not isinstance(value, bool)
            if written(value) == text or (counts and abs(value - number) <= near * value):
                return value
        return None
    within = values["from"] <= number <= values["to"]
    return number if within and not (values.get("whole") and number % 1) else None


def words(values: Mapping[str, Any]) -> str:
    """What a trait can be.

    >>> words({"each": {"from": -64.0, "to": 64.0}, "least": 3, "most": 3})
    '3 numbers from -64 to 64'
    """
    if "each" in values:
        least, most = values["least"], values["most"]
        count = str(most) if least == most else f"{least} to {most}"
        return f"{count} numbers {words(values['each']).removeprefix('a number ')}"
    if "of" in values:
        return f"one of {', '.join(map(written, values['of']))}"
    kind = "a whole number" if values.get("whole") else "a number"
    return f"{kind} from {written(values['from'])} to {written(values['to'])}"


def written(value: Any) -> str:
    """A value as JavaScript writes it.

    >>> [written(value) for value in (True, 2.0, 1e-7, 1e21, -0.5, "step", [1, 2.5])]
    ['true', '2', '1e-7', '1e21', '-0.5', 'step', '1,2.5']
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        if not isfinite(value):
            raise StateError(f"an address holds finite numbers, found {value}")
        number = Decimal(repr(value)).normalize()
        if number == 0:
            return "0"
        if 1e-6 <= abs(value) < 1e21:
            return f"{number:f}"
        digits, exponent = number.as_tuple().digits, number.adjusted()
        mantissa = f"{digits[0]}" + ("." if digits[1:] else "") + "".join(map(str, digits[1:]))
        return f"{'-' if value < 0 else ''}{mantissa}e{exponent}"
    return ",".join(written(each) for each in value)
