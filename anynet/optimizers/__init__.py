"""Optimizers, each ``init`` and ``update``, and schedules of their learning rate."""

from anynet.optimizers import schedules
from anynet.optimizers.adam import Adam
from anynet.optimizers.base import Optimizer
from anynet.optimizers.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer", "schedules"]
