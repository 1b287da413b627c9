"""Samples of blocks of batches, copied from the host to the device while the block before is in use."""

import math
from collections.abc import Generator, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.typing import Array
from anynet.data.batch import Plan


def streamed(
    plans: Iterable[Plan], host: NDArray[Any], order: NDArray[np.int64], longest: int, backend: Backend, dtype: str
) -> Generator[tuple[Plan, Array]]:
    """Yield plans with their samples; those of the next plan are copied while the caller uses these.

    Parameters
    ----------
    plans : iterable of Plan
        Of blocks of batches, one after another.
    host : ndarray, shape (N, values)
        All samples.
    order : ndarray of int64, shape (n,)
        Indices of the samples of all plans.
    longest : int
        Largest number of samples of a plan.
    backend : Backend
    dtype : str
        Dtype of the samples on the device.

    Yields
    ------
    plan : Plan
    x : array, shape (samples of the plan, values)
        On the device.
    """
    done, ahead, staging = 0, None, backend.staging((longest, host.shape[1]), np.dtype(dtype))
    try:
        for plan in plans:
            n, buffer = math.prod(plan.index.shape), staging.host()
            rows = order[done : done + n]
            if host.dtype == dtype:
                np.take(host, rows, axis=0, out=buffer[:n], mode="clip")  # "raise" would make another copy
            else:
                buffer[:n] = host[rows]
            staging.send(n)
            if ahead is not None:
                yield ahead, staging.receive()
            ahead, done = plan, done + n
        if ahead is not None:
            yield ahead, staging.receive()
    finally:
        staging.wait()
