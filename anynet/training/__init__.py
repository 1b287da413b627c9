"""Training: the step, the epochs, and what is kept of them."""

from anynet.training.fit import DivergedError, check, fit
from anynet.training.history import Epoch
from anynet.training.run import Run, Snapshot

__all__ = ["DivergedError", "Epoch", "Run", "Snapshot", "check", "fit"]
