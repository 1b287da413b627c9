"""Neural networks written once in the Python array API, for arrays of NumPy, CuPy, PyTorch and JAX."""

import importlib
import importlib.metadata
from types import ModuleType

from anynet.core import interrupts

interrupts.end_quietly()  # before what takes time to import

from anynet import data
from anynet.backends import Backend, BackendError, backend
from anynet.compiler import CompileError, CompileWarning
from anynet.core import random
from anynet.core.errors import Error
from anynet.core.extras import DISTRIBUTION
from anynet.core.typing import Array, Arrays
from anynet.nn import (
    ELU,
    GELU,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalPool,
    GroupNorm,
    Hardswish,
    ImageLayer,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Parameter,
    PatchWhitening,
    ReLU,
    Residual,
    Scale,
    Sequential,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
    losses,
    nets,
)
from anynet.nn import l2 as penalties
from anynet.nn.initializers import He, Normal, PartialIdentity, Uniform, Xavier
from anynet.optim import SGD, Adam, AdamW, Groups, Lion, Muon, Optimizer, RMSprop, schedules
from anynet.training import Callback, DivergedError, Run, Runs, compare, find_rate, fit, load, setup

try:
    __version__ = importlib.metadata.version(DISTRIBUTION)
except importlib.metadata.PackageNotFoundError:  # a checkout that is not installed
    __version__ = "0+unknown"

__all__ = [
    "ELU",
    "GELU",
    "SGD",
    "Adam",
    "AdamW",
    "Array",
    "Arrays",
    "AvgPool2d",
    "Backend",
    "BackendError",
    "BatchNorm",
    "Callback",
    "CompileError",
    "CompileWarning",
    "Conv2d",
    "DivergedError",
    "Dropout",
    "Error",
    "Flatten",
    "GlobalPool",
    "GroupNorm",
    "Groups",
    "Hardswish",
    "He",
    "ImageLayer",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "Lion",
    "MaxPool2d",
    "Muon",
    "Normal",
    "Optimizer",
    "Parameter",
    "PartialIdentity",
    "PatchWhitening",
    "RMSprop",
    "ReLU",
    "Residual",
    "Run",
    "Runs",
    "Scale",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Tanh",
    "Uniform",
    "Xavier",
    "backend",
    "compare",
    "data",
    "find_rate",
    "fit",
    "load",
    "losses",
    "nets",
    "penalties",
    "random",
    "schedules",
    "setup",
]

_LAZY = {
    "callbacks": "anynet.callbacks",
    "gradcheck": "anynet.gradcheck",
    "interop": "anynet.interop",
    "keras": "anynet.keras",
    "mpi": "anynet.mpi",
    "onnx": "anynet.onnx",
    "plots": "anynet.plots",
    "search": "anynet.app.search",
    "sklearn": "anynet.sklearn",
    "torch": "anynet.torch",
}


def __getattr__(name: str) -> ModuleType:
    """Import the packages in `_LAZY` when they are first used."""
    if name in _LAZY:
        return importlib.import_module(_LAZY[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the names of the module and the packages in `_LAZY`."""
    return sorted({*globals(), *_LAZY})
