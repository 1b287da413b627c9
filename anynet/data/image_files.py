"""Image files as inputs of a net."""

import io
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from anynet.core.errors import FileError
from anynet.core.formatting import first_line
from anynet.data.dataset import IMAGE_SHAPE
from anynet.data.image_modes import has_gray_mode, to_rgb

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
"""Accepted formats, by their names in Pillow. The content of a file decides, not its name."""

MAX_PIXELS = 25_000_000
MAX_BYTES = 100_000_000
"""Limits of an image and its file. Decoding takes up to 20 bytes for each pixel and twice the file's size."""
MAX_READS = 300_000
"""Limit of the parts that a file is read in: a GIF file of noise needs 270,000, millions of empty ones take minutes."""
MAX_SCANS = 100
"""Limit of the passes of a progressive JPEG file over its pixels, usually ten; each takes time, but few bytes."""

WANTED = "an image file in PNG, JPEG, GIF, WebP, BMP or TIFF format"
SHRINK = "save a smaller version of the image"


def read_image(
    path: Path, background: tuple[int, int, int] = (255, 255, 255), shape: tuple[int, ...] = IMAGE_SHAPE
) -> tuple[NDArray[np.uint8], bool]:
    """Read an image file as an input of a net: its central part, scaled to as many pixels as the net has.

    The image is rotated as its EXIF orientation says. 16-bit values are scaled to 0 .. 255 by their range.

    Parameters
    ----------
    path : Path
        File in one of `FORMATS`, of at most `MAX_PIXELS` pixels and `MAX_BYTES` bytes.
    background : tuple of int
        Color behind transparent pixels: red, green and blue, in 0 .. 255.
    shape : tuple of int
        Channels, 1 or 3, rows and columns.

    Returns
    -------
    image : ndarray of uint8, shape (channels * rows * columns,)
        The first image of the file.
    several : bool
        True if the file holds several images, as animations do.

    Raises
    ------
    FileError
        If the file cannot be read, is no such image, or is larger than the limits.
    """
    with _opened(path) as image:
        several = bool(getattr(image, "is_animated", False))
        part = ImageOps.fit(to_rgb(path, image, background), (shape[2], shape[1]))
    values = np.asarray(part).transpose(2, 0, 1) if shape[0] == 3 else np.asarray(part.convert("L"))
    return values.reshape(-1), several


def image_size(path: Path) -> tuple[int, int]:
    """Return rows and columns of an image file, rotated as its EXIF orientation says.

    Parameters
    ----------
    path : Path
        As for `read_image`.

    Returns
    -------
    tuple of int

    Raises
    ------
    FileError
        As `read_image` does.
    """
    with _opened(path) as image:  # decoded, because Pillow rotates some formats when they are opened, others later
        columns, rows = to_rgb(path, image, (255, 255, 255)).size
    return rows, columns


def is_gray(path: Path) -> bool:
    """Return True if the header of an image file says that it has no colors.

    Parameters
    ----------
    path : Path
        As for `read_image`.

    Returns
    -------
    bool

    Raises
    ------
    FileError
        If the file cannot be read, is no such image, or is larger than the limits.
    """
    with _opened(path) as image:
        return has_gray_mode(image)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image file of allowed format and size; whatever decoding it raises becomes one FileError."""
    _check_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata, and of sizes, which are checked below
            with _silent_libtiff(), _LimitedFile(path) as file, Image.open(file, formats=FORMATS) as image:
                _check_size(path, image.width * image.height)
                if "progressive" in image.info:
                    _check_scans(path)
                yield image
    except (FileError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise FileError(path, "", WANTED, f"one that begins with {_start(path)!r}", "convert it") from None
    except Image.DecompressionBombError:  # before the size is known here
        raise FileError(
            path, "", f"at most {MAX_PIXELS:,} pixels", f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,}", SHRINK
        ) from None
    except Exception as error:  # decoders raise errors of many classes for damaged files
        reason = first_line(error)
        raise FileError(path, "", "a whole image", f"a damaged one ({reason})", "copy or save it again") from error


class _LimitedFile(io.BufferedReader):
    """A file that can be read `MAX_READS` times."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._path, self._left = path, MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise FileError(self._path, "", "a whole image", f"more than {MAX_READS:,} parts", "save it again")
        return super().read(size)


@contextmanager
def _silent_libtiff() -> Iterator[None]:
    """Discard the messages that libtiff writes to the process's stderr; Pillow raises errors as well."""
    try:
        stderr = os.dup(2)
    except OSError:  # closed
        yield
        return
    try:
        with open(os.devnull, "wb") as null:
            os.dup2(null.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _check_file(path: Path) -> None:
    """Refuse everything but files before it is opened: reading a device or a pipe may never end."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise FileError(path, "", WANTED, "no such file", "check the name") from None
    except (OSError, ValueError) as error:  # not accessible, or a name with a null character
        raise FileError(path, "", WANTED, f"an error ({first_line(error)})", "check name and permissions") from None
    if stat.S_ISDIR(status.st_mode):
        raise FileError(path, "", WANTED, "a folder", "give the files in it")
    if not stat.S_ISREG(status.st_mode):
        raise FileError(path, "", WANTED, "a device or a pipe", "save the image in a file first")
    if status.st_size == 0:
        raise FileError(path, "", WANTED, "an empty one", "copy or save it again")
    if status.st_size > MAX_BYTES:
        raise FileError(path, "", f"at most {MAX_BYTES:,} bytes", f"{status.st_size:,}", SHRINK)


def _check_size(path: Path, pixels: int) -> None:
    if pixels > MAX_PIXELS:
        raise FileError(path, "", f"at most {MAX_PIXELS:,} pixels", f"{pixels:,}", SHRINK)


def _check_scans(path: Path) -> None:
    scans = path.read_bytes().count(b"\xff\xda")
    if scans > MAX_SCANS:
        raise FileError(path, "", f"at most {MAX_SCANS} scans of a progressive JPEG", f"{scans:,}", "save it again")


def _start(path: Path) -> bytes:
    """Return the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(8)
