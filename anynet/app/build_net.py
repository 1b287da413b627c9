"""From a configuration to its net."""

from collections.abc import Sequence
from functools import cache
from math import prod

from anynet.app.config import LAYER_SETTINGS, Config, layer_settings, refuse_layers
from anynet.app.option_text import parse_numbers
from anynet.app.user_code import call, find
from anynet.core.checks import describe
from anynet.nn import Layer, Sequential
from anynet.nn.initializers import He, Initializer, Normal, Xavier, Zeros
from anynet.nn.perceptron import perceptron


def make_net(config: Config, shape: Sequence[int], classes: int) -> Sequential:
    """Return the net: Linear, normalization, activation and dropout for every hidden width, then Linear.

    Parameters
    ----------
    config : Config
        Settings; ``net`` or, without it, those in ``anynet.app.config.LAYER_SETTINGS`` are used.
    shape : sequence of int
        Shape of a sample.
    classes : int
        Number of classes.

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        If ``hidden`` or ``init`` has another form than documented, or ``net`` does not give a net for these samples.
    """
    check_layers(config)
    if config.net is not None:
        return _net_of(config.net, tuple(shape), classes)
    weights, biases = initializers(config.init)
    return perceptron(
        prod(shape),
        widths(config.hidden),
        classes,
        activation=config.activation,
        norm=config.norm,
        dropout=config.dropout,
        init=weights,
        bias_init=biases,
    )


def check_layers(config: Config) -> None:
    """Raise ValueError if ``init`` or ``net`` are wrong, as far as can be told before any sample is read."""
    if config.net is None:
        initializers(config.init)
    else:
        changed = [name for name in LAYER_SETTINGS if getattr(config, name) != getattr(Config, name)]
        refuse_layers(f"--net {config.net}", layer_settings(changed))
        find("net", config.net)


@cache  # as members of a stack need equal nets, also of layers that cannot be compared
def _net_of(text: str, shape: tuple[int, ...], classes: int) -> Sequential:
    """Call the function that ``--net`` names."""
    function, said = find("net", text), f"--net {text}"
    if not callable(function) or isinstance(function, Layer):
        raise ValueError(f"{said}: expected a function of shape and classes, got {describe(function)}")
    made = call("net", text, function, shape, classes)
    if not isinstance(made, Sequential):
        raise ValueError(f"{said}: expected it to return an anynet.Sequential, got {describe(made)}")
    net: Sequential = call("net", f"{text}, with_samples", made.with_samples, shape)
    call("net", f"{text}, parameters", net.parameters)
    n_in, n_out = net.n_in or prod(shape), net.n_out or net.n_in or prod(shape)
    if (n_in, n_out) != (prod(shape), classes):
        raise ValueError(
            f"{said}: expected a net from {prod(shape):,} features, of samples of shape {shape}, to {classes} classes, "
            f"got one from {n_in:,} to {n_out:,}"
        )
    return net


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
    match parse_numbers("init", text, he=0, xavier=0, zeros=0, normal=1):
        case "normal", (std,):
            return Normal(std), Normal(std)
        case "xavier", *_:
            return Xavier(), Zeros()
        case "zeros", *_:
            return Zeros(), Zeros()
        case _:
            return He(), Zeros()
