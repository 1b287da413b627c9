"""Training: the step, the epochs, and what is kept of them."""

from anynet.core.history import Epoch, History
from anynet.training.divergence import DivergedError
from anynet.training.fit import fit
from anynet.training.out_of_memory import OutOfMemoryError
from anynet.training.run import Run, Snapshot
from anynet.training.runs import Ensemble, Runs
from anynet.training.settings import Settings, TrainSettings
from anynet.training.setup import Setup, setup

__all__ = [
    "DivergedError",
    "Ensemble",
    "Epoch",
    "History",
    "OutOfMemoryError",
    "Run",
    "Runs",
    "Settings",
    "Setup",
    "Snapshot",
    "TrainSettings",
    "fit",
    "setup",
]
