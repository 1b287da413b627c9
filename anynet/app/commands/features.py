"""``anynet features``."""

import sys
from pathlib import Path

from anynet.app.given_images import check_takes_pictures, read_images
from anynet.app.new_folder import check_new_picture
from anynet.app.prediction import load_predictor
from anynet.backends import backend as choose_backend
from anynet.core.atomic import write_whole
from anynet.training.net_pictures import draw_feature_maps

WHITE = (255, 255, 255)


def features(
    run: Path, /, *images: Path, layer: str, plot: Path = Path("features.png"), backend: str | None = None
) -> None:
    """Draw the outputs of a layer of a trained net for image files.

    A file that cannot be read gives a line on stderr and exit code 2; the others are drawn.

    Parameters
    ----------
    run
        Folder of a run, or a file that Run.save wrote.
    images
        Image files, as for predict; the first 8 are drawn.
    layer
        Dotted name of the layer, such as 3 or 4.0.
    plot
        New image file.
    backend
        Array library, as for train --backend.
    """
    if not images:
        raise ValueError(f"features {run}: expected one image file or more, got none")
    check_new_picture(plot)
    predictor = load_predictor(run, choose_backend(backend))
    check_takes_pictures(predictor, f"features {run}", "Run.plot_feature_maps")
    if len(predictor.nets) > 1:
        raise ValueError(f"features {run}: expected one net, got {len(predictor.nets)}; give a member-N folder in it")
    read, rows = read_images(images, predictor.shape, WHITE, "drawn")
    if read:
        write_whole(plot, draw_feature_maps(predictor, rows, layer).savefig)
        print(f"outputs of layer {layer} are in {plot}")
    if len(read) < len(images):
        sys.exit(2)
