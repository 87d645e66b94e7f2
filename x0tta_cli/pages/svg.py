"""Draw with matplotlib and hand out SVG that may stand inside an HTML page.

Text stays text: it can be searched, follows the page's font and keeps the page small.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from x0tta_cli.core.text import escape
from x0tta_cli.pages.palette import PALETTE, stand_in, variable

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
POINTS_PER_INCH = 72
FONT_SIZE = 11.0
# What the page's own style says, or what nobody reads.
SUPERFLUOUS_STYLE = re.compile(r"\s*font-family: [^;]*;?|\s*stroke-miterlimit: [^;]*;?")
SUPERFLUOUS_TRANSFORM = re.compile(r"rotate\(-?0 [^)]*\)")
REFERENCE = re.compile(r"url\(#([^)]+)\)")
STAND_IN = re.compile(r"#ab[0-9a-f]{4}")
VARIABLES = {stand_in(name): variable(name) for name in PALETTE}


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Give matplotlib the settings of a page's figure, whatever the user's own are.

    `name` seeds the identifiers inside the figure: unique in a page, equal from run to run.
    """
    matplotlib = load_matplotlib()
    with matplotlib.rc_context(), warnings.catch_warnings():
        # Widths are estimated with the bundled font; the reader's font has the missing glyphs.
        warnings.filterwarnings("ignore", r"Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": name,
                "font.size": FONT_SIZE,
                "text.color": stand_in("ink"),
                "text.parse_math": False,
                "path.simplify": True,
            }
        )
        yield


def new_figure(width: float, height: float) -> Any:
    """Make a transparent figure of a size in CSS pixels."""
    from matplotlib.figure import Figure

    size = (width / POINTS_PER_INCH, height / POINTS_PER_INCH)
    return Figure(figsize=size, dpi=POINTS_PER_INCH, frameon=False)


def new_axes(figure: Any, width: float, height: float) -> Any:
    """Cover a figure with axes without lines whose units are its pixels, y downwards."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return axes


def write(
    axes: Any,
    place: tuple[float, float],
    text: str,
    colour: str = "ink",
    *,
    align: str = "left",
    bold: bool = False,
    **options: object,
) -> None:
    """Write one line of text, its middle at the given height; nothing in it is interpreted."""
    if text:
        axes.text(
            *place,
            escape(text),
            color=stand_in(colour),
            fontsize=FONT_SIZE,
            fontweight="bold" if bold else "normal",
            horizontalalignment=align,
            verticalalignment="center_baseline",
            **options,
        )


def to_svg(figure: Any, name: str, title: str, titles: Mapping[str, str] | None = None) -> str:
    """Write a figure as an `<svg>` element with palette variables for colours.

    `title` describes the whole figure to who can't see it. `titles` maps an artist's gid to what
    is shown when the pointer rests on it.
    """
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    root = ET.fromstring(buffer.getvalue())  # noqa: S314 - matplotlib's own output
    _drop_furniture(root)
    _give_titles(root, titles or {})
    _keep_referenced_identifiers(root, name)
    for element in root.iter():
        _clean(element)
    width, height = (float(side) for side in root.attrib["viewBox"].split()[2:])
    root.attrib.pop("version", None)
    root.attrib.update({"width": f"{width:g}", "height": f"{height:g}", "role": "img"})
    root.set("aria-label", escape(title))
    return ET.tostring(root, encoding="unicode").strip()


def load_matplotlib() -> Any:
    """Import matplotlib so that it leaves nothing in the home folder."""
    import sys

    if "matplotlib.font_manager" not in sys.modules and "MPLCONFIGDIR" not in os.environ:
        with _cache_folder() as folder:
            os.environ["MPLCONFIGDIR"] = str(folder)
            try:
                import matplotlib.font_manager
            finally:
                del os.environ["MPLCONFIGDIR"]
    import matplotlib

    return matplotlib


@contextmanager
def _cache_folder() -> Iterator[Path]:
    """Keep the list of fonts in the state folder for the next page, else in a temporary one."""
    from x0tta_cli.core import state
    from x0tta_cli.core.errors import OperatorError

    try:
        folder = state.ensure() / "matplotlib"
        folder.mkdir(exist_ok=True)
    except (OperatorError, OSError):
        folder = Path(tempfile.mkdtemp(prefix="x0tta-matplotlib-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    else:
        yield folder


def _drop_furniture(root: ET.Element) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{SVG}metadata" or child.find(f"{SVG}style") is not None:
                parent.remove(child)


def _give_titles(root: ET.Element, titles: Mapping[str, str]) -> None:
    for element in root.iter(f"{SVG}g"):
        text = titles.get(element.get("id", ""))
        if text is not None:
            title = ET.Element(f"{SVG}title")
            title.text = escape(text)
            element.insert(0, title)


def _keep_referenced_identifiers(root: ET.Element, name: str) -> None:
    """Keep the identifiers that something points to, and make them unique in the page."""
    referenced = set()
    for element in root.iter():
        for value in element.attrib.values():
            referenced.update(REFERENCE.findall(value))
        referenced.add(element.get(f"{XLINK}href", "").removeprefix("#"))
    for element in root.iter():
        identifier = element.attrib.pop("id", None)
        if identifier in referenced:
            element.set("id", f"{name}-{identifier}")
        for key, value in list(element.attrib.items()):
            element.set(key, REFERENCE.sub(rf"url(#{name}-\1)", value))
        target = element.attrib.pop(f"{XLINK}href", None)
        if target is not None:
            element.set("href", f"#{name}-{target.removeprefix('#')}")


def _clean(element: ET.Element) -> None:
    """Drop namespaces, which HTML does not want, and put the page's colours into the style."""
    element.tag = element.tag.removeprefix(SVG)
    element.tail = None
    if element.tag not in {"text", "tspan", "title"}:
        element.text = None
    if "style" in element.attrib:
        style = SUPERFLUOUS_STYLE.sub("", element.attrib["style"])
        style = STAND_IN.sub(lambda found: VARIABLES[found[0]], style)
        element.set("style", style.strip("; "))
    if "d" in element.attrib:
        element.set("d", " ".join(element.attrib["d"].split()))
    if SUPERFLUOUS_TRANSFORM.fullmatch(element.get("transform", "")):
        del element.attrib["transform"]
