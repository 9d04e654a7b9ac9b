"""A widget on paper: its still, and where it is alive, as an address and as a code to scan."""

import io

import segno
from bs4 import BeautifulSoup, Tag

from .site import AmissError


def code(text: str) -> str:
    """A QR code as a drawing in the page, with the quiet margin that readers of it need."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False, boost_error=False).save(
        out, kind="svg", border=4, xmldecl=False, svgns=True, omitsize=True, nl=False
    )
    drawing = out.getvalue().decode("utf8")
    return drawing.replace("<svg ", f'<svg role="img" aria-label="Code that leads to {text}" ', 1)


def alive(name: str, place: str, address: str) -> str:
    """What stands beside a still.

    Args:
        name: the page.
        place: the widget's id on it; "" if it has none.
        address: of the site, ending in a slash; "" if nobody knows it.
    """
    page = f"{name}.html" + (f"#{place}" if place else "")
    if not address:
        return f'<div class="alive"><p>Alive on the page <code>{page}</code> of the site.</p></div>'
    where = address + page
    return (
        f'<div class="alive"><p>Alive at<br/><a href="{where}">{where}</a></p>{code(where)}</div>'
    )


def put_stills(article: Tag, name: str, address: str) -> int:
    """In place of each widget what stands behind it for who has no scripts; how many there were.

    Raises:
        AmissError: a widget has no picture behind it.
    """
    rooms = article.select("div.widget-live")
    for room in rooms:
        behind = room.find_next_sibling("noscript")
        still = behind.find("img") if behind else None
        if still is None or behind.find_previous_sibling("div", class_="widget-live") is not room:
            raise AmissError(f"{name}.html has a widget without a picture behind it")
        figure = room.find_parent("figure")
        note = BeautifulSoup(alive(name, figure["id"] if figure else "", address), "html.parser")
        caption = figure.find("figcaption") if figure else None
        room.replace_with(still.extract())
        if caption is None:
            behind.replace_with(note)
        else:
            caption.append(note)
            behind.decompose()
    return len(rooms)
