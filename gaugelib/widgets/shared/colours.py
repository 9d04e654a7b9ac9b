"""The colours of the still pictures: those of `widget.css` on a light page."""

INK, SOFT, EDGE, LINE, RAISED = "#1f2933", "#52606d", "#7b8794", "#d5dbe1", "#f4f6f8"
POSITIVE, NEGATIVE, ACCENT, BAND = "#0b62a8", "#b3440e", "#6b3fa0", "#f2c14e"
