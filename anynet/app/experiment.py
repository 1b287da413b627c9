"""From a configuration to a trained net and a folder of results."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from anynet.app.build_loss import make_loss
from anynet.app.build_net import check_layers, make_net
from anynet.app.build_optimizer import make_optimizer
from anynet.app.config import Config
from anynet.backends import Backend
from anynet.backends import backend as choose_backend
from anynet.data import Batches, Dataset, split
from anynet.data.normalization import AUTO, check_kind
from anynet.data.sources import find
from anynet.nn import Sequential
from anynet.optim import Optimizer
from anynet.optim.lookahead import Lookahead
from anynet.training import Epoch, Run, Runs, TrainSettings, fit
from anynet.training.compatibility import check_compatible, check_data
from anynet.training.evaluation_interval import interval
from anynet.training.net_input import resolve_normalization


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
            "loss": make_loss(config),
            "backend": self.backend,
            "precision": None,  # the backend has it
            "memory_budget": None if config.memory_budget is None else round(config.memory_budget * 1e9),
        }
        return TrainSettings(**settings | objects)

    def fit(
        self,
        on_epoch: Callable[[Epoch], None] | None = None,
        progress: bool | None = None,
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> Run:
        """Train and return the run; see `anynet.fit`, of which `more` are arguments about checkpoints and callbacks."""
        settings = self.settings.keywords
        return fit(self.net, self.data, self.optimizer, on_epoch=on_epoch, progress=progress, **more, **settings)

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
        net = make_net(config, self.data.train.shape, self.data.n_out)
        experiment = self._replace(config=config, net=net, optimizer=make_optimizer(config))
        experiment.check()
        return experiment

    def check(self) -> None:
        """Raise TypeError or ValueError if a setting is out of range or the net does not fit the data."""
        check_data(self.data, self.settings)
        check_compatible(self.net, self.data, self.optimizer, self.settings)

    def __str__(self) -> str:
        """Return one line: data set, numbers of images and parameters, backend and dtype."""
        return (
            f"{self.data.name}: {self.data.sizes} images; {self.net.n_parameters:,} parameters; {self.backend}, "
            f"{self.config.dtype}"
        )


def fit_stack(
    experiments: Sequence[Experiment],
    on_epoch: Callable[[dict[int, Epoch]], Collection[int] | None] | None = None,
    progress: bool | None = None,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Runs:
    """Train experiments as one stack of nets.

    Parameters
    ----------
    experiments : sequence of Experiment
        With equal `anynet.app.grouping.stack_key`.
    on_epoch, progress
        As for `anynet.fit` with members.
    more : mapping, optional
        Arguments of `anynet.fit` about checkpoints and callbacks.

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
        **more,
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
    backend, optimizer = choose_backend(config.backend, config.precision), make_optimizer(config)
    backend.dtype(config.dtype)
    check_layers(config)
    if config.normalize != AUTO:
        check_kind(config.normalize)
    interval(config.evaluate_train)
    if config.lookahead is not None:
        Lookahead.of(config.lookahead)
    data = split(*(found or find(config.data)), config.train, config.val, config.test)
    if data.name == "synthetic":
        config = replace(config, data="synthetic")  # in place of "auto"
    net = make_net(config, data.train.shape, data.n_out)
    config = replace(config, normalize=resolve_normalization(config.normalize, net))
    experiment = Experiment(config, net, data, optimizer, backend)
    experiment.check()
    return experiment
