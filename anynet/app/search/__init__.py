"""Hyperparameter search: grids and draws, and a finer stage around the best, by any number of processes.

from anynet.app.search import Config, Fine, Grid, Range, search

space = {"lr": Range(1e-3, 1e-1), "l2": Range(1e-5, 1e-1), "activation": Grid(("relu", "tanh"))}
trials = search(Config(epochs=5), space, Path("searched"), trials=20, fine=Fine(10))
trials.best.settings, trials.best.best_val_accuracy, trials.best.test_accuracy
trials.importances()
"""

from anynet.app.config import Config
from anynet.app.search.coarse_to_fine import search
from anynet.app.search.fine import Fine
from anynet.app.search.ranked import Trials
from anynet.app.search.trial import Trial
from anynet.app.space import Grid, Range

__all__ = ["Config", "Fine", "Grid", "Range", "Trial", "Trials", "search"]
