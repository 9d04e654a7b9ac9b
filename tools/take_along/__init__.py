"""The book to take along: a PDF of all of it, and a zip of the site that works from a stick.

    python -m tools.take_along pdf|zip|link [--site _build/html] [--to _build/take-along]

Both are made from the built site, so that the notebooks are executed once for all three.

- `site`: the pages of a built site, in reading order, and its address.
- `paper`: a page's article as it stands on paper; `stills` its widgets, `fields` the codes to scan.
- `joined`: all of them in one document, `contents` and `solutions` included.
- `imprint`: what the title page says, and when the book was made.
- `printing`: Chromium prints the document twice, the second time with the numbers of the pages.
- `bound`: the outline, the metadata; `looked_over` refuses a PDF in which something is amiss.
- `packed`: the zip. `linked`: both are named on the first page of the site that is published.
"""
