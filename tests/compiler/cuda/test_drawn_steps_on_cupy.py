"""Random steps on the emulated GPU equal NumPy's, whatever the sizes from which phases are split or joined."""

from unittest.mock import patch

import cuda_on_cpu
import numpy as np
import pytest
from drawn_steps import Drawn, steps
from fake_cupy import put_in_place
from hypothesis import given
from hypothesis import strategies as st
from loops import plain
from test_drawn_steps import assert_same, examples

from anynet.backends import backend


@pytest.fixture(scope="module")
def cupy_here():
    with pytest.MonkeyPatch.context() as patched:
        put_in_place(patched)
        yield backend("cupy")


@pytest.mark.filterwarnings("ignore:steps run as separate kernels:anynet.compiler.CompileWarning")  # clip waits
@given(
    drawn=steps(),
    small=st.sampled_from([1, 6, 1 << 14]),
    tile=st.sampled_from([1, 8]),
    few=st.booleans(),
    order=st.sampled_from(cuda_on_cpu.ORDERS),
)
@examples(60)
def test_cupy(cupy_here, drawn: Drawn, small: int, tile: int, few: bool, order: str) -> None:
    from anynet.compiler.cuda import capture, kernel_source, kernels, sharing
    from anynet.compiler.cuda import target as cuda_target

    with (
        patch.object(kernels, "SMALL", small),
        patch.multiple(kernel_source, TILES=(tile, tile), MOST_THREADS=32 if few else 1024, ALONE=(32, 2)),
        patch.multiple(sharing, SHARED=2, MANY_RESULTS=2, LONG=2, MOST_OF_WARP=2 if few else 512, LEAST_OF_THREAD=1),
        patch.multiple(sharing, THREADS=8 if few else 64, ONE_BLOCK=2, BLOCK=2, WARP=2),
        patch.object(cuda_target, "SHORT", 0 if few else 1 << 16),
        patch.object(capture, "STEPS", 2),
        patch.object(cuda_on_cpu, "order", order),
        np.errstate(all="ignore"),
    ):
        assert_same(drawn, cupy_here, plain(cupy_here))
