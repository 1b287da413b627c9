"""``anynet predict``."""

import sys
from pathlib import Path

import numpy as np
from PIL import ImageColor

from anynet.app.given_images import check_takes_pictures, read_images, shown
from anynet.app.prediction import load_predictor
from anynet.backends import backend as choose_backend


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
    check_takes_pictures(predictor, f"predict {run}", "Run.predict")
    read, rows = read_images(images, predictor.shape, color, "classified")
    if read:
        for path, probabilities in zip(read, predictor.predict_proba(rows), strict=True):
            best = np.argsort(-probabilities)[:3]
            names = ", ".join(f"{predictor.classes[i]} {probabilities[i]:.0%}" for i in best)
            trained_on = f" (trained on {predictor.dataset})" if predictor.dataset != "cifar10" else ""
            print(f"{shown(path)}: {names}{trained_on}")
    if len(read) < len(images):
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
