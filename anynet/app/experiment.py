"""The main job: settings in, a trained net and a folder of results out."""

import itertools
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from anynet.app import build
from anynet.app.config import Config
from anynet.app.run_folder import RunFolder, refuse_existing
from anynet.backends import Backend
from anynet.backends import backend as choose_backend
from anynet.data import Batches, Dataset, split
from anynet.data.normalization import Normalization, check_kind, normalization
from anynet.data.sources import find
from anynet.gradcheck import Subject, of_net
from anynet.nn import Sequential
from anynet.optim import Optimizer
from anynet.training import Epoch, Run, Runs, TrainSettings, fit


class Experiment(NamedTuple):
    """Settings and the objects made of them, known to fit each other."""

    config: Config
    net: Sequential
    data: Dataset
    optimizer: Optimizer
    backend: Backend

    @property
    def memory_budget(self) -> int | None:
        """Bytes of the device's memory that images may stay in, as ``anynet.fit`` takes them."""
        return None if self.config.memory_budget is None else round(self.config.memory_budget * 1e9)

    @property
    def settings(self) -> TrainSettings:
        """Settings of the training. Raises ValueError if one is out of range."""
        same = {f.name: getattr(self.config, f.name) for f in fields(TrainSettings) if hasattr(self.config, f.name)}
        objects = {
            "loss": build.LOSSES[self.config.loss],
            "backend": self.backend,
            "precision": None,  # the backend has it
            "memory_budget": self.memory_budget,
        }
        return TrainSettings(**same | objects)

    def fit(self, on_epoch: Callable[[Epoch], None] | None = None, progress: bool | None = None) -> Run:
        """Train; see ``anynet.fit``."""
        settings = self.settings.keywords
        return fit(self.net, self.data, self.optimizer, on_epoch=on_epoch, progress=progress, **settings)

    def varied(self, **values: Any) -> "Experiment":
        """The same with other values of settings that have no part in the data and the backend.

        Raises what ``check`` raises.
        """
        config = replace(self.config, **values)
        net = build.net(config, self.data.train.images.shape[1], len(self.data.classes))
        experiment = self._replace(config=config, net=net, optimizer=build.optimizer(config))
        experiment.check()
        return experiment

    def check(self) -> None:
        """Raises TypeError or ValueError for settings out of range, and for a net that does not fit the data."""
        self.settings.check(self.net, self.data, self.optimizer)

    def __str__(self) -> str:
        """What is trained on what, and where."""
        data = self.data
        return (
            f"{data.name}: {len(data.train)} images to train with, {len(data.val)} to validate, {len(data.test)} to "
            f"test; {self.net.n_parameters:,} parameters; {self.backend}, {self.config.dtype}"
        )


def fit_together(
    experiments: Sequence[Experiment],
    on_epoch: Callable[[dict[int, Epoch]], Collection[int] | None] | None = None,
    progress: bool | None = None,
) -> Runs:
    """Train experiments whose configurations are of one of ``anynet.app.grouping.groups``; see ``anynet.fit``."""
    first = experiments[0]
    members = [
        {"net": each.net, "optimizer": each.optimizer}
        | {name: getattr(each.config, name) for name in TrainSettings.PER_MEMBER}
        for each in experiments
    ]
    return fit(
        first.net,
        first.data,
        first.optimizer,
        members=members,
        on_epoch=on_epoch,
        progress=progress,
        **first.settings.keywords,
    )


def prepare(config: Config, found: tuple[str, Batches] | None = None) -> Experiment:
    """Make of settings what they name.

    found: the data set's name and images, as from ``anynet.data.sources.find``, where they are read already.

    Raises what ``find``, ``split`` and ``check`` raise; nothing is written.
    """
    backend, optimizer = choose_backend(config.backend, config.precision), build.optimizer(config)
    backend.dtype(config.dtype)
    build.initializers(config.init)
    check_kind(config.normalize)
    data = split(*(found or find(config.data)), config.train, config.val)
    if data.name == "synthetic":
        config = replace(config, data="synthetic")  # what "auto" has come to
    net = build.net(config, data.train.images.shape[1], len(data.classes))
    experiment = Experiment(config, net, data, optimizer, backend)
    experiment.check()
    return experiment


def train(config: Config, folder: Path | None = None) -> tuple[Run, Path, dict[str, Any]]:
    """Train as the settings say.

    folder: where the results go; by default a new one under ``runs``, named after the time.

    Returns the run, its folder, and what is in its result.json. Raises what ``fit`` and ``prepare`` raise, and
    FileExistsError; nothing is written before all settings are known to be good.
    """
    folder = folder or new_folder()
    refuse_existing(folder)
    experiment = prepare(config)
    print(f"{experiment}; results in {folder}", file=sys.stderr)
    with RunFolder(folder, experiment.config, experiment.data.name) as results:
        run = experiment.fit(results.add)
        return run, folder, results.finish(run, official=experiment.data.official)


def gradient_subject(config: Config, samples: int) -> Subject:
    """The cost that a run begins with, on the first training images, as a subject of ``anynet.gradcheck.check``.

    Raises ValueError where there are not so many images, and what ``prepare`` raises.
    """
    _, net, data, _, backend = prepare(config)
    if samples > len(data.train):
        raise ValueError(f"--samples: expected 1 to {len(data.train)}, the number of training images, got {samples}")
    if samples < 2 and config.batch_norm and config.hidden:
        raise ValueError("--samples: expected 2 or more, for batch normalisation makes zeros of a batch of one")
    images = Normalization(*normalization(config.normalize, data.train.images))(data.train.images[:samples])
    return of_net(
        net,
        images,
        data.train.labels[:samples],
        loss=build.LOSSES[config.loss],
        l2=config.l2,
        seed=config.seed,
        backend=backend,
        dtype=config.dtype,
    )


def new_folder() -> Path:
    """A folder under ``runs``, named after the time, that is not there yet."""
    now = Path("runs") / datetime.now().strftime("%Y%m%d-%H%M%S")
    later = (now.with_name(f"{now.name}-{i}") for i in itertools.count(2))
    return next(path for path in itertools.chain([now], later) if not path.exists())
