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

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
"""Accepted formats, by their names in Pillow. The content of a file decides, not its name."""

MAX_PIXELS = 25_000_000
MAX_BYTES = 100_000_000
"""Limits of an image and its file. Decoding takes up to 20 bytes for each pixel and twice the file's size."""
MAX_READS = 300_000
"""Limit of the parts that a file is read in: a GIF file of noise needs 270,000, millions of empty ones take minutes."""
MAX_SCANS = 100
"""Limit of the passes of a progressive JPEG file over its pixels, usually ten; each takes time, but few bytes."""

EIGHT_BITS = ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LA", "PA", "RGBA", "La", "RGBa")
"""Modes with a range of 0 .. 255 that Pillow converts to RGB."""

GRAY = ("1", "L", "LA", "La", "I")
"""Modes of gray values, those of 16 bits aside."""

ORIENTATION, ROTATED = 0x0112, (5, 6, 7, 8)
"""Tag of EXIF, and its values for images on their side."""

KEY_SCALES = {"L;2": 85, "L;4": 17}
"""Factors by which Pillow scales the pixels of a PNG file, but not its transparent gray value, to 0 .. 255."""

BITS_PER_SAMPLE, PHOTOMETRIC = 258, 262
"""Tags of TIFF."""

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
        part = ImageOps.fit(_to_rgb(path, image, background), (shape[2], shape[1]))
    values = np.asarray(part).transpose(2, 0, 1) if shape[0] == 3 else np.asarray(part.convert("L"))
    return values.reshape(-1), several


def image_shape(path: Path) -> tuple[int, int, int]:
    """Return the shape of an image file, read from its header: channels (1 for gray, or 3), rows and columns.

    Parameters
    ----------
    path : Path
        As for `read_image`.

    Returns
    -------
    tuple of int
        Rotated as the EXIF orientation says.

    Raises
    ------
    FileError
        As `read_image` does.
    """
    with _opened(path) as image:
        channels = 1 if image.mode in GRAY or image.mode.startswith("I;16") else 3
        sides = (image.height, image.width)
        rows, columns = sides[::-1] if image.getexif().get(ORIENTATION) in ROTATED else sides
    return channels, rows, columns


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


def _to_rgb(path: Path, image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """Decode an image, rotate it, scale its values and composite it on the background."""
    key = image.info.get("transparency")
    rawmode = image.tile[0][3] if image.format == "PNG" and image.tile else None  # type: ignore[attr-defined]
    if rawmode == "RGB;16B" and key is not None:  # pixels keep 8 of 16 bits, too few to find the transparent ones
        expected, got = "a transparent color of 8 bits per channel", "one of 16 bits"
        raise FileError(path, "", expected, got, "save the image with 8 bits per channel")
    if rawmode in KEY_SCALES and key is not None:
        image.info["transparency"] = key * KEY_SCALES[rawmode]
    table = _gray_table(path, image)
    ImageOps.exif_transpose(image, in_place=True)
    if table is not None:
        image = _to_eight_bits(image, table)
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    layer = image if image.mode == "RGBA" else image.convert("RGBA")
    canvas = Image.new("RGB", layer.size, background)
    canvas.paste(layer, mask=layer)
    return canvas


def _gray_table(path: Path, image: Image.Image) -> NDArray[np.uint8] | None:
    """Return the values in 0 .. 255 of 16-bit gray values, None for an image of 8-bit values."""
    if image.mode in EIGHT_BITS:
        return None
    bits, zero_is_white = 16, False
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        bits, zero_is_white = tags[BITS_PER_SAMPLE][0], tags[PHOTOMETRIC] == 0
    if not (image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG")):
        got = f"values of mode {image.mode}, whose range is unknown"
        raise FileError(path, "", "values of 8 bits, or gray values of 16", got, "scale them and save them with 8 bits")
    table = np.rint(np.linspace(0, 255, 2**bits)).astype(np.uint8)
    return table[::-1] if zero_is_white else table


def _to_eight_bits(image: Image.Image, table: NDArray[np.uint8]) -> Image.Image:
    """Replace gray values by those in a table; a transparent value becomes an alpha channel."""
    values = np.asarray(image)
    gray = Image.fromarray(table[values])
    if (key := image.info.get("transparency")) is None:
        return gray
    return Image.merge("LA", (gray, Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8))))


def _start(path: Path) -> bytes:
    """Return the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(8)
