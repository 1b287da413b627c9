"""``anynet predict``."""

import sys
from pathlib import Path

import numpy as np
from PIL import ImageColor

from anynet.app.prediction import load_predictor
from anynet.backends import backend as choose_backend
from anynet.core.errors import FileError
from anynet.core.formatting import printable
from anynet.data.image_files import read_image
from anynet.data.samples import is_picture


def predict(run: Path, /, *images: Path, background: str = "white", backend: str | None = None) -> None:
    """Classify image files with a trained net, and print the three most probable classes of each.

    A file that cannot be read gives a line on stderr and exit code 2; the others are classified.

    Parameters
    ----------
    run
        Folder of a run, or a file that Run.save wrote. For a sweep, the probabilities of all members are averaged; its
        member-N folders hold single nets.
    images
        PNG, JPEG, GIF, WebP, BMP or TIFF files of at most 25 million pixels; the central part of each is scaled to
        the size of the training images.
    background
        Color behind transparent pixels: a name or #rrggbb.
    backend
        Array library, as for train --backend.
    """
    if not images:
        raise ValueError(f"predict {run}: expected one image file or more, got none")
    color = parse_background(background)
    predictor = load_predictor(run, choose_backend(backend))
    shape = predictor.shape
    if not is_picture(shape) or predictor.input_dtype != "uint8" or not predictor.classes:
        numbers = "" if predictor.input_dtype == "uint8" else " of floating-point numbers"
        aim = "" if predictor.classes else " that predicts numbers"
        raise ValueError(
            f"predict {run}: expected a net for uint8 images of 1 or 3 channels that gives classes, got one for "
            f"{shape}{numbers}{aim}; anynet.load and Run.predict take arrays"
        )
    paths, rows, failed = [], [], False
    for path in images:
        try:
            row, several = read_image(path, color, shape)
        except FileError as error:
            print(f"anynet: {error}", file=sys.stderr)
            failed = True
            continue
        paths.append(path)
        rows.append(row)
        if several:
            print(f"{_name(path)}: holds several images; the first is classified", file=sys.stderr)
    if rows:
        for path, probabilities in zip(paths, predictor.predict_proba(np.stack(rows)), strict=True):
            best = np.argsort(-probabilities)[:3]
            names = ", ".join(f"{predictor.classes[i]} {probabilities[i]:.0%}" for i in best)
            trained_on = f" (trained on {predictor.dataset})" if predictor.dataset != "cifar10" else ""
            print(f"{_name(path)}: {names}{trained_on}")
    if failed:
        sys.exit(2)


def parse_background(name: str) -> tuple[int, int, int]:
    """Return the red, green and blue values of a color.

    Parameters
    ----------
    name : str
        A color name of CSS, such as "white", or ``#rrggbb``.

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        If there is no such opaque color.

    Examples
    --------
    >>> parse_background("navy")
    (0, 0, 128)
    """
    try:
        red, green, blue, *alpha = ImageColor.getrgb(name)
    except ValueError:
        alpha = [0]
    if alpha:
        raise ValueError(f'--background: expected a color name or #rrggbb, got "{name}"')
    return red, green, blue


def _name(path: Path) -> str:
    return printable(f"{path}", 4096)  # a name may hold a line break
