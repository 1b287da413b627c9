"""Find out which target runs steps right on this GPU, before a training relies on it."""

from typing import Any, cast

import cupy
import numpy as np
from numpy.typing import NDArray

from anynet.compiler.cuda.failures import out_of_memory
from anynet.compiler.record import NoTargetError, Record
from anynet.compiler.recording import record_for
from anynet.compiler.target import Target
from anynet.core.typing import Array

STEPS, ROWS, WIDTH = 18, 8, 96
"""Steps of the probe, so that a first step, a graph of one step and a longer graph run, and its shapes.

A product of these shapes goes to cuBLAS.
"""


def fastest_target(target: Target) -> tuple[Target | None, str]:
    """Return the fastest of a target and its slower ones that computes the right numbers on the current device.

    Parameters
    ----------
    target : Target

    Returns
    -------
    target : Target or None
        None if all fail.
    cause : str
        Why it is not the first one; "" if it is.

    Raises
    ------
    MemoryError
        If memory does not suffice.
    """
    host = np.arange(ROWS * WIDTH, dtype=np.float32).reshape(ROWS, WIDTH) % 7
    shift = 2 * np.roll(np.eye(WIDTH, dtype=np.float32), 1, axis=1)
    carry, shared, rows = ((cupy.asarray(a),) for a in (host, shift, np.full(STEPS, 0.5, np.float32)))
    graph = record_for(target, _step, carry, shared, (rows[0][0, ...],))
    record = Record(graph, 1, list(shared), target, out_of_memory=out_of_memory)
    expected = np.roll(host, STEPS, axis=1) + STEPS  # small whole numbers, exact in each precision
    try:
        while (error := _failure(record.run(list(carry), list(shared), list(rows), _ignore), expected)) is not None:
            record.fall_back(error)
    except NoTargetError as error:
        return None, str(error)
    return record.target, record.cause


def _failure(found: list[Array], expected: NDArray[np.float32]) -> Exception | None:
    """Return the error of arrays that are not as expected, or that a GPU could not compute; None for right ones."""
    try:
        right = np.array_equal(cupy.asnumpy(found[0]), expected)
    except cupy.cuda.runtime.CUDARuntimeError as error:  # of work that ran later
        return cast(Exception, error)
    return None if right else ArithmeticError("a product and a sum of known values came out wrong")


def _ignore(steps: int) -> None:
    """Take no notice of finished steps."""


def _step(carry: tuple[Array], shared: tuple[Array], row: tuple[Array]) -> tuple[Any]:
    """Return the columns moved by one, plus 1."""
    return (carry[0] @ shared[0] * row[0] + 1,)
