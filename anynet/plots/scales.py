"""Choice between linear and logarithmic axes."""

from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatter

LOG_RATIO = 20
"""Ratio of the largest to the smallest value from which an axis is logarithmic."""


class PlainLogFormatter(LogFormatter):
    """Formatter of logarithmic axes that writes 0.001 instead of powers of ten."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a tick, or an empty text where there would be too many."""
        return f"{x:g}" if super().__call__(x, pos) else ""


def scale(low: float, high: float) -> Literal["linear", "log"]:
    """Return the scale of an axis.

    Parameters
    ----------
    low, high : float
        Smallest and largest value.

    Returns
    -------
    {"linear", "log"}

    Examples
    --------
    >>> scale(0.001, 0.1), scale(0.0, 0.1)
    ('log', 'linear')
    """
    return "log" if 0 < LOG_RATIO * low <= high else "linear"


def set_log(axes: Axes, which: Literal["x", "y"], base: float = 10) -> None:
    """Make an axis logarithmic, with plain numbers at its ticks.

    Parameters
    ----------
    axes : Axes
    which : {"x", "y"}
    base : float
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log", base=base)
    axis.set_major_formatter(PlainLogFormatter(base))
    axis.set_minor_formatter(PlainLogFormatter(base))
