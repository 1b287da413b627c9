"""Find out which target runs steps right on this GPU, before a training relies on it."""

from typing import Any

import cupy
import numpy as np
from numpy.typing import NDArray

from anynet.compiler.cuda.failures import out_of_memory
from anynet.compiler.record import NoTargetError, Record
from anynet.compiler.recording import record_for
from anynet.compiler.target import Target
from anynet.core.typing import Array

STEPS, ROWS, WIDTH = 18, 16, 256
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
    while True:
        try:
            (found,) = record.program(STEPS).run(list(carry), list(shared), list(rows), _ignore)
            _check(found, expected)
        except Exception as error:  # whatever it is, the next target starts with the same arrays
            if out_of_memory(error):
                raise
            try:
                record.fall_back(error)
            except NoTargetError as none_left:
                return None, str(none_left)
        else:
            return record.target, record.cause


def _check(found: Array, expected: NDArray[np.float32]) -> None:
    """Raise ArithmeticError if an array is not as expected; also raises errors of work that is only done now."""
    if not np.array_equal(cupy.asnumpy(found), expected):
        raise ArithmeticError("a product and a sum of known values came out wrong")


def _ignore(steps: int) -> None:
    """Take no notice of finished steps."""


def _step(carry: tuple[Array], shared: tuple[Array], row: tuple[Array]) -> tuple[Any]:
    """Return the columns moved by one, plus 1."""
    return (carry[0] @ shared[0] * row[0] + 1,)
