"""Which configurations can be trained at once, as members of one stack of nets."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import asdict

import numpy as np

from anynet.app.config import Config
from anynet.optim import SGD
from anynet.training import TrainSettings

OWN = ("lr", "schedule", "warmup", *SGD.PER_MEMBER, "init", *TrainSettings.PER_MEMBER)
"""Settings in which members of a stack may differ: the learning rate, the initializers, and what optimizers and
trainings allow."""

TOGETHER = 5
"""How many nets to train at once where nobody says: with NumPy, more gain little. The guide has the times."""


def key(config: Config) -> Hashable:
    """The same for configurations that can be trained at once, each with the batches that it has alone.

    That is all settings but a member's own, and what the batches are drawn from: configurations that differ in the seed
    have it in common where they name one ``order_seed``.
    """
    shared = asdict(config) | {"order_seed": config.order}
    return tuple((name, value) for name, value in shared.items() if name not in OWN)


def groups(configs: Sequence[Config], most: int, *, at_least: int = 1) -> list[list[int]]:
    """Indices of configurations in groups that can be trained at once, of ``most`` or fewer, of nearly one size.

    at_least: how many groups there should be, for as many processes; where so many take smaller ones, they are smaller.

    >>> groups([Config(lr=0.1), Config(hidden=""), Config(lr=0.2), Config(lr=0.3)], 2)
    [[0, 2], [1], [3]]
    """
    alike: dict[Hashable, list[int]] = {}
    for i, config in enumerate(configs):
        alike.setdefault(key(config), []).append(i)
    for size in range(most, 0, -1):
        parts = [
            part.tolist() for every in alike.values() for part in np.array_split(every, math.ceil(len(every) / size))
        ]
        if len(parts) >= at_least:
            break
    return sorted(parts)
