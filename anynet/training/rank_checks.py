"""Checks that processes that train together have the same nets, data, settings and versions."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from anynet.backends import Backend
from anynet.core.checks import describe
from anynet.core.ranks import Ranks
from anynet.data import Dataset
from anynet.training.description import FREE, describe_training
from anynet.training.members import Member

PACKAGES = ("anynet-array", "numpy", "array-api-compat", "torch", "jax", "cupy-cuda12x", "cupy-cuda13x", "llvmlite")
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
    free = {name: _text(getattr(settings, name)) for name in FREE if name != "memory_budget"}
    ranks.check_same(_versions() | describe_training(members, data) | free)
    if len(members) == 1 and settings.batch_size < ranks.size:
        raise ValueError(
            f"batch_size: expected {ranks.size} or more, a sample for each of {ranks.size} ranks, got "
            f"{settings.batch_size}; start fewer ranks"
        )


def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _text(value: object) -> str:
    return value.name if isinstance(value, Backend) else str(value)
