"""From a configuration to net, optimizer and schedule."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from anynet.app.config import Config
from anynet.core.checks import nearest
from anynet.nn import Sequential
from anynet.nn.initializers import He, Initializer, Normal, Xavier, Zeros
from anynet.nn.losses import Loss, hinge, softmax_cross_entropy
from anynet.nn.perceptron import perceptron
from anynet.optim import OPTIMIZERS, Optimizer
from anynet.optim.schedules import Constant, Cosine, Exponential, ExponentialDecay, Schedule, Step, Warmup

OPTIMIZER_SETTINGS = ("momentum", "nesterov", "weight_decay")
"""Settings that some optimizers have."""

LOSSES: dict[str, Loss] = {"cross-entropy": softmax_cross_entropy, "hinge": hinge}


def net(config: Config, n_in: int, n_out: int) -> Sequential:
    """Return the net: (Linear, BatchNorm if wanted, activation) for every hidden width, then Linear.

    Parameters
    ----------
    config : Config
        Settings; ``hidden``, ``activation``, ``batch_norm`` and ``init`` are used.
    n_in, n_out : int
        Numbers of input features and of classes.

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        If ``hidden`` or ``init`` has another form than documented.
    """
    weights, biases = initializers(config.init)
    return perceptron(
        n_in,
        widths(config.hidden),
        n_out,
        activation=config.activation,
        norm="batch" if config.batch_norm else "none",
        init=weights,
        bias_init=biases,
    )


def widths(text: str) -> tuple[int, ...]:
    """Parse widths of hidden layers.

    Parameters
    ----------
    text : str
        Positive integers separated by commas, or nothing.

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        If the text has another form.

    Examples
    --------
    >>> widths("50,30"), widths("")
    ((50, 30), ())
    """
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ValueError(f'--hidden: expected positive widths separated by commas, e.g. 50,30, or "", got "{text}"')
    return tuple(map(int, parts))


def optimizer(config: Config) -> Optimizer:
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
        If ``schedule`` has another form than documented, ``warmup`` is not shorter than the run, or the optimizer has
        no weight decay or no ``nesterov`` but is to have it.
    """
    kind, names = OPTIMIZERS[config.optimizer], optimizer_settings(config)
    if config.weight_decay and "weight_decay" not in names:
        raise ValueError(f"--weight-decay: {config.optimizer} has none; use --l2, or --optimizer adamw")
    if config.nesterov and "nesterov" not in names:
        raise ValueError(f"--nesterov: expected --optimizer sgd with it, got {config.optimizer}; use --no-nesterov")
    return kind(schedule(config), **{name: getattr(config, name) for name in names})


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
    own = {field.name for field in fields(OPTIMIZERS[config.optimizer])}
    return [name for name in OPTIMIZER_SETTINGS if name in own]


def check_varied(config: Config, names: Iterable[str]) -> None:
    """Raise ValueError if the optimizer lacks one of the settings that are to be varied: nets would be equal."""
    for name in names:
        if name in OPTIMIZER_SETTINGS and name not in optimizer_settings(config):
            raise ValueError(f"{name}: {config.optimizer} has none; vary another setting, or use --optimizer sgd")


def initializers(text: str) -> tuple[Initializer, Initializer]:
    """Parse ``--init`` into the initializers of weights and biases.

    Parameters
    ----------
    text : str
        "he", "xavier", "zeros" or "normal:STD". Biases are 0 except with "normal:STD", which holds for both.

    Returns
    -------
    weights, biases : Initializer

    Raises
    ------
    ValueError
        If the text has another form.
    """
    match _parse("init", text, he=0, xavier=0, zeros=0, normal=1):
        case "normal", std:
            return Normal(std), Normal(std)
        case "xavier", *_:
            return Xavier(), Zeros()
        case "zeros", *_:
            return Zeros(), Zeros()
        case _:
            return He(), Zeros()


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
    match _parse("schedule", config.schedule, constant=0, exponential=1, decay=1, step=2, cosine=0):
        case "exponential", gamma:
            then = Exponential(config.lr, gamma)
        case "decay", k:
            then = ExponentialDecay(config.lr, k)
        case "step", factor, every:
            then = Step(config.lr, factor, every)
        case "cosine", *_:
            then = Cosine(config.lr, config.epochs - config.warmup)
        case _:
            then = Constant(config.lr)
    return Warmup(config.warmup, then) if config.warmup else then


def _parse(option: str, text: str, **kinds: int) -> tuple[Any, ...]:
    """Parse "step:0.1:10" into ("step", 0.1, 10.0), where `kinds` gives the number of numbers for each name."""
    name, *rest = text.split(":")
    if name not in kinds:
        raise ValueError(f'--{option}: there is no "{name}"{nearest(name, kinds)}')
    try:
        numbers = [float(part) for part in rest]
    except ValueError:
        numbers = []
    if len(numbers) != kinds[name] or len(rest) != kinds[name] or not all(number >= 0 for number in numbers):
        form = ":".join([name, *["NUMBER"] * kinds[name]])
        raise ValueError(f'--{option}: expected {form}, numbers of 0 or more, got "{text}"')
    return name, *numbers
