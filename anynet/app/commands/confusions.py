"""``anynet confusions``."""

from pathlib import Path

import numpy as np

from anynet.app.config_file import read_config
from anynet.app.new_folder import check_new_picture
from anynet.app.prediction import load_predictor
from anynet.backends import backend as choose_backend
from anynet.core.atomic import write_whole
from anynet.data.dataset import TEST_BATCH
from anynet.data.sources import find
from anynet.data.splits import TEST
from anynet.training.load import MEMBER
from anynet.training.net_pictures import draw_confused_images


def confusions(
    run: Path,
    /,
    *,
    label: str | None = None,
    data: str | None = None,
    plot: Path = Path("confusions.png"),
    backend: str | None = None,
) -> None:
    """Draw the test images of each class that a trained net most probably takes for another class.

    Parameters
    ----------
    run
        Folder of a run, or a file that Run.save wrote. For a sweep, the probabilities of all members are averaged; its
        member-N folders hold single nets.
    label
        Class to draw 40 images of. Default: 8 of each class, and of more than 20 classes those with the lowest
        accuracy.
    data
        Where the images of the run are now, as for train --data. Default: as in config.toml in the folder.
    plot
        New image file.
    backend
        Array library, as for train --backend.
    """
    check_new_picture(plot)
    predictor = load_predictor(run, choose_backend(backend))
    folder = run if run.is_dir() else run.parent
    settings = (folder / MEMBER if (folder / MEMBER).is_dir() else folder) / "config.toml"
    if data is None and not settings.exists():
        raise ValueError(f"confusions {run}: expected --data, since no config.toml beside it names the images")
    source = data or read_config(settings).data
    _, images = find(source)
    if (images.shape, images.classes) != (predictor.shape, predictor.classes):
        raise ValueError(f"--data {source}: expected the images that the net was trained on, got others")
    test = next(part for name, part in images.splits.items() if name in (TEST, TEST_BATCH))
    labels = np.asarray(images.classes)[test.y]
    write_whole(plot, draw_confused_images(predictor, test.x, labels, label).savefig)
    print(f"{len(test):,} test images of {predictor.dataset}: those that are confused most are in {plot}")
