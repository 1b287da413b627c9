"""Checks that processes that train together have the same nets, data, settings and versions."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from anynet.backends import Backend
from anynet.core.checks import describe
from anynet.core.ranks import Ranks, RanksError
from anynet.data import Dataset
from anynet.training.description import FREE, describe_training
from anynet.training.members import Member

PACKAGES = (
    *("anynet-array", "numpy", "array-api-compat", "torch", "jax", "cupy-cuda12x", "cupy-cuda13x", "llvmlite"),
    *("nvidia-nccl-cu12", "nvidia-nccl-cu13"),
)
"""Distributions whose versions change how steps are computed."""


def check_ranks(ranks: Ranks, members: Sequence[Member], data: Dataset) -> None:
    """Check that processes train the same nets on the same data, and that all have samples of a batch.

    Parameters
    ----------
    ranks : Ranks
    members : sequence of Member
    data : Dataset

    Raises
    ------
    TypeError
        If `ranks` is none.
    ValueError
        If there are more processes than samples in a batch.
    RanksError
        If settings, data or versions differ.
    """
    if not isinstance(ranks, Ranks):
        raise TypeError(f"ranks: expected what anynet.mpi.ranks() returns, got {describe(ranks)}")
    settings = members[0].settings
    free = {name: str(getattr(settings, name)) for name in FREE if name not in ("backend", "memory_budget")}
    ranks.check_same(_versions() | describe_training(members, data) | free | {"backend": _library(settings.backend)})
    if len(members) == 1 and settings.batch_size < ranks.size:
        raise ValueError(
            f"batch_size: expected {ranks.size} or more, a sample for each of {ranks.size} ranks, got "
            f"{settings.batch_size}; start fewer ranks"
        )


def check_sums(ranks: Ranks, backend: Backend) -> None:
    """Check that processes that train one net run steps in the same way, and that their sums are right.

    The first sum connects GPUs, which must be before it is captured as a part of a graph.

    Parameters
    ----------
    ranks : Ranks
    backend : Backend
        With the arrays to add.

    Raises
    ------
    RanksError
    """
    ranks.check_same({"steps": backend.execution})
    found = float(backend.to_host(ranks.sum(backend.asarray(np.ones(1, np.float32))))[0])
    ranks.confirm()
    if found != ranks.size:
        raise RanksError(f"ranks: expected {ranks.size} as the sum of a 1 of each, got {found:g}; test the connection")


def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _library(backend: Backend | str | None) -> str:
    """Return the name of a backend without its device: each rank may have a GPU of another number."""
    return backend.name if isinstance(backend, Backend) else str(backend).partition(":")[0]
