"""Recorded steps give what plain ones give, whatever their operations, and however large a block is."""

from unittest.mock import patch

import numpy as np
import pytest
from drawn_steps import Drawn, steps
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from loops import PLAIN, RECORDED, RECORDING, in_parts, plain, recording
from on_backends import marked

from anynet.backends import Backend, backend
from anynet.compiler import split as splitting
from anynet.compiler.numpy import blocks as numpy_blocks


def examples(n: int) -> settings:
    """As many of them, the same every time."""
    phases = (Phase.generate, Phase.shrink)  # explaining a failure takes longer than understanding it
    return settings(
        max_examples=n, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=phases
    )


def assert_same(drawn: Drawn, ours: Backend, theirs: Backend) -> None:
    """Over two loops, of which the second does not change what the first gave."""

    def put(arrays: tuple) -> tuple:
        copies = [np.array(array) for array in arrays]
        for copy in copies:
            copy.flags.writeable = theirs.name != "numpy"  # PyTorch knows nothing of it
        return tuple(map(theirs.asarray, copies))

    shared, rows, seen = put(drawn.shared), put(drawn.rows), []
    one, other = ours.loop(drawn.step), theirs.loop(drawn.step)
    actual = expected = put(drawn.carry)
    for _ in range(2):
        try:
            expected = other(expected, shared, rows, int)
        except (RuntimeError, TypeError, ValueError, IndexError):  # the library has no such operation
            assume(theirs is PLAIN)
            raise
        actual = one(actual, shared, rows, int)
        seen += zip(actual, expected, strict=True)
    for mine, right in seen:
        np.testing.assert_array_equal(ours.to_host(mine), theirs.to_host(right))
        assert mine.dtype == right.dtype


@given(drawn=steps(), size=st.sampled_from([1, 48, 72, 120, 192, 24_000]), large=st.sampled_from([2, 4, 8, 1000]))
@examples(250)
def test_numpy(drawn: Drawn, size: int, large: int) -> None:
    with patch.object(numpy_blocks, "SIZE", size), patch.object(numpy_blocks, "LARGE", large):
        assert_same(drawn, RECORDED, PLAIN)


@given(drawn=steps(), long=st.sampled_from([1, 2, 4]))
@examples(120)
def test_in_parts(drawn: Drawn, long: int) -> None:
    with patch.object(splitting, "LONG", long):
        assert_same(drawn, in_parts(backend("numpy")), PLAIN)


@pytest.mark.filterwarnings("ignore:steps run as (plain steps|separate kernels)")  # integers for bools, say
@pytest.mark.parametrize(  # the emulator runs them in test_drawn_steps_on_cupy.py too
    "name", marked(RECORDING, slow=[name for name in RECORDING if name != "torch:cpu"])
)
def test_others(name: str, request: pytest.FixtureRequest) -> None:
    chosen = recording(name, request)

    @given(drawn=steps())
    @examples(80)
    def holds(drawn: Drawn) -> None:
        assert_same(drawn, chosen, plain(chosen))

    holds()
