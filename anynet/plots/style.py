"""Appearance of all figures: fonts, sizes, colors and grid, whatever a user's own settings of Matplotlib."""

import io
import textwrap
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import matplotlib.style
from cycler import cycler
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from anynet.plots.letters import added_fonts, any_weight, drawable

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe's and Ito's colors, which color-blind readers can tell apart, without yellow, which is faint on white."""
BEST, DIVERGED, QUIET = COLORS[1], "0.35", "0.45"
"""Colors of marks of the best, of what diverged, and of remarks."""
FONT = "DejaVu Sans"
TITLE_SIZE, NOTE_SIZE, TICK_SIZE = 10.0, 8.0, 8.0
LINE_HEIGHT = 1.2 / 72
"""Height of a line of text, in inches for each point of its size."""
LEGEND_HANDLE = 0.6
"""Width of a line in a legend, with the space around it, in inches."""
SCREEN_DPI, FILE_DPI = 100, 150

CYCLE = cycler(linestyle=["-", "--", ":"]) * cycler(color=COLORS)
"""Styles of lines, one after the other."""

STYLE = {
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9.0,
    "xtick.labelsize": TICK_SIZE,
    "ytick.labelsize": TICK_SIZE,
    "legend.fontsize": NOTE_SIZE,
    "legend.title_fontsize": NOTE_SIZE,
    "legend.framealpha": 0.9,
    "figure.titlesize": TITLE_SIZE,
    "figure.labelsize": NOTE_SIZE,
    "figure.dpi": SCREEN_DPI,
    "savefig.dpi": FILE_DPI,
    "axes.prop_cycle": CYCLE,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.88",
    "grid.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.5,
    "image.cmap": "viridis",
    "text.hinting": "no_hinting",
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.06,
}
"""Differences from Matplotlib's own defaults. Without hinting, texts have the same width at each resolution."""

_LOCK = threading.RLock()
_entered = threading.Event()
"""Set while a thread, which has the lock, is in `styled`."""


@contextmanager
def styled() -> Iterator[None]:
    """Context manager and decorator of functions that draw: in it, Matplotlib's settings are those of this module.

    The user's settings are back at its end; only the fonts of these, and others that `drawable` finds, serve letters
    that `FONT` lacks. Threads wait for each other.

    Examples
    --------
    >>> with styled():
    ...     axes = figure(4, 3, "title").subplots()
    >>> axes.title.get_fontsize()
    9.5
    """
    with _LOCK:
        if _entered.is_set():  # changing settings takes 2 ms, and a page does it 100 times
            yield
            return
        own = matplotlib.rcParams
        fonts: dict[str, Any] = {name: own[name] for name in ("font.sans-serif", "font.serif", "font.monospace")}
        fonts["font.family"] = [*dict.fromkeys((FONT, *own["font.family"], *added_fonts()))]
        with matplotlib.style.context(["default", fonts | STYLE]), any_weight():
            _entered.set()
            try:
                yield
            finally:
                _entered.clear()


class StyledFigure(Figure):
    """A figure that is drawn and saved with the settings of this module, and that notebooks show."""

    below = 0.0
    """Height of what is below the panels, in inches."""

    @styled()
    def draw(self, renderer: Any) -> None:
        """Draw the figure."""
        super().draw(renderer)

    @styled()
    def savefig(self, *args: Any, **options: Any) -> None:
        """Save the figure: see `matplotlib.figure.Figure.savefig`; with 150 dots per inch unless `dpi` is given."""
        super().savefig(*args, **options)

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=SCREEN_DPI)
        return file.getvalue()


@styled()
def figure(width: float, height: float, title: str = "", note: str = "") -> StyledFigure:
    """Return an empty figure, to be filled in a function that is decorated with `styled`.

    Parameters
    ----------
    width, height : float
        Size in inches, without the height of title and note.
    title, note : str
        Texts above and below all panels, wrapped where they are longer than the figure is wide. A "$" is one.

    Returns
    -------
    StyledFigure
    """
    above, below = (
        within_width(drawable(text), width - 0.2, size) for text, size in ((title, TITLE_SIZE), (note, NOTE_SIZE))
    )
    made = StyledFigure(figsize=(width, height), layout="constrained")
    if title:
        made.suptitle(above, parse_math=False)
        made.set_figheight(height + LINE_HEIGHT * TITLE_SIZE * (above.count("\n") + 1.5))
    if note:
        text = made.text(
            width / 2, 0.06, below, size=NOTE_SIZE, color=QUIET, parse_math=False, ha="center", va="bottom"
        )
        text.set_transform(made.dpi_scale_trans)
        _put_below(made, text)
    return made


def _put_below(made: StyledFigure, artist: Artist) -> None:
    """Make a figure higher by an artist that is placed below the panels, and keep these above it."""
    artist.set_in_layout(False)
    height = artist.get_window_extent().height / made.dpi + 0.1
    made.below += height
    made.set_figheight(made.get_figheight() + height)
    share = made.below / made.get_figheight()
    made.set_layout_engine("constrained", rect=(0, share, 1, 1 - share))


@styled()
def legend_below(made: StyledFigure) -> None:
    """Add one legend of all panels below them, where it covers nothing, and make the figure as much higher.

    Parameters
    ----------
    made : StyledFigure
        Its panels may share labels, which the legend has once.
    """
    every = [zip(*axes.get_legend_handles_labels(), strict=True) for axes in made.axes]
    found = {label: handle for pairs in every for handle, label in pairs}
    if not found:
        return
    width = made.get_figwidth() - 0.3
    labels = [within_width(drawable(label), width - LEGEND_HANDLE, NOTE_SIZE) for label in found]
    widest = LEGEND_HANDLE + max(inches(line, NOTE_SIZE) for label in labels for line in label.split("\n"))
    columns = max(1, min(len(labels), int(width / widest)))
    place = {"bbox_to_anchor": (made.get_figwidth() / 2, made.below), "bbox_transform": made.dpi_scale_trans}
    legend = made.legend([*found.values()], labels, loc="lower center", ncols=columns, **place)
    for text in legend.get_texts():
        text.set_parse_math(False)
    _put_below(made, legend)


@styled()
def within_width(text: str, width: float, size: float) -> str:
    """Return a text whose lines are no wider, by line breaks between words, or within words that are wider alone.

    Parameters
    ----------
    text : str
    width : float
        In inches.
    size : float
        Size of the font, in points.

    Returns
    -------
    str
    """
    return "\n".join(line for paragraph in text.split("\n") for line in _lines(paragraph, width, size))


def _lines(paragraph: str, width: float, size: float) -> list[str]:
    columns = len(paragraph)
    while True:
        found = textwrap.wrap(paragraph, max(columns, 1), break_on_hyphens=False) or [""]
        widest = max(inches(line, size) for line in found)
        if widest <= width or columns <= 1:
            return found
        columns = min(columns - 1, int(max(map(len, found)) * max(width / widest, 0.5)))


@styled()
def inches(line: str, size: float) -> float:
    """Return the width of a line of text.

    Parameters
    ----------
    line : str
    size : float
        Size of the font, in points.

    Returns
    -------
    float
    """
    renderer: Any = RendererAgg(1, 1, 72)  # type: ignore[no-untyped-call]
    with warnings.catch_warnings(action="ignore"):  # letters without a font are reported when they are drawn
        width, *_ = renderer.get_text_width_height_descent(line, FontProperties(size=size), False)
    return float(width) / 72
