"""The threads of a warp read adjacent memory in reductions: the emulated GPU records what each of them reads."""

import ctypes
import re
import sys

import cuda_on_cpu
import numpy as np
import pytest

SECTOR, MOST = 32, 1 << 19
"""Bytes that a GPU reads at least, and number of reads that are recorded."""

RECORDER = f"""
extern "C" {{ int recorded[{MOST}][4]; int n_recorded = 0; }}
static int before[1024], block[1024];
inline long long record(long long index) {{  // block, warp, number of the thread's read, element
    const unsigned t = threadIdx.x;
    if (block[t] != blockIdx.x + 1) block[t] = blockIdx.x + 1, before[t] = 0;
    int* now = recorded[n_recorded++];
    now[0] = blockIdx.x, now[1] = t / 32, now[2] = before[t]++, now[3] = index;
    return index;
}}
"""


def reads_and_sums(shape, axis):
    """Sum an array of float32. Return the reads of each phase, the sums, and NumPy's."""
    cupy = sys.modules["cupy"]
    from anynet.compiler.cuda import kernel_source, kernels, lowering
    from anynet.compiler.cuda.expressions import PRELUDE

    host = np.random.default_rng(0).integers(-9, 10, shape).astype("float32")
    x, expected, found = cupy.asarray(host), host.sum(axis=axis), []
    out = cupy.empty(expected.shape, "float32")
    for phase in lowering.reduction("sum", x, out, (axis,), lambda shape: cupy.empty(shape, "float32")):
        source = kernel_source.write(kernels.alone(phase), "reads")
        text, n = re.subn(r"(const X x = a\d+)\[(.*)\];", r"\1[record(\2)];", source.text)
        assert n >= 1
        code = f"{PRELUDE}{RECORDER}\n// {shape} {axis} {len(found)}: an object of its own\n{text}"
        compiled = cuda_on_cpu.compile_kernels(code)["reads"]
        compiled((source.blocks,), (source.threads,), [array.values for array in source.arguments])
        n = ctypes.c_int.in_dll(compiled._library, "n_recorded").value
        found.append(np.asarray((ctypes.c_int * 4 * MOST).in_dll(compiled._library, "recorded"))[:n].copy())
    return found, out.values, expected


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((100, 10), 0),
        ((300, 7), 0),
        ((64, 33), 0),
        ((512, 1024), 0),
        ((2048, 50), 0),
        ((3, 300, 50), 1),
        ((300, 100), 1),
    ],
)
def test_warps_read_adjacent_elements(emulated_cupy, shape, axis):
    phases, sums, expected = reads_and_sums(shape, axis)
    np.testing.assert_array_equal(sums, expected)
    for k, reads in enumerate(phases):
        elements = np.unique(reads[:, 3])
        np.testing.assert_array_equal(elements, np.arange(elements.size))
        assert len(reads) <= 1.1 * elements.size  # hardly any is read twice
        together = *reads[:, :3].T, reads[:, 3] // (SECTOR // 4)
        numbers = np.ravel_multi_index(together, [column.max() + 1 for column in together])
        useful = 4 * len(reads) / (SECTOR * len(np.unique(numbers)))
        assert useful > 0.5, f"phase {k}: {useful:.0%} of what is read is used"


def test_one_column_is_read_by_neighboring_threads(emulated_cupy):
    (reads,), _, _ = reads_and_sums((200, 1), 0)
    warps = reads[(reads[:, 2] == 0)]
    for warp in np.unique(warps[:, 1]):
        elements = np.sort(warps[warps[:, 1] == warp][:, 3])
        np.testing.assert_array_equal(elements, elements[0] + np.arange(32))
