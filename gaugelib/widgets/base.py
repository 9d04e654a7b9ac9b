"""What every widget of the book is: traits, one linked module, one style, a still picture."""

from __future__ import annotations

import inspect
import io
import math
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import anywidget
import traitlets

from gaugelib.group import GaugeError
from gaugelib.widgets.link import linked_module, linked_style

T = TypeVar("T")
Values = Mapping[str, Any] | Collection[Any]
_HERE = Path(__file__).parent
_STILL_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#5b6470",
    "axes.labelcolor": "#1f2933",
    "xtick.color": "#5b6470",
    "ytick.color": "#5b6470",
}


class WidgetError(GaugeError, traitlets.TraitError):
    """A trait of a widget was given a value it cannot take; the message names trait and value."""


class BookWidget(anywidget.AnyWidget):
    """Base of the book's widgets: alive on a static page, in Jupyter and in Colab.

    A subclass in `name/__init__.py` has a module `widget.js` and a `style.css` beside it::

        class Name(BookWidget):
            power = traitlets.Int(2).tag(sync=True)

            def __init__(self, *, power: int = 2) -> None:
                self._begin(locals())

            def _picture(self) -> still.Picture:
                return still.Picture(self.power)

    Its picture is what is seen where the module cannot run (GitHub, print, a page without
    JavaScript, a notebook not yet run). It is given plain data and knows nothing of the widget:
    `draw(figure)` fills 7.2 by 3.4 inches, `in_words()` says in a few sentences what they show.
    """

    _start = traitlets.Dict().tag(sync=True)  # what the button "Reset" returns to
    _linkable = traitlets.Dict().tag(sync=True)  # and what of it the address of a page may set

    # ipywidgets 7 displays through this hook, which would leave the still picture out.
    _ipython_display_ = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # The folder's own name, not a class keyword: the metaclass of traitlets 5.7 takes none.
        folder = _HERE / cls.__module__.rpartition(".")[2]
        # anywidget derives a class of each instance, with `_esm` as a trait: that one is complete.
        if "_esm" not in cls.__dict__ and (folder / "widget.js").is_file():
            cls._esm = linked_module(folder / "widget.js")
            cls._css = linked_style(_HERE / "shared" / "widget.css", folder / "style.css")
        super().__init_subclass__(**kwargs)

    def __repr__(self) -> str:
        """The call that makes this widget: the arguments that differ from its defaults."""
        told = list(inspect.signature(type(self).__init__).parameters.values())[1:]
        given = [
            f"{argument.name}={getattr(self, argument.name)!r}"
            for argument in told
            if not _same(getattr(self, argument.name), argument.default)
        ]
        return f"{type(self).__name__}({', '.join(given)})"

    def _begin(self, arguments: Mapping[str, Any], **others: Any) -> None:
        """Start with the constructor's arguments (`locals()` there) as traits, and `others`."""
        kinds = type(self).class_traits()
        given = {name: value for name, value in arguments.items() if name != "self"}
        for name, value in given.items():
            given[name] = list(value) if isinstance(kinds[name], traitlets.List) else value
        super().__init__(**given, **others)

    def _remember(self, *names: str, tells: Collection[str] = (), **linkable: Values) -> None:
        """What the button "Reset" returns to, and what of it the address of a page may set.

        The address is read by `book/site/states.js`, which refuses whatever is not said here.

        Args:
            names: traits that no address sets, such as what the reader is to reveal.
            tells: of the others, those that answer what a page asks before it shows the widget.
            linkable: traits that an address may set, and the values they may have there.
        """
        self._start = {name: getattr(self, name) for name in (*names, *linkable)}
        told = {name: {"tells": True} for name in tells}
        self._linkable = {
            name: allowed(values) | told.get(name, {}) for name, values in linkable.items()
        }

    def _filled(self, kind: type[T], **others: Any) -> T:
        """A dataclass of the traits of the same names, and of `others`."""
        names = set(inspect.signature(kind).parameters) - set(others)
        return kind(**{name: getattr(self, name) for name in names}, **others)

    def _picture(self) -> Any:
        raise NotImplementedError

    def alt_text(self) -> str:
        """A few sentences that say what the still picture shows."""
        return self._picture().in_words()

    def still(self) -> bytes:
        """The still picture as a PNG: the same bytes for the same traits and matplotlib."""
        from matplotlib import style
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        with style.context(["default", _STILL_STYLE]):
            figure = Figure(figsize=(7.2, 3.4), dpi=100, layout="constrained")
            FigureCanvasAgg(figure)
            self._picture().draw(figure)
            picture = io.BytesIO()
            figure.savefig(picture, format="png", metadata={"Software": None})
        return picture.getvalue()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        data = {**data, "text/plain": repr(self), "image/png": self.still()}
        return data, {**metadata, "image/png": {"alt": self.alt_text()}}


def _same(value: Any, default: Any) -> bool:
    return value == _as_lists(default)


def _as_lists(default: Any) -> Any:
    return [_as_lists(part) for part in default] if isinstance(default, tuple) else default


def allowed(values: Values) -> dict[str, Any]:
    """The values that an address may give to a trait, as the page is told of them.

    Args:
        values: a `range` of whole numbers, a tuple of the ends of an interval, a list of all that
            it can be, or a dictionary, which `several` makes or which says it in these words.

    Example:
        >>> allowed(range(3)), allowed((0, 1)), allowed([1, 2])
        ({'from': 0, 'to': 2, 'whole': True}, {'from': 0, 'to': 1}, {'of': [1, 2]})
    """
    if isinstance(values, range):
        return {"from": values[0], "to": values[-1], "whole": True}
    if isinstance(values, tuple):
        return {"from": values[0], "to": values[1]}
    return dict(values) if isinstance(values, Mapping) else {"of": list(values)}


def several(values: Values, least: int, most: int | None = None) -> dict[str, Any]:
    """A list of numbers: which, and how many of them (exactly `least` if nothing else is said)."""
    return {"each": allowed(values), "least": least, "most": least if most is None else most}


def finite(values: Iterable[float], trait: str) -> list[float]:
    """`values` as plain floats, or a `WidgetError` naming `trait`: JSON has no NaN and no infinity.

    Example:
        >>> finite([1, 0.5], trait="w_in")
        [1.0, 0.5]
    """
    numbers = [float(value) for value in values]
    wrong = [number for number in numbers if not math.isfinite(number)]
    if wrong:
        raise WidgetError(f"{trait} must hold finite numbers, found {wrong[0]}")
    return numbers


def one_of(known: Collection[Any], proposal: traitlets.Bunch) -> Any:
    """What is proposed for a trait, or a `WidgetError` that names it and what it can be."""
    name, value = proposal.trait.name, proposal.value
    if value not in known:
        listed = ", ".join(map(repr, known))
        raise WidgetError(f"{name} must be one of: {listed}; found {value!r}")
    return value


def within(low: int, high: int, proposal: traitlets.Bunch) -> int:
    """What is proposed for a trait, or a `WidgetError` that names it and both ends."""
    if not low <= proposal.value <= high:
        raise WidgetError(
            f"{proposal.trait.name} must lie in {low}..{high}, found {proposal.value}"
        )
    return proposal.value
