"""Image files given to a command with a trained net."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.core.errors import FileError
from anynet.core.formatting import printable
from anynet.data.image_files import read_image
from anynet.data.samples import is_picture
from anynet.training.predictor import Predictor


def check_takes_pictures(predictor: Predictor, command: str, method: str) -> None:
    """Check that nets classify image files.

    Parameters
    ----------
    predictor : Predictor
    command : str
        Beginning of the error message.
    method : str
        Method of a run that takes arrays, for the end of the message.

    Raises
    ------
    ValueError
        If the nets take others than uint8 images of 1 or 3 channels, or predict numbers.
    """
    shape, classes = predictor.shape, predictor.classes
    if not is_picture(shape) or predictor.input_dtype != "uint8" or not classes:
        numbers = "" if predictor.input_dtype == "uint8" else " of floating-point numbers"
        aim = "" if classes else " that predicts numbers"
        raise ValueError(
            f"{command}: expected a net for uint8 images of 1 or 3 channels that gives classes, got one for "
            f"{shape}{numbers}{aim}; anynet.load and {method} take arrays"
        )


def read_images(
    paths: Sequence[Path], shape: tuple[int, ...], background: tuple[int, int, int], done: str
) -> tuple[list[Path], NDArray[Any]]:
    """Read image files; one that cannot be read gives a line on stderr.

    Parameters
    ----------
    paths : sequence of Path
    shape : tuple of int
        Channels, rows and columns that they are scaled to.
    background : tuple of int
        Color behind transparent pixels.
    done : str
        What is done with the first image of a file that holds several, such as "classified".

    Returns
    -------
    read : list of Path
        Files that could be read.
    images : ndarray of uint8, shape (N, values)
    """
    read, rows = list[Path](), list[NDArray[np.uint8]]()
    for path in paths:
        try:
            row, several = read_image(path, background, shape)
        except FileError as error:
            print(f"anynet: {error}", file=sys.stderr)
            continue
        read.append(path)
        rows.append(row)
        if several:
            print(f"{shown(path)}: holds several images; the first is {done}", file=sys.stderr)
    return read, np.stack(rows) if rows else np.empty((0, math.prod(shape)), np.uint8)


def shown(path: Path) -> str:
    """Return a name to print, which may hold a line break."""
    return printable(f"{path}", 4096)
