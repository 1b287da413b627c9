"""Configurations that can be trained as one stack of nets."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import asdict

import numpy as np

from anynet.app.config import Config
from anynet.optim import SGD
from anynet.training import TrainSettings

MEMBER_SETTINGS = ("lr", "schedule", "warmup", *SGD.PER_MEMBER, "init", *TrainSettings.PER_MEMBER)
"""Settings that may differ between the members of a stack: learning rate, initializers, and those that optimizers and
trainings allow."""

STACK_SIZE = 5
"""Default number of nets in a stack. On NumPy larger stacks gain little; the guide has timings."""


def stack_key(config: Config) -> Hashable:
    """Return a key that is equal for configurations that can be trained as one stack.

    It holds all settings but `MEMBER_SETTINGS`, with the seed that batches are drawn from. Configurations that differ
    in `seed` share it if they name one `order_seed`.

    Parameters
    ----------
    config : Config
        Settings of a run.

    Returns
    -------
    hashable
    """
    shared = asdict(config) | {"order_seed": config.order}
    return tuple((name, value) for name, value in shared.items() if name not in MEMBER_SETTINGS)


def group_configs(configs: Sequence[Config], stack_size: int, *, at_least: int = 1) -> list[list[int]]:
    """Group configurations into stacks of nearly equal size.

    Parameters
    ----------
    configs : sequence of Config
        Settings of the runs.
    stack_size : int
        Maximum number of runs in a stack.
    at_least : int
        Number of stacks wanted, one for each process. Stacks are made smaller to reach it.

    Returns
    -------
    list of list of int
        Indices into `configs`, each in one stack.

    Examples
    --------
    >>> group_configs([Config(lr=0.1), Config(hidden=""), Config(lr=0.2), Config(lr=0.3)], 2)
    [[0, 2], [1], [3]]
    """
    by_key: dict[Hashable, list[int]] = {}
    for i, config in enumerate(configs):
        by_key.setdefault(stack_key(config), []).append(i)
    for size in range(stack_size, 0, -1):
        stacks = [
            part.tolist()
            for indices in by_key.values()
            for part in np.array_split(indices, math.ceil(len(indices) / size))
        ]
        if len(stacks) >= at_least:
            break
    return sorted(stacks)
