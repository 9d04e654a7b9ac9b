"""What can be wrong with a page as it lies on the disk; each function returns the findings."""

from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

VIEW = {"type": "application/vnd.jupyter.widget-view+json"}
ADDRESSES = ("href", "src", "action", "poster")


@lru_cache(maxsize=64)
def read(path: Path) -> BeautifulSoup:
    """A page, parsed; what stands in <noscript> counts as markup."""
    return BeautifulSoup(path.read_text("utf8"), "html.parser")


@lru_cache(maxsize=64)
def anchors(path: Path) -> frozenset[str]:
    """Every place of a page that a link can point to."""
    tags = read(path).find_all(True)
    return frozenset(
        str(tag[name]) for tag in tags for name in ("id", "name") if tag.has_attr(name)
    )


def broken_links(path: Path, site: Path) -> list[str]:
    """Links within the site whose file or anchor does not exist."""
    found = []
    for tag in read(path).find_all(True):
        for name in ADDRESSES:
            if tag.has_attr(name) and not resolves(str(tag[name]), path, site):
                found.append(f"<{tag.name} {name}={tag[name]!r}>")
    return found


def resolves(address: str, path: Path, site: Path) -> bool:
    """Whether an address leads somewhere, as far as this site can know."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return parts.scheme in ("http", "https", "mailto", "data")
    target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.is_file() or site.resolve() not in target.resolve().parents:
        return False
    wanted = unquote(parts.fragment)
    return not wanted or target.suffix != ".html" or wanted in anchors(target)


def images_without_alt(path: Path) -> list[str]:
    """Pictures that say nothing to who cannot see them."""
    return [str(img) for img in read(path).find_all("img") if not str(img.get("alt", "")).strip()]


def repeated_ids(path: Path) -> list[str]:
    """Ids that stand more than once on a page: a link to them is ambiguous."""
    ids = [str(tag["id"]) for tag in read(path).find_all(id=True)]
    return sorted({name for name in ids if ids.count(name) > 1})


def views_without_still(path: Path) -> list[str]:
    """Widget views behind which no still picture stands in <noscript>."""
    return [str(view)[:150] for view in read(path).find_all("script", VIEW) if not still(view)]


def still(view: Tag) -> Tag | None:
    """The picture that stands for a view."""
    behind = view.find_next_sibling()
    if not isinstance(behind, Tag) or behind.name != "noscript":
        return None
    picture = behind.find("img")
    return picture if isinstance(picture, Tag) and str(picture.get("alt", "")).strip() else None
