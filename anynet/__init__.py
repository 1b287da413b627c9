"""Neural networks written once in the Python array API, for arrays of NumPy, CuPy, PyTorch and JAX."""

import importlib
from types import ModuleType

from anynet import data, losses, penalties
from anynet.backends import Backend, BackendError, backend
from anynet.layers import BatchNorm, Layer, LeakyReLU, Linear, Parameter, ReLU, Sequential, Sigmoid, Tanh
from anynet.layers.initializers import He, Normal, Xavier
from anynet.optimizers import SGD, Adam, Optimizer, schedules
from anynet.training import DivergedError, Run, Runs, fit

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "Backend",
    "BackendError",
    "BatchNorm",
    "DivergedError",
    "He",
    "Layer",
    "LeakyReLU",
    "Linear",
    "Normal",
    "Optimizer",
    "Parameter",
    "ReLU",
    "Run",
    "Runs",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "Xavier",
    "backend",
    "data",
    "fit",
    "losses",
    "penalties",
    "schedules",
]


def __getattr__(name: str) -> ModuleType:
    """``anynet.gradcheck`` and ``anynet.search``, imported when they are first used."""
    if name in ("gradcheck", "search"):
        return importlib.import_module(f"anynet.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
