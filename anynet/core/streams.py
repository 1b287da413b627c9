"""Standard output and error that never stop a program: closed, missing, full or unable to encode a character."""

import codecs
import errno
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from tqdm import TqdmWarning, tqdm

from anynet.core.formatting import wrapped
from anynet.core.notebook import in_notebook

STAND_INS = {
    **{"✓": "+", "✗": "x", "─": "-", "│": "|", "±": "+-", "…": "...", "µ": "u"},
    **{"\N{MULTIPLICATION SIGN}": "x", "\N{EN DASH}": "-"},
}
"""Text in place of characters that a stream cannot encode; others become question marks."""

ERRORS = "anynet.stand-in"
"""Name of the error handler of codecs that writes `STAND_INS`."""

NARROW = 110
"""Width of a terminal below which a bar leaves out counts and rates, so that what is behind it fits."""


NARROW_BAR = "{desc}{percentage:3.0f}%|{bar}| <{remaining}{postfix}"

NOTEBOOK_WIDTH = 100
"""Width of a bar of text in a notebook, in columns."""


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(STAND_INS.get(each, "?") for each in error.object[error.start : error.end]), error.end


codecs.register_error(ERRORS, _stand_in)


class Lenient:
    """A text stream that drops what cannot be written.

    Parameters
    ----------
    stream : text stream or None
        Stream to write to.

    Attributes
    ----------
    failure : OSError or None
        First error of the stream, unless its reader is gone.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.failure: OSError | None = None
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __eq__(self, other: object) -> bool:
        return other is self or other is self._stream  # tqdm compares streams

    __hash__ = object.__hash__

    @property
    def gave_up(self) -> bool:
        """True if nothing is written, because the stream is missing or has failed."""
        return self._stream is None

    @property
    def encoding(self) -> str:
        """Encoding of the stream; tqdm and rich draw with the characters that it has."""
        return getattr(self._stream, "encoding", None) or "ascii"

    def isatty(self) -> bool:
        """Return True if the stream is a terminal."""
        try:
            return self._stream is not None and self._stream.isatty()
        except (OSError, ValueError):
            return False

    def write(self, text: str) -> int:
        """Write a text, as far as that is possible.

        Parameters
        ----------
        text : str

        Returns
        -------
        int
            Length of `text`.
        """
        if self._stream is not None:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                encoding = self.encoding  # that of a stream which cannot be reconfigured
                self._stream.write(text.encode(encoding, ERRORS).decode(encoding))
            except (OSError, ValueError) as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Flush the stream, if it can be."""
        if self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._stream = None
        if isinstance(error, OSError) and error.errno != errno.EPIPE:
            self.failure = error


def lenient(stream: TextIO | Lenient | None) -> Lenient:
    """Return a stream that drops what cannot be written: this one, if it is one."""
    return stream if isinstance(stream, Lenient) else Lenient(stream)


@contextmanager
def lenient_streams() -> Iterator[None]:
    """Context manager in which ``sys.stdout`` and ``sys.stderr`` drop what cannot be written.

    At the end, a line on stderr says if stdout could not be written although somebody reads it.
    """
    _open_descriptors()
    before = sys.stdout, sys.stderr
    out, err = map(Lenient, before)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        out.flush()
        if out.failure is not None:
            print(f"anynet: the output could not be written: {out.failure}", file=err)
        err.flush()
        sys.stdout, sys.stderr = before
        for stream, lenient in zip(before, (out, err), strict=True):
            if lenient.gave_up:
                _discard(stream)


def _discard(stream: Any) -> None:
    """Send what a stream still holds to the null device: Python writes it at its exit, and would fail."""
    with suppress(OSError, ValueError, AttributeError):  # streams without a descriptor
        descriptor, null = stream.fileno(), os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)


def _open_descriptors() -> None:
    """Open the null device in the place of closed descriptors, which the next files would get otherwise."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free


def progress_bar(**options: Any) -> "tqdm[Any]":
    """Return a progress bar on stderr, or in a notebook, that never stops the work.

    Parameters
    ----------
    **options
        Options of tqdm. By default, ``disable`` is True if stderr is neither a terminal nor a notebook's.

    Returns
    -------
    tqdm
    """
    with warnings.catch_warnings(action="ignore", category=TqdmWarning):  # no ipywidgets; no threads, as in browsers
        if in_notebook():
            return _notebook_bar(**options)
        file = lenient(sys.stderr)
        columns = width(file)
        if columns < NARROW:
            options = {"bar_format": NARROW_BAR} | options
        return tqdm(**{"disable": None, "file": file, "ncols": columns - 1} | options)


def _notebook_bar(**options: Any) -> "tqdm[Any]":
    """Return a bar of widgets where ipywidgets is installed, else one of text, in one place of the notebook."""
    from tqdm.auto import tqdm as chosen  # here, because it imports asyncio

    options["disable"] = bool(options.get("disable"))
    if chosen.status_printer is not tqdm.status_printer:
        return chosen(**{"dynamic_ncols": True} | options)
    shown = {"file": Lenient(None), "ascii": False, "ncols": NOTEBOOK_WIDTH, "bar_format": NARROW_BAR}
    return _TextBar(**shown | options)


class _TextBar(tqdm):  # type: ignore[misc]  # tqdm has no annotations
    """A bar that replaces its text. In a notebook that is kept, each text that goes to a stream stays."""

    @staticmethod
    def status_printer(file: Lenient) -> Callable[[str], None]:
        place = sys.modules["IPython"].display.display({"text/plain": ""}, raw=True, display_id=True)
        return lambda text: place.update({"text/plain": text}, raw=True)


def print_wrapped(text: str, stream: TextIO | None) -> None:
    """Print a text; on a terminal in lines that fit it, broken behind commas, semicolons and colons."""
    file = lenient(stream)
    lines = wrapped(text, width(file), "  ") if file.isatty() else [text]
    print("\n".join(lines), file=stream)


def width(stream: Lenient) -> int:
    """Return the number of columns of a terminal: by the variable COLUMNS, else its own; 80 if it is not known."""
    if (columns := os.environ.get("COLUMNS", "")).isdecimal() and int(columns) > 1:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (AttributeError, OSError, ValueError):
        return 80
