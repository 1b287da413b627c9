"""Progress of long work on stderr: a bar on a terminal; elsewhere lines, if they are asked for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import Any, Self

from anynet.core.streams import lenient, print_wrapped, progress_bar

LINE_SECONDS = 1.0
"""Time between two lines, at least."""

BAR_COLUMNS = 20
"""Columns of a bar in a narrow terminal that the text behind it leaves free: percentage, remaining time and marks."""

_wanted: bool | None = None
"""Default of what meters show: None is a bar on a terminal alone."""


@contextmanager
def progress_shown(wanted: bool) -> Iterator[None]:
    """Context manager in which meters show a bar on a terminal, and lines elsewhere; or nothing.

    Parameters
    ----------
    wanted : bool
        If False, they show nothing, and `announce` prints nothing.
    """
    global _wanted
    before, _wanted = _wanted, wanted
    try:
        yield
    finally:
        _wanted = before


def announce(text: str) -> None:
    """Print what a command is about to do on stderr, unless progress is not to be shown."""
    if _wanted is not False:
        print_wrapped(text, sys.stderr)


class Meter:
    """Progress of some work, as a context.

    Parameters
    ----------
    shown : bool, optional
        If True, a bar on a terminal, and lines where stderr is none; if False, nothing. Default: as the surrounding
        `progress_shown` says, else a bar on a terminal alone.
    seconds : float
        Time between two lines, at least. The last line is shown whenever it comes.
    **options
        Options of tqdm, such as total and unit.
    """

    def __init__(self, shown: bool | None = None, *, seconds: float = LINE_SECONDS, **options: Any) -> None:
        shown = _wanted if shown is None else shown
        self.bar = progress_bar(**options | ({"disable": True} if shown is False else {}))
        self._lines, self._seconds = bool(shown and self.bar.disable), seconds
        self._waiting, self._began = "", monotonic()
        self._said = self._began - seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.flush()
        self.bar.close()

    @property
    def shows(self) -> bool:
        """True if there is a bar, or there are lines."""
        return self._lines or not self.bar.disable

    def show(self, *texts: str) -> None:
        """Show behind the bar the first text that fits; the last if none does."""
        if self.bar.disable:
            return
        room = self.bar.ncols - BAR_COLUMNS - len(self.bar.desc) if self.bar.bar_format else sys.maxsize
        self.bar.set_postfix_str(next((text for text in texts if len(text) <= room), texts[-1]))

    def say(self, text: str, *, keep: bool = True) -> None:
        """Print a line where there is no bar.

        Parameters
        ----------
        text : str
        keep : bool
            If True, a line that comes too soon waits; it is printed at the end, unless another comes. If False, it is
            left out, also if the work has just begun.
        """
        now = monotonic()
        last = self._said if keep else max(self._said, self._began)
        if self._lines and now - last >= self._seconds:
            self._print(text)
            self._said = now
        elif self._lines and keep:
            self._waiting = text

    def flush(self) -> None:
        """Print the line that waits, if there is one."""
        if self._waiting:
            self._print(self._waiting)

    def _print(self, text: str) -> None:
        self._waiting = ""
        stream = lenient(sys.stderr)
        stream.write(f"{text}\n")
        stream.flush()
