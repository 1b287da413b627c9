"""Optimizers and learning-rate schedules."""

from anynet.optim import schedules
from anynet.optim.adam import Adam
from anynet.optim.adamw import AdamW
from anynet.optim.base import Optimizer
from anynet.optim.groups import Groups
from anynet.optim.lion import Lion
from anynet.optim.muon import Muon
from anynet.optim.rmsprop import RMSprop
from anynet.optim.sgd import SGD

__all__ = ["OPTIMIZERS", "SGD", "Adam", "AdamW", "Groups", "Lion", "Muon", "Optimizer", "RMSprop", "schedules"]

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": RMSprop,
    "lion": Lion,
    "muon": Muon,
}
"""Optimizers by name, but `Groups`, which needs others."""
