"""The contents as a course wants them, and its own pages; without one (`course`) nothing changes.

Chapters that are not taught stay in the book, under a heading of their own: chapters refer to each
other's statements, and a reference to a page that is gone would lead nowhere.
"""

from pathlib import Path, PurePosixPath

from sphinx.errors import ExtensionError
from sphinx.project import Project
from sphinx_external_toc.parsing import parse_toc_data

from . import course

FURTHER = "Further chapters"
OURS = "This course"


def as_taught(contents: dict, wanted: course.Course) -> dict:
    """The contents with the chapters in the order taught, the course's pages, then all the rest."""
    every = course.chapters_of(contents)
    parts = [part_of(part) for part in contents.get("parts") or [contents]]
    entries = {name_of(entry): entry for part in parts for entry in part["chapters"]}
    first = next((i for i, part in enumerate(parts) if every.keys() & set(names(part))), -1)
    added = []
    if wanted.pages:
        root = PurePosixPath(contents["root"])
        own = [{"file": str(root.with_name(page.stem))} for page in wanted.pages]
        added = [{"caption": wanted.name or OURS, "numbered": False, "chapters": own}]
    if wanted.chapters != tuple(every):
        for part in parts:
            part["chapters"] = [e for e in part["chapters"] if name_of(e) not in every]
        parts[first]["chapters"][:0] = [entries[name] for name in wanted.chapters]
        rest = [entries[name] for name in every if name not in wanted.chapters]
        added += [{"caption": FURTHER, "chapters": rest}]
    parts[first + 1 : first + 1] = added  # the index is added to the last part
    kept = {key: contents[key] for key in ("format", "root", "defaults") if key in contents}
    return kept | {"parts": [part for part in parts if part["chapters"]]}


def name_of(entry: dict) -> str:
    """The name of a page of the contents."""
    return PurePosixPath(entry.get("file", "")).stem


def names(part: dict) -> list[str]:
    """The names of the pages of a part."""
    return [name_of(entry) for entry in part["chapters"]]


def part_of(part: dict) -> dict:
    """A copy; contents without parts are one."""
    said = {k: v for k, v in part.items() if k not in ("format", "root", "defaults")}
    return said | {"chapters": list(part.get("chapters", ()))}


class WithOwnPages(Project):
    """The book's pages, and those of the course, which lie elsewhere.

    They are read where they lie; their links lead where they would if they lay in the book.
    """

    own: dict[str, Path]

    def discover(self, *args, **kwargs) -> set[str]:
        """Find the book's pages, and add the others."""
        super().discover(*args, **kwargs)
        for docname, path in self.own.items():
            self.docnames.add(docname)
            self._docname_to_path[docname] = docname + path.suffix
            self._path_to_docname[str(path)] = docname
        return self.docnames

    def doc2path(self, docname: str, absolute: bool) -> str:
        """Where a page lies; relative to the book, where it seems to lie."""
        if absolute and docname in self.own:
            return str(self.own[docname])
        return super().doc2path(docname, absolute)


def own_pages(wanted: course.Course, contents: dict) -> dict[str, Path]:
    """The pages of the course by what the book calls them."""
    root, found = PurePosixPath(contents.get("root", "index")), {}
    known = {str(root), *parse_toc_data(contents)} if wanted.pages else set()
    for page in wanted.pages:
        docname = str(root.with_name(page.stem))
        if docname in known or docname in found:
            raise ExtensionError(
                f"{page}: the book has a page {page.stem}; name this one otherwise"
            )
        found[docname] = page
    return found


def change_contents(app, config) -> None:
    """After the contents have been read, before it is known which pages they name."""
    contents, wanted = course.contents_of(Path(app.confdir)), app.gaugebook_course
    every = tuple(course.chapters_of(contents))
    app.gaugebook_own_pages = own_pages(wanted, contents)
    if wanted.pages or wanted.chapters != every:
        config.external_site_map = parse_toc_data(as_taught(contents, wanted))


def add_own_pages(app) -> None:
    """Before the book's pages are looked for."""
    if app.gaugebook_own_pages:
        app.project.__class__ = WithOwnPages
        app.project.own = app.gaugebook_own_pages


def setup(app) -> None:
    """The contents are read at priority 900, and their pages named at 950."""
    app.connect("config-inited", change_contents, priority=925)
    app.connect("builder-inited", add_own_pages)
