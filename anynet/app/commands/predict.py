"""``anynet predict``."""

from pathlib import Path

import numpy as np

from anynet.app.prediction import load, read_image
from anynet.backends import backend as choose_backend


def predict(run: Path, *images: Path, backend: str | None = None) -> None:
    """Name the class of image files by a trained net, or by several.

    Parameters
    ----------
    run:
        Folder of a run; of nets that were trained at once, whose probabilities are then averaged, or of one of them.
    images:
        Image files; the middle square of each is taken, at 32 x 32 pixels.
    backend:
        As for train.
    """
    if not images:
        raise ValueError(f"predict {run}: name an image file at least")
    predictor = load(run, choose_backend(backend))
    rows = np.stack([read_image(path) for path in images])
    for path, chances in zip(images, predictor(rows), strict=True):
        best = np.argsort(-chances)[:3]
        names = ", ".join(f"{predictor.classes[i]} {chances[i]:.0%}" for i in best)
        print(f"{path}: {names}" + (f" (trained on {predictor.dataset})" if predictor.dataset != "cifar10" else ""))
