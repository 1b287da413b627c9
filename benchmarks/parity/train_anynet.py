"""Training by anynet."""

from typing import cast

from anynet.app.config_file import make_config
from anynet.app.experiment import prepare
from anynet.app.reports import preset
from anynet.nn import nets
from benchmarks.parity.recipes import Recipe


def train(recipe: Recipe, folder: str, train: int, seed: int, backend: str) -> float:
    """Train on the first training images, and return the test accuracy."""
    own = {"data": folder, "train": str(train), "val": "0", "evaluate_train": "never", "seed": seed, "backend": backend}
    experiment = prepare(make_config(recipe.settings | own, preset(recipe.name)[1]))
    net = getattr(nets, recipe.name)(experiment.data.train.shape, experiment.data.n_out, recipe.width)
    run = experiment._replace(net=net).fit(progress=False)
    return cast(float, run.test.accuracy)  # type: ignore[union-attr]  # there are test images
