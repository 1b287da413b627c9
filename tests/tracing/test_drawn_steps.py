"""Recorded steps give what plain ones give, whatever their operations, and however large a block is."""

from unittest.mock import patch

import numpy as np
from drawn_steps import Drawn, steps
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from loops import PLAIN, RECORDED

from anynet.backends import numpy_blocks

EXAMPLES = 250


def read_only(arrays: tuple) -> tuple:
    """Copies that nothing may write into."""
    copies = tuple(np.array(array) for array in arrays)
    for array in copies:
        array.flags.writeable = False
    return copies


@given(drawn=steps(), size=st.sampled_from([1, 2, 3, 5, 8, 1000]), large=st.sampled_from([2, 4, 8, 1000]))
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),  # explaining a failure takes longer than understanding it
)
def test_drawn_steps(drawn: Drawn, size: int, large: int) -> None:
    with patch.object(numpy_blocks, "SIZE", size), patch.object(numpy_blocks, "LARGE", large):
        recorded, plain = RECORDED.loop(drawn.step), PLAIN.loop(drawn.step)
        actual = expected = read_only(drawn.carry)
        shared, rows = read_only(drawn.shared), read_only(drawn.rows)
        seen = []
        for _ in range(2):
            actual, expected = recorded(actual, shared, rows, int), plain(expected, shared, rows, int)
            seen.append((actual, expected))
        for actual, expected in seen:
            for one, other in zip(actual, expected, strict=True):
                np.testing.assert_array_equal(one, other)
                assert one.dtype == other.dtype
