"""The analysis of a run that has none, from the images that its settings name, without a download."""

import os
import sys
from functools import partial
from pathlib import Path

from anynet.app.analyze import ANALYSIS, write_analysis
from anynet.app.config import Config
from anynet.app.prediction import load_predictor
from anynet.app.resuming import POINTS, read_started
from anynet.backends import backend
from anynet.core.atomic import write_whole
from anynet.core.formatting import format_count
from anynet.data import DataError, Split, split
from anynet.data.download import default_cache, is_complete
from anynet.data.sets import SETS, RemoteSet
from anynet.data.sources import find
from anynet.training.load import NET_FILE
from anynet.training.predictions import Predictions
from anynet.training.predictor import Predictor


class NetAndTest(Predictions):
    """A loaded net, or an ensemble of several, with test samples.

    Parameters
    ----------
    predictor : Predictor
    test : Split
    """

    def __init__(self, predictor: Predictor, test: Split) -> None:
        self._predictor, self._test = predictor, test

    @property
    def predictor(self) -> Predictor:
        """The net."""
        return self._predictor

    @property
    def remembered(self) -> dict[str, Split]:
        """The test samples."""
        return {"test": self._test}


def analyze_again(folder: Path) -> None:
    """Write ``analysis.json`` into the folder of a run or a sweep, unless it has one, and into those of members.

    Parameters
    ----------
    folder : Path
        Of a run or a sweep that has ended.

    Raises
    ------
    DataError
        If the images are not on this machine, or are others.
    FileNotFoundError, FileError
        If the folder has no net, or a file is damaged.
    """
    members = sorted(folder.glob("member-*")) if (folder / POINTS).exists() else []
    missing = [each for each in (folder, *members) if not (each / ANALYSIS).exists()]
    missing = [each for each in missing if each == folder or (each / NET_FILE).exists()]
    if not missing:
        return
    config, _ = read_started(folder)
    name, test = test_samples(config)
    for each in missing:
        predictor = load_predictor(each, backend("numpy"))
        if (name, test.shape) != (predictor.dataset, predictor.shape):
            raise DataError(
                f"{each}: expected images of {predictor.dataset} of shape {predictor.shape}, which the net was trained "
                f"on, got {name} of shape {test.shape}; put them where config.toml says"
            )
        print(f"{each}: predicting {format_count(len(test), 'test image')}", file=sys.stderr)
        write_whole(each / ANALYSIS, partial(write_analysis, predictions=NetAndTest(predictor, test)))


def test_samples(config: Config) -> tuple[str, Split]:
    """Return the name of a run's data set, and its test samples. Raises DataError if they are not on this machine."""
    source = "cifar10" if config.data == "auto" else config.data
    if source in SETS and not is_here(SETS[source]):
        advice = f"download them first: python -m anynet data {source}"
        raise DataError(f"--analyze: expected the images of {SETS[source].title} on this machine, got none; {advice}")
    data = split(*find(source), config.train, config.val, config.test)
    if data.test is None:
        raise DataError(f"--analyze: expected test images in {source}, got none; leave --analyze out")
    return data.name, data.test


def is_here(official: RemoteSet) -> bool:
    """Return True if the files of a set need not be downloaded."""
    own = os.environ.get("ANYNET_DATA")
    folders = [default_cache(), default_cache() / official.folder]
    if own:
        folders += [Path(own), Path(own, official.name)]
    return (bool(own) and official.name == "cifar10") or any(is_complete(official, folder) for folder in folders)
