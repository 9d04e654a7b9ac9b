"""What can be read from a figure's SVG: sizes of letters, and colours of letters and of lines."""

import re
from pathlib import Path

from tests.site import markup

HEX = re.compile(r"#[0-9a-f]{6}\b")
SCALE = re.compile(r"scale\(([\d.]+) -")
GROUNDS = {"light": ("#fffefb", "#ffffff"), "dark": ("#15181c",)}  # page and paper
GRID = {"light": "#e3e3e3", "dark": "#343a42"}
GROUP = re.compile(r"<g\b([^>]*)>")
ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
FRAME = re.compile(r'<g id="axes_\d+"><g id="patch_\d+"><path d="([^"]*)"')
VIEW = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
NUMBER = re.compile(r"[\d.]+")
FAINT = re.compile(r"opacity: (0?\.\d+)")


def pictures(page: Path):
    """The `<picture>`s of each figure of a page that was drawn by a cell."""
    for figure in markup.read(page).select("div.cell_output figure"):
        if not figure.find("script", markup.VIEW):  # a widget draws itself
            yield figure.get("id"), figure.select("picture")


def files(page: Path, picture) -> dict[str, Path]:
    """The files of a picture: the wide one and the narrow one."""
    addresses = {"wide": picture.img["src"], "narrow": picture.source["srcset"]}
    return {name: (page.parent / where).resolve() for name, where in addresses.items()}


def missing(page: Path) -> list[str]:
    """What a page's figures lack: a theme, a narrow drawing, room kept for it, patience."""
    found = []
    for name, both in pictures(page):
        themes = [theme for p in both for theme in p.img["class"]]
        if themes != ["only-light", "only-dark"]:
            found.append(f"{name} has the themes {themes}")
        for picture in both:
            tags = picture.find_all(["source", "img"])
            if [tag.name for tag in tags] != ["source", "img"]:
                found.append(f"{name} has no narrow drawing")
                continue
            if not all(str(tag.get(side, "")).isdigit() for tag in tags for side in SIDES):
                found.append(f"{name} keeps no room")
            if picture.img.get("loading") != "lazy":
                found.append(f"{name} does not wait")
            if not all(path.is_file() for path in files(page, picture).values()):
                found.append(f"{name} leads nowhere")
    return found


SIDES = ("width", "height")


def points(svg: str) -> dict[str, float]:
    """Width and height of a drawing in points."""
    return dict(zip(SIDES, map(float, VIEW.search(svg).groups()), strict=True))


def panels(svg: str) -> list[tuple[float, float]]:
    """Left edge and top of each panel; a bar of colours is too thin for one."""
    corners = [[float(x) for x in NUMBER.findall(path)] for path in FRAME.findall(svg)]
    return [(min(c[::2]), min(c[1::2])) for c in corners if max(c[::2]) - min(c[::2]) > 40]


def letters(svg: str) -> list[tuple[float, str]]:
    """Size in points and colour of each text; matplotlib draws glyphs of 100 points, and scales."""
    found = []
    for group in GROUP.findall(svg):
        named = dict(ATTRIBUTE.findall(group))
        if scale := SCALE.search(named.get("transform", "")):
            style = HEX.search(named.get("style", ""))
            found.append((100 * float(scale[1]), style[0] if style else "#000000"))
    return found


def lines(svg: str, theme: str) -> set[str]:
    """Colours of all that is drawn at full strength, but letters, grids and grounds."""
    styles = re.findall(r' style="([^"]*)"', svg)
    solid = [style for style in styles if not FAINT.search(style)]
    drawn = {c for style in solid for c in re.findall(r"(?:stroke|fill): (#[0-9a-f]{6})", style)}
    return drawn - {GRID[theme]}


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of two colours."""
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb."""
    shares = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def illegible(svg: str, theme: str) -> list[str]:
    """Letters below 4.5 : 1 and lines below 3 : 1 against the ground of a theme."""
    least = {colour: 4.5 for _, colour in letters(svg)}
    for colour in lines(svg, theme) - least.keys():
        least[colour] = 3.0
    return [
        f"{colour} on {ground}: {contrast(colour, ground):.2f}"
        for colour, wanted in least.items()
        for ground in GROUNDS[theme]
        if contrast(colour, ground) < wanted
    ]
