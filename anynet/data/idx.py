"""Reading IDX files, in which MNIST and sets like it are distributed: arrays of bytes, gzipped or not."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anynet.core.errors import check_is_file, naming
from anynet.core.formatting import first_line
from anynet.data.dataset import DataError

UNSIGNED_BYTE = 8
"""Code of the only element type that is read."""

MOST_VALUES = 200_000_000
"""Values of a file, at most; the official images are 47 million."""

ADVICE = "download it again"


def idx_shape(path: Path, axes: int) -> tuple[int, ...]:
    """Return the shape of the array in an IDX file of bytes, as its header says.

    Parameters
    ----------
    path : Path
        The file; gzipped if its name ends in ``.gz``.
    axes : int
        Number of axes that the array must have: 3 for images, 1 for labels.

    Returns
    -------
    tuple of int

    Raises
    ------
    DataError
        If the header is damaged, of another type or another number of axes, or of more than `MOST_VALUES` values. The
        message names the file.

    References
    ----------
    LeCun, Cortes, Burges, The MNIST database, "File formats": a header of two zero bytes, the code of the type, the
    number of axes and their lengths (big-endian, four bytes each), then the values, the last axis changing fastest.
    """
    with _opened(path) as stream:
        return _shape(stream, axes, path)


def read_idx(path: Path, axes: int, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Read an IDX file of bytes.

    Parameters
    ----------
    path : Path
        The file, as for `idx_shape`.
    axes : int
        As for `idx_shape`.
    out : ndarray of uint8, optional
        Array to read into, contiguous and of the shape in the header. Default: a new one.

    Returns
    -------
    ndarray of uint8
        Writable.

    Raises
    ------
    DataError
        As `idx_shape` does, and if the file is damaged or holds another array than its header says.
    """
    with _opened(path) as stream:
        shape = _shape(stream, axes, path)
        if out is not None and shape != out.shape:  # the file has been replaced in between
            raise DataError(f"{path}: expected a header of shape {out.shape}, as before, got {shape}; try again")
        values = np.empty(prod(shape), np.uint8) if out is None else out.reshape(-1)
        _fill(stream, values, path)
        if stream.read(1):
            raise DataError(f"{path}: expected {values.size} values of shape {shape}, got more; {ADVICE}")
    return values.reshape(shape)


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    check_is_file(path, ADVICE)
    try:
        with naming(path), gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            yield stream
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: expected a gzip file, got a damaged one ({first_line(error)}); {ADVICE}") from error


def _shape(stream: BufferedIOBase, axes: int, path: Path) -> tuple[int, ...]:
    """Read the header, and return the shape that it says."""
    header = stream.read(count := 4 + 4 * axes)
    if len(header) < count:
        raise DataError(f"{path}: expected an IDX file, got one that ends within its header; {ADVICE}")
    expected = bytes([0, 0, UNSIGNED_BYTE, axes])
    if header[:4] != expected:
        got = f"one that begins with {header[:4].hex(' ')}"
        raise DataError(
            f"{path}: expected an IDX file of bytes on {axes} {'axis' if axes == 1 else 'axes'}, which begins with "
            f"{expected.hex(' ')}, got {got}; {ADVICE}"
        )
    shape = tuple(int(n) for n in np.frombuffer(header[4:], ">u4"))
    if not 0 < prod(shape) <= MOST_VALUES:
        raise DataError(f"{path}: expected 1 to {MOST_VALUES} values, got a header of shape {shape}; {ADVICE}")
    return shape


def _fill(stream: BufferedIOBase, values: NDArray[np.uint8], path: Path) -> None:
    """Read values in pieces: pages of memory that a damaged file does not fill are never taken."""
    done, piece = 0, 1 << 20
    while done < values.size:
        content = stream.read(min(piece, values.size - done))
        if not content:
            raise DataError(f"{path}: expected {values.size} values, got {done}; {ADVICE}")
        values[done : done + len(content)] = np.frombuffer(content, np.uint8)
        done += len(content)
