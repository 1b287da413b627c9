"""Write what a run is worth first, or elsewhere; whatever else fails is a line on stderr."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tqdm import tqdm

from anynet.core.atomic import write_whole
from anynet.core.formatting import first_line, printable
from anynet.core.held_signals import HeldSignals

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Picture(NamedTuple):
    """A picture to be drawn.

    Attributes
    ----------
    path : Path
        File to write.
    draw : callable
        Returns the figure.
    """

    path: Path
    draw: Callable[[], "Figure"]

    def write(self, partial: Path) -> None:
        """Draw the picture into a file."""
        self.draw().savefig(partial)


class Page(NamedTuple):
    """A file that is written with the pictures, since nothing is lost without it.

    Attributes
    ----------
    path : Path
        File to write.
    write : callable
        ``write(partial)`` writes it under a temporary name.
    """

    path: Path
    write: Callable[[Path], object]


def warn(message: str) -> None:
    """Print one line on stderr, above progress bars, if that is possible."""
    with suppress(Exception):  # a stream that is closed must not end a training
        tqdm.write(f"anynet: {printable(message, 10_000)}", file=sys.stderr)


def reason(error: Exception) -> str:
    """Return why something failed, in one line without the name of a file."""
    return (error.strerror if isinstance(error, OSError) else None) or first_line(error)


@contextmanager
def harmless(what: str) -> Iterator[None]:
    """Context manager that turns an error into one line on stderr.

    Parameters
    ----------
    what : str
        Beginning of the line.
    """
    try:
        yield
    except Exception as error:
        warn(f"{what}: {reason(error)}")


class Tolerant:
    """Context manager, entered any number of times, that turns errors of writing into one line on stderr, once.

    Parameters
    ----------
    what : str
        File or folder that is written.
    """

    def __init__(self, what: Path) -> None:
        self._what, self._warned = what, False

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, OSError):
            return False
        if not self._warned:
            warn(f"{self._what} cannot be written ({reason(error)}); training goes on")
        self._warned = True
        return True


def write_or_rescue(folder: Path, write: Callable[[Path], None]) -> Path:
    """Write results into a folder or, if that fails, all of them into a new one under the system's temporary folder.

    Parameters
    ----------
    folder : Path
    write : callable
        ``write(folder)`` writes all files.

    Returns
    -------
    Path
        The folder that has the results. If it is another one, a line on stderr says so.

    Raises
    ------
    OSError
        If neither can be written; the message names both.
    """
    try:
        write(folder)
    except OSError as error:
        return write_elsewhere(folder, write, error, "the trained net could not be kept", "net and results are in")
    return folder


def write_elsewhere(folder: Path, write: Callable[[Path], None], cause: OSError, lost: str, kept: str) -> Path:
    """Write results into a new folder under the system's temporary folder, and say so in a line on stderr.

    Parameters
    ----------
    folder : Path
        Folder that they should have been written into.
    write : callable
        ``write(folder)`` writes all files.
    cause : OSError
        Why they could not; the message names its file.
    lost, kept : str
        Beginning of the message if this folder cannot be written either, and end of the line if it can.

    Returns
    -------
    Path

    Raises
    ------
    OSError
        If this folder cannot be written either.
    """
    failed, elsewhere = f"{cause.filename or folder} cannot be written ({reason(cause)})", None
    try:
        elsewhere = Path(tempfile.mkdtemp(prefix=f"anynet-{folder.name}-"))
        write(elsewhere)
    except OSError as error:
        if elsewhere is not None:
            shutil.rmtree(elsewhere, ignore_errors=True)
        raise OSError(
            f"{lost}: {failed}, nor can {elsewhere or 'a folder for temporary files'} ({reason(error)}); free some "
            "space, or set TMPDIR to a folder that has some"
        ) from error
    warn(f"{failed}; {kept} {elsewhere}")
    return elsewhere


def draw_all(pictures: Iterable[Picture | Page]) -> None:
    """Draw pictures and write each whole or not at all; those that fail are counted in one line on stderr.

    Parameters
    ----------
    pictures : iterable of Picture or Page
    """
    failed: list[tuple[Path, Exception]] = []
    for picture in pictures:
        try:
            write_whole(picture.path, picture.write)
        except Exception as error:
            failed.append((picture.path, error))
    if failed:
        path, first = failed[0]
        names = ", ".join(dict.fromkeys(path.name for path, _ in failed))
        warn(f"{path.parent}: {names} not made ({reason(first)}); everything else was written")


def draw_until_interrupted(pictures: Iterable[Picture | Page], signals: HeldSignals) -> None:
    """Draw pictures as long as no signal comes; a second one ends the picture that is being drawn.

    None are drawn if SIGTERM has come before. Afterwards signals are held back as before.

    Parameters
    ----------
    pictures : iterable of Picture or Page
    signals : HeldSignals
        Holds back signals.
    """

    def until_interrupted() -> Iterator[Picture | Page]:
        for picture in pictures:
            if signals.received or signals.terminated:
                raise KeyboardInterrupt
            yield picture

    signals.ease()
    try:
        draw_all(until_interrupted())
    except KeyboardInterrupt:
        warn("interrupted while pictures were drawn; some are missing, everything else was written")
    signals.hold()
