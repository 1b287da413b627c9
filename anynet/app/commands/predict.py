"""``anynet predict``."""

from pathlib import Path

import numpy as np

from anynet.app.prediction import load_predictor, read_image
from anynet.backends import backend as choose_backend


def predict(run: Path, /, *images: Path, backend: str | None = None) -> None:
    """Classify image files with a trained net, and print the three most probable classes of each.

    Parameters
    ----------
    run
        Folder of a run. For a sweep, the probabilities of all members are averaged; its member-N folders hold single
        nets.
    images
        Image files; the central square of each is scaled to 32 x 32 pixels.
    backend
        Array library, as for train --backend.
    """
    if not images:
        raise ValueError(f"predict {run}: expected one image file or more, got none")
    predictor = load_predictor(run, choose_backend(backend))
    rows = np.stack([read_image(path) for path in images])
    for path, probabilities in zip(images, predictor(rows), strict=True):
        best = np.argsort(-probabilities)[:3]
        names = ", ".join(f"{predictor.classes[i]} {probabilities[i]:.0%}" for i in best)
        print(f"{path}: {names}" + (f" (trained on {predictor.dataset})" if predictor.dataset != "cifar10" else ""))
