"""Only what the contents name is read: no page and no environment's notebook enters by itself.

`only_build_toc_files` keeps out the files that it finds, and it does not look into hidden folders:
an environment in one of them (`.conda`, `.pixi`) would bring its documentation, and have its
notebooks executed. So the book says what is in it, whatever else lies in the folder.
"""

from glob import escape


def name_the_pages(app, config) -> None:
    """Let Sphinx find the files of `_toc.yml`, with or without suffix, and its globs; no others."""
    contents = getattr(config, "external_site_map", None)
    if contents is None:  # a page that is built by itself has no contents
        return
    names = [*map(escape, contents), *contents.globs()]
    config.include_patterns = [
        name + suffix for name in sorted(names) for suffix in ("", *config.source_suffix)
    ]


def setup(app) -> None:
    """After the contents have been read (priority 900)."""
    app.connect("config-inited", name_the_pages, priority=950)
