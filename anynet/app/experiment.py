"""From a configuration to a trained net and a folder of results."""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from anynet.app import build
from anynet.app.config import Config
from anynet.app.keeping import draw_until_interrupted
from anynet.app.new_folder import refuse_existing
from anynet.app.resuming import check_interval, checkpoint_arguments
from anynet.app.run_folder import RunFolder
from anynet.backends import Backend
from anynet.backends import backend as choose_backend
from anynet.core.held_signals import HeldSignals
from anynet.data import Batches, Dataset, split
from anynet.data.normalization import Normalization, check_kind, normalization
from anynet.data.sources import find
from anynet.gradcheck import Subject, of_net
from anynet.nn import Sequential
from anynet.optim import Optimizer
from anynet.training import Epoch, Run, Runs, TrainSettings, fit
from anynet.training.compatibility import check_compatible


class Experiment(NamedTuple):
    """A configuration and the objects made from it, validated.

    Attributes
    ----------
    config : Config
        Settings.
    net : Sequential
    data : Dataset
    optimizer : Optimizer
    backend : Backend
    """

    config: Config
    net: Sequential
    data: Dataset
    optimizer: Optimizer
    backend: Backend

    @property
    def settings(self) -> TrainSettings:
        """Settings of the training. Raises ValueError if one is out of range."""
        config = self.config
        settings = {field.name: getattr(config, field.name) for field in fields(TrainSettings)}
        objects = {
            "loss": build.LOSSES[config.loss],
            "backend": self.backend,
            "precision": None,  # the backend has it
            "memory_budget": None if config.memory_budget is None else round(config.memory_budget * 1e9),
        }
        return TrainSettings(**settings | objects)

    def fit(
        self,
        on_epoch: Callable[[Epoch], None] | None = None,
        progress: bool | None = None,
        checkpoints: Mapping[str, Any] = MappingProxyType({}),
    ) -> Run:
        """Train and return the run; see `anynet.fit`, which `checkpoints` are more arguments of."""
        settings = self.settings.keywords
        return fit(self.net, self.data, self.optimizer, on_epoch=on_epoch, progress=progress, **checkpoints, **settings)

    def with_settings(self, **values: Any) -> "Experiment":
        """Return a copy with other values of some settings, with the same data and backend.

        Parameters
        ----------
        **values
            Settings, such as those in `anynet.app.grouping.MEMBER_SETTINGS`.

        Returns
        -------
        Experiment

        Raises
        ------
        TypeError, ValueError
            If a setting is not allowed.
        """
        config = replace(self.config, **values)
        net = build.net(config, self.data.train.images.shape[1], len(self.data.classes))
        experiment = self._replace(config=config, net=net, optimizer=build.optimizer(config))
        experiment.check()
        return experiment

    def check(self) -> None:
        """Raise TypeError or ValueError if a setting is out of range or the net does not fit the data."""
        check_compatible(self.net, self.data, self.optimizer, self.settings)

    def __str__(self) -> str:
        """Return one line: data set, numbers of images and parameters, backend and dtype."""
        data = self.data
        return (
            f"{data.name}: {len(data.train):,} training, {len(data.val):,} validation and {len(data.test):,} test "
            f"images; {self.net.n_parameters:,} parameters; {self.backend}, {self.config.dtype}"
        )


def fit_stack(
    experiments: Sequence[Experiment],
    on_epoch: Callable[[dict[int, Epoch]], Collection[int] | None] | None = None,
    progress: bool | None = None,
    checkpoints: Mapping[str, Any] = MappingProxyType({}),
) -> Runs:
    """Train experiments as one stack of nets.

    Parameters
    ----------
    experiments : sequence of Experiment
        With equal `anynet.app.grouping.stack_key`.
    on_epoch, progress
        As for `anynet.fit` with members.
    checkpoints : mapping, optional
        Arguments of `anynet.fit` about checkpoints.

    Returns
    -------
    Runs
    """
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
        **checkpoints,
        **first.settings.keywords,
    )


def prepare(config: Config, found: tuple[str, Batches] | None = None) -> Experiment:
    """Make the objects that a configuration names. Nothing is written.

    Parameters
    ----------
    config : Config
        Settings.
    found : tuple, optional
        Name and images of the data set, as returned by `anynet.data.sources.find`, if they have been read already.

    Returns
    -------
    Experiment

    Raises
    ------
    BackendError
        If the backend or the precision is not available.
    DataError, DownloadError
        If the images are missing or damaged.
    TypeError, ValueError
        If a setting is out of range.
    """
    backend, optimizer = choose_backend(config.backend, config.precision), build.optimizer(config)
    backend.dtype(config.dtype)
    build.initializers(config.init)
    check_kind(config.normalize)
    data = split(*(found or find(config.data)), config.train, config.val)
    if data.name == "synthetic":
        config = replace(config, data="synthetic")  # in place of "auto"
    net = build.net(config, data.train.images.shape[1], len(data.classes))
    experiment = Experiment(config, net, data, optimizer, backend)
    experiment.check()
    return experiment


def run(
    config: Config,
    folder: Path | None,
    signals: HeldSignals,
    *,
    checkpoint_every: str = "1",
    resume: bool = False,
) -> tuple[Run, Path, dict[str, Any]]:
    """Train one net and write its run folder. Nothing is written before all settings are validated.

    Parameters
    ----------
    config : Config
        Settings.
    folder : Path or None
        New folder for the results; if None, ``runs/`` followed by the time.
    signals : HeldSignals
        Entered; they are held back as soon as there is something to keep.
    checkpoint_every : str
        As for `anynet.fit`, or "never".
    resume : bool
        If True, go on with the run in `folder`.

    Returns
    -------
    run : Run
        As returned by `anynet.fit`.
    folder : Path
        Where net and results are: elsewhere if they could not be written.
    result : dict
        Content of ``result.json``.

    Raises
    ------
    FileExistsError
        If the folder exists.
    OSError
        If the folder cannot be written, or net and results nowhere.
    BackendError, DataError, DivergedError, DownloadError, OutOfMemoryError, TypeError, ValueError
        As `prepare` and `anynet.fit` do.
    """
    if folder is not None and not resume:
        refuse_existing(folder)
    check_interval(checkpoint_every)
    experiment = prepare(config)
    results = RunFolder(folder, experiment.config, experiment.data.name, resume=resume, anywhere=True)
    with results:
        print(f"{experiment}; results in {results.path}", file=sys.stderr)

        def add(epoch: Epoch) -> None:
            signals.hold()  # there is something to keep; training itself is stopped by `anynet.fit`
            results.add(epoch)

        trained = experiment.fit(add, checkpoints=checkpoint_arguments(results.path, checkpoint_every, resume=resume))
        signals.hold()
        result = results.finish(trained, official=experiment.data.official)
        draw_until_interrupted(results.pictures(trained), signals)
    return trained, results.path, result


def gradient_subject(config: Config, samples: int) -> Subject:
    """Return a run's initial cost on its first training images, to be checked by `anynet.gradcheck.check`.

    Parameters
    ----------
    config : Config
        Settings.
    samples : int
        Number of images.

    Returns
    -------
    Subject

    Raises
    ------
    ValueError
        If there are too few images, or as `prepare` does.
    """
    _, net, data, _, backend = prepare(config)
    if samples > len(data.train):
        raise ValueError(f"--samples: expected 1 to {len(data.train)}, the number of training images, got {samples}")
    if samples < 2 and config.batch_norm and config.hidden:
        raise ValueError("--samples: expected 2 or more, since batch normalization maps a single image to zeros; got 1")
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
