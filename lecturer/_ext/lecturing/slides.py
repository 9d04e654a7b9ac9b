"""How the directives look on a slide."""

from docutils import nodes

from .core import box, raw
from .polls import Poll


def poll_on_slide(poll: Poll, remarks: list[nodes.Node]) -> list[nodes.Node]:
    """Question and choices; the answer is the next step; the remarks are for the notes."""
    items = "".join(
        f"<li{' class=right' if choice.right else ''}>{choice.html}</li>" for choice in poll.choices
    )
    return [
        box("poll", raw(f'{poll.question}<ol class="choices">{items}</ol>')),
        box("answer", raw(f'<p class="fragment computed">Computed: {poll.found}.</p>')),
        box("notes", *remarks),
    ]


def widget_on_slide(place, label: str, state: dict[str, str]) -> list[nodes.Node]:
    """The widget itself."""
    from .said import still

    return [raw(still(place, label, True))]
