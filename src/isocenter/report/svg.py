"""SVG: turns a matplotlib figure into inline markup that follows the page's colours and can be read aloud."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from isocenter.report.text import plain

# Colours that stand for a variable of the page until the figure is written.
INK, MUTED, LINE = "#010101", "#010102", "#010103"
SERIES = ("#010200", "#010201", "#010202", "#010203", "#010204", "#010205")
_VARIABLES = {INK: "--ink", MUTED: "--muted", LINE: "--line"} | {
    c: f"--series-{n}" for n, c in enumerate(SERIES)
}
_COLOUR = re.compile("|".join(_VARIABLES))
_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "isocenter",
    "text.parse_math": False,
    "font.size": 11,
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
    "path.simplify": False,
}
ET.register_namespace("", _SVG)


@dataclass(frozen=True, slots=True)
class Words:
    """Text of ours on a chart, in points from its top left corner; matplotlib never sees text of headers."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    css: str = "small"


def figure(width: float, height: float) -> Figure:
    """An empty figure of that many points."""
    return Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")


def settings() -> Any:
    """Context in which charts are drawn: matplotlib's own defaults and ours, whatever the user has set."""
    return mpl.rc_context({**mpl.rcParamsDefault, **_SETTINGS, "backend": mpl.rcParams["backend"]})


def markup(drawn: Figure, name: str, title: str, description: str, words: list[Words]) -> Markup:
    """Inline SVG of a figure: no fixed size, ids that begin with its name, a title and a description."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    drawn.savefig(buffer, format="svg", metadata=nothing)
    root = ET.fromstring(buffer.getvalue())  # noqa: S314 - matplotlib's own output
    _clean(root, name)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {"class": "chart", "role": "img", "aria-labelledby": f"{name}-title {name}-desc"}
    for at, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = plain(text, 2000)
        root.insert(at, element)
    for word in words:
        place = {"x": f"{word.x:.1f}", "y": f"{word.y:.1f}", "class": f"{word.css} {word.anchor}"}
        ET.SubElement(root, f"{{{_SVG}}}text", place).text = plain(word.text)
    text = ET.tostring(root, encoding="unicode").replace(f' xmlns="{_SVG}"', "")
    return Markup(text)  # noqa: S704 - serialised by ElementTree, which escapes


def _clean(root: ET.Element, name: str) -> None:
    """Drop what would reach beyond the chart: its style sheet, group ids, font names and fixed colours."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}style", f"{{{_SVG}}}metadata"}:
                parent.remove(child)
    _rename(root, name)
    for element in root.iter():
        element.tail = None
        if not (element.text or "").strip():
            element.text = None
        if style := element.attrib.get("style"):
            style = re.sub(r"font-family:[^;]*;?\s*", "", style)
            element.attrib["style"] = _COLOUR.sub(lambda m: f"var({_VARIABLES[m.group()]})", style)
        if path := element.attrib.get("d"):
            element.attrib["d"] = " ".join(path.split())


def _rename(root: ET.Element, name: str) -> None:
    """Number the ids that something refers to, behind the chart's name; the others go."""
    new: dict[str, str] = {}
    for element in root.iter():
        href, clip = element.attrib.pop(_HREF, ""), element.attrib.get("clip-path", "")
        for old in filter(None, (href.removeprefix("#"), clip.removeprefix("url(#").removesuffix(")"))):
            new.setdefault(old, f"{name}-{len(new)}")
        if href:
            element.attrib["href"] = f"#{new[href.removeprefix('#')]}"
        if clip:
            element.attrib["clip-path"] = f"url(#{new[clip.removeprefix('url(#').removesuffix(')')]})"
    for element in root.iter():
        own = element.attrib.pop("id", "")
        if own in new:
            element.attrib["id"] = new[own]
