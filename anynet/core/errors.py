"""Base of the package's errors, warnings, the error for files that cannot be read, and checks of paths."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anynet.core.checks import describe
from anynet.core.formatting import printable


class Error(Exception):
    """Base of the errors that anynet raises for causes outside of a program: files, devices, servers, memory, rates.

    Wrong arguments raise TypeError or ValueError. Each subclass also has the built-in class that fits it. The message
    is one line and says what to do; the command line prints it and ends with code 2.
    """


class TrainingWarning(UserWarning):
    """Warning that a training runs, but not as one would expect: of its settings, data, or checkpoints."""


def is_disk_full(error: OSError) -> bool:
    """Return True if a file could not be written because there is no space for it, or a limit on its size."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileError(Error, ValueError):
    """A file that cannot be read as what it should be.

    Parameters
    ----------
    file : str or Path
        The file.
    place : str
        Line, column, key or tensor; "" for the whole file.
    expected, got : str
        What should be there, and what is.
    advice : str
        What to do.

    Examples
    --------
    >>> print(FileError("history.csv", "line 3, column lr", "a number", '"x"', "remove the line"))
    history.csv, line 3, column lr: expected a number, got "x"; remove the line
    """

    def __init__(self, file: str | Path, place: str, expected: str, got: str, advice: str) -> None:
        super().__init__(file, place, expected, got, advice)
        self.file, self.place, self.expected, self.got, self.advice = file, place, expected, got, advice

    def __str__(self) -> str:
        place = f", {printable(self.place)}" if self.place else ""
        expected, got = printable(self.expected, 500), printable(self.got, 500)  # they may hold texts of the file
        file = printable(f"{self.file}", 4096)  # a name may hold a line break
        return f"{file}{place}: expected {expected}, got {got}; {self.advice}"


def file_path(name: str, value: Any) -> Path:
    """Return a path, of a text or a path.

    Parameters
    ----------
    name : str
        Name in the error message.
    value : str or path-like
        Path.

    Returns
    -------
    Path

    Raises
    ------
    TypeError
        If it is anything else, such as bytes.
    ValueError
        If it has the character NUL, which no path has.
    """
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(path, str):
        raise TypeError(f"{name}: expected a text or a Path, got {describe(value)}")
    if "\0" in path:
        raise ValueError(f"{name}: expected a path without NUL, got {path!r}")
    return Path(path)


def file_to_write(value: Any, example: str) -> Path:
    """Return the path of a file that is to be written or replaced.

    Parameters
    ----------
    value : str or path-like
        Path.
    example : str
        Name for the error message.

    Returns
    -------
    Path

    Raises
    ------
    TypeError, ValueError
        If it is no path, or that of a folder.
    FileNotFoundError
        If there is no such folder.
    """
    file = file_path("path", value)
    if not file.name or file.is_dir():
        raise ValueError(f"path: expected a file to write, such as {example}, got {str(value)!r}, a folder")
    if not file.parent.is_dir():
        raise FileNotFoundError(f"{file}: expected a path in a folder, but there is no folder {file.parent}; make it")
    return file


def check_is_file(path: Path, advice: str) -> None:
    """Refuse a folder, and a device or a pipe, which may never end, before it is opened.

    Parameters
    ----------
    path : Path
        The file.
    advice : str
        What to do if it is none.

    Raises
    ------
    FileNotFoundError
        If there is nothing of that name.
    FileError
        If it is no file.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise FileError(path, "", "a file", "a folder" if stat.S_ISDIR(mode) else "a device or a pipe", advice)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give an error of the operating system the file's name, which one in the middle of a file lacks."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise
