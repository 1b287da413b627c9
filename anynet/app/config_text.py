"""Settings of a training in a line."""

from collections.abc import Collection
from dataclasses import fields

from anynet.app.config import Config
from anynet.core.formatting import format_settings

MAIN = ("optimizer", "lr", "schedule", "l2", "batch_size", "epochs", "seed")
"""Settings that are always named."""
ELSEWHERE = ("data", "hidden", "backend", "compile", "memory_budget", "evaluate_train")
"""Settings that are never named: data set and widths of the net, and what changes no results."""


def main_settings(config: Config, without: Collection[str] = ()) -> str:
    """Return the main settings and those that differ from the defaults, with their names.

    Parameters
    ----------
    config : Config
    without : collection of str
        Settings to leave out.

    Returns
    -------
    str

    Examples
    --------
    >>> main_settings(Config(hidden="50", flip=True, l2=0.0), without=["seed"])
    'flip yes, l2 0, optimizer sgd, lr 0.02, schedule cosine, epochs 20, batch_size 100'
    """
    named = {field.name: getattr(config, field.name) for field in fields(config) if field.name not in ELSEWHERE}
    return format_settings(
        {
            name: value
            for name, value in named.items()
            if name not in without and (name in MAIN or value != getattr(Config, name))
        }
    )
