"""The new folder of a run or a sweep: its name, its first files, and another place for it if the disk is full."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from anynet.app.keeping import reason, write_elsewhere
from anynet.core.errors import is_disk_full


def refuse_existing(path: Path) -> None:
    """Raise FileExistsError if the path exists."""
    if path.exists():
        raise _exists(path)


def check_new_file(path: Path) -> None:
    """Raise FileExistsError if a file to be written exists, FileNotFoundError if its folder does not."""
    if path.exists():
        raise FileExistsError(f"{path}: expected a new file, but it exists; choose another name")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: its folder {path.parent} does not exist; create it or choose another")


def check_new_picture(path: Path) -> None:
    """Raise FileExistsError, FileNotFoundError or ValueError unless a file of this name can be written and drawn."""
    from matplotlib.backend_bases import FigureCanvasBase  # here, because Matplotlib is slow to import

    check_new_file(path)
    kinds = FigureCanvasBase.get_supported_filetypes()
    if path.suffix[1:].lower() not in kinds:
        raise ValueError(f'{path}: expected a name with .{", .".join(kinds)} at its end, got "{path.suffix}"')


def make_folder(path: Path | None = None) -> Path:
    """Make a new folder. Of several processes only one gets a name.

    Parameters
    ----------
    path : Path, optional
        Default: a folder under ``runs``, named after the time, with a number if there is one of that name.

    Returns
    -------
    Path

    Raises
    ------
    FileExistsError
        If `path` exists.
    """
    if path is not None:
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            raise _exists(path) from None
        return path
    time, number = datetime.now().strftime("%Y%m%d-%H%M%S"), 1
    path = Path("runs", time)
    path.parent.mkdir(exist_ok=True)
    while True:
        try:
            path.mkdir()
            return path
        except FileExistsError:
            number += 1
            path = path.with_name(f"{time}-{number}")


def begin_folder(path: Path | None, write: Callable[[Path], None]) -> Path:
    """Make a new folder and write its first files; if they cannot be written, remove it again.

    Parameters
    ----------
    path : Path, optional
        As for `make_folder`.
    write : callable
        ``write(folder)`` writes the files.

    Returns
    -------
    Path

    Raises
    ------
    FileExistsError
        If `path` exists.
    OSError
        If the folder or a file cannot be written.
    """
    folder = make_folder(path)
    try:
        write(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def begin_anywhere(path: Path | None, write: Callable[[Path], None]) -> Path:
    """Begin a folder or, if the disk is full, one under the system's temporary folder; a line on stderr says so.

    Parameters
    ----------
    path, write
        As for `begin_folder`.

    Returns
    -------
    Path

    Raises
    ------
    FileExistsError
        If `path` exists.
    OSError
        If the folder cannot be written for another reason, or neither can; the message names both.
    """
    try:
        return begin_folder(path, write)
    except OSError as error:
        if isinstance(error, FileExistsError):
            raise
        if not is_disk_full(error):
            failed = f"{error.filename or path} cannot be written ({reason(error)})"
            raise type(error)(f"{failed}; choose another folder with --out") from error
        lost = "nothing was trained, since it could not be kept"
        return write_elsewhere(path or Path("run"), write, error, lost, "everything is written to")


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(f"{path}: expected a new folder, but it exists; choose another --out")
