"""Optimizers and learning-rate schedules."""

from anynet.optim import schedules
from anynet.optim.adam import Adam
from anynet.optim.base import Optimizer
from anynet.optim.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer", "schedules"]
