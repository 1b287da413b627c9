"""From a configuration to its optimizer and schedule."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

from anynet.app.config import Config
from anynet.app.option_text import parse_numbers
from anynet.app.user_code import call, find
from anynet.core.checks import describe
from anynet.optim import OPTIMIZERS, Optimizer
from anynet.optim.schedules import (
    Constant,
    Cosine,
    Exponential,
    ExponentialDecay,
    OneCycle,
    Schedule,
    Step,
    Triangular,
    Warmup,
)

OPTIMIZER_SETTINGS = ("momentum", "nesterov", "weight_decay")
"""Settings that some optimizers have."""

SCHEDULES = {"constant": 0, "exponential": 1, "decay": 1, "step": 2, "cosine": 0, "triangular": 3, "one-cycle": 0}
"""Number of the numbers of each schedule."""


def make_optimizer(config: Config) -> Optimizer:
    """Return the optimizer of a configuration, with its learning rate schedule.

    Parameters
    ----------
    config : Config
        Settings.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError
        If ``schedule`` has another form than documented, ``warmup`` is not shorter than the run, the optimizer has no
        weight decay or no ``nesterov`` but is to have it, or ``optimizer`` names code that makes none.
    """
    name, kind, names = config.optimizer, _kind(config.optimizer), optimizer_settings(config)
    if config.weight_decay and "weight_decay" not in names:
        raise ValueError(f"--weight-decay: {name} has none; use --l2, or --optimizer adamw")
    if config.nesterov and "nesterov" not in names:
        raise ValueError(f"--nesterov: expected --optimizer sgd with it, got {name}; use --no-nesterov")
    settings = {name: getattr(config, name) for name in names}
    if name in OPTIMIZERS:
        return kind(schedule(config), **settings)
    made = call("optimizer", name, kind, schedule(config), **settings)
    if not isinstance(made, Optimizer):
        raise ValueError(f"--optimizer {name}: expected it to return an anynet.Optimizer, got {describe(made)}")
    return made


def optimizer_settings(config: Config) -> list[str]:
    """Return the names of a configuration's settings that its optimizer has, besides the learning rate.

    Parameters
    ----------
    config : Config
        Settings.

    Returns
    -------
    list of str

    Examples
    --------
    >>> optimizer_settings(Config(optimizer="muon"))
    ['momentum', 'weight_decay']
    """
    kind = _kind(config.optimizer)
    own = {field.name for field in fields(kind)} if isinstance(kind, type) else ()
    return [name for name in OPTIMIZER_SETTINGS if name in own]


def _kind(name: str) -> Callable[..., Optimizer]:
    """Return the class of a name, or the class or function of MODULE:NAME."""
    if name in OPTIMIZERS:
        return OPTIMIZERS[name]
    kind: Any = find("optimizer", name)
    if not callable(kind) or (isinstance(kind, type) and not issubclass(kind, Optimizer)) or kind is Optimizer:
        raise ValueError(
            f"--optimizer {name}: expected a subclass of anynet.Optimizer or a function of the schedule, got "
            f"{describe(kind)}"
        )
    found: Callable[..., Optimizer] = kind
    return found


def check_varied(config: Config, names: Iterable[str]) -> None:
    """Raise ValueError if the optimizer lacks one of the settings that are to be varied: nets would be equal."""
    for name in names:
        if name in OPTIMIZER_SETTINGS and name not in optimizer_settings(config):
            raise ValueError(f"{name}: {config.optimizer} has none; vary another setting, or use --optimizer sgd")


def schedule(config: Config) -> Schedule:
    """Return the learning rate schedule of a configuration, including its warm-up.

    Parameters
    ----------
    config : Config
        Settings; ``schedule``, ``lr``, ``warmup`` and ``epochs`` are used.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        If ``schedule`` has another form than documented, or ``warmup`` is not shorter than the run.
    """
    if config.warmup >= config.epochs:
        raise ValueError(f"--warmup: expected less than --epochs, {config.epochs}, got {config.warmup:g}")
    then: Schedule
    epochs = config.epochs - config.warmup
    match parse_numbers("schedule", config.schedule, **SCHEDULES):
        case "exponential", (gamma,):
            then = Exponential(config.lr, gamma)
        case "decay", (k,):
            then = ExponentialDecay(config.lr, k)
        case "step", (factor, every):
            then = Step(config.lr, factor, every)
        case "cosine", *_:
            then = Cosine(config.lr, epochs)
        case "triangular", (peak, start, end):
            then = Triangular(config.lr, epochs, peak, start, end)
        case "one-cycle", *_:
            then = OneCycle(config.lr, epochs)
        case _:
            then = Constant(config.lr)
    return Warmup(config.warmup, then) if config.warmup else then
