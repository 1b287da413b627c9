"""Training of one net or of several members: settings, steps, epochs and results."""

from anynet.core.epoch import Epoch
from anynet.core.errors import TrainingWarning
from anynet.core.history import History
from anynet.training.callback import Callback
from anynet.training.checkpoint_folder import CheckpointError
from anynet.training.compare_runs import compare
from anynet.training.comparison import Comparison
from anynet.training.errors import DivergedError, OutOfMemoryError
from anynet.training.find_rate import RateCurve, find_rate
from anynet.training.fit import fit
from anynet.training.load import load
from anynet.training.run import Run
from anynet.training.runs import Ensemble, Runs
from anynet.training.settings import Settings, TrainSettings
from anynet.training.setup import Setup, setup
from anynet.training.snapshot import Snapshot

__all__ = [
    "Callback",
    "CheckpointError",
    "Comparison",
    "DivergedError",
    "Ensemble",
    "Epoch",
    "History",
    "OutOfMemoryError",
    "RateCurve",
    "Run",
    "Runs",
    "Settings",
    "Setup",
    "Snapshot",
    "TrainSettings",
    "TrainingWarning",
    "compare",
    "find_rate",
    "fit",
    "load",
    "setup",
]
