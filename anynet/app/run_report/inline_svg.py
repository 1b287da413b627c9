"""Figures as SVG inside a page: text as text, colors that follow the page's, ids that no other picture has."""

import io
import re
from itertools import count
from typing import Any

from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure

from anynet.plots.style import COLORS, styled

IMAGE_DPI = 144
"""Resolution of images in a figure."""
LIGHT = 0xC0
"""Brightness of a gray from which on it is one of lines in the background."""
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


class InlinePictures:
    """Pictures of a page, numbered."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def add(self, figure: Figure, label: str) -> Markup:
        """Return a figure as an element of the page.

        Parameters
        ----------
        figure : Figure
        label : str
            What it shows, for readers who do not see it.

        Returns
        -------
        Markup
            Its colors are the style sheet's variables: those of `COLORS` are ``--c0`` and so on, black is the color of
            text, white that of the page.
        """
        width, height = figure.get_size_inches() * 72
        content = _with_prefix(_content(figure), f"p{next(self._numbers)}-")
        content = re.sub(r"(?<=: )#[0-9a-f]{6}\b", lambda found: _color(found[0]), content)
        size = f'viewBox="0 0 {width:g} {height:g}" style="max-width: {width * 4 / 3:.0f}px"'  # a point is 4/3 pixels
        start = f'<svg class="plot" role="img" {size} aria-label="{escape(label)}">'
        return Markup(start + content)


def _content(figure: Figure) -> str:
    """Return what is between the tags of a figure's SVG, and the tag at its end."""
    file, (width, height) = io.StringIO(), figure.get_size_inches() * 72
    with styled(), rc_context({"svg.fonttype": "none", "svg.hashsalt": "anynet"}):
        figure.dpi = 72
        make: Any = RendererSVG  # has no type annotations
        renderer = make(width, height, file, image_dpi=IMAGE_DPI, metadata=NO_METADATA)
        Figure.draw(figure, renderer)  # not as figures of anynet do, in which text becomes paths
        renderer.finalize()
    content = file.getvalue()
    content = content[content.index(">", content.index("<svg")) + 1 :]
    content = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", content, flags=re.DOTALL)
    content = re.sub(r"\bfont: [^;\"]*?([\d.]+px)[^;\"]*", r"font-size: \1", content)
    content = re.sub(r" ?font-family: [^;\"]*;", "", content)  # the page's
    content = re.sub(r'\bd="[^"]*"', lambda found: re.sub(r"(\.\d\d)\d+", r"\1", found[0]), content)
    return re.sub(r"\s*\n\s*", "\n", content)


def _with_prefix(content: str, prefix: str) -> str:
    """Return SVG with a prefix before the ids that it refers to, without the others."""
    used = {*re.findall(r'(?:url\(#|href="#)([^")]+)', content)}
    content = re.sub(r' id="([^"]+)"', lambda found: f' id="{prefix}{found[1]}"' if found[1] in used else "", content)
    return re.sub(r'(url\(#|href="#)', rf"\1{prefix}", content).replace("xlink:href", "href")


def _color(code: str) -> str:
    """Return the page's color in place of one of a figure."""
    if code in ("#000000", "#ffffff"):
        return "currentColor" if code == "#000000" else "var(--page)"
    if code in COLORS:
        return f"var(--c{COLORS.index(code)})"
    red, green, blue = (int(code[i : i + 2], 16) for i in (1, 3, 5))
    if red == green == blue:
        return "var(--line)" if red >= LIGHT else "var(--quiet)"
    return code
