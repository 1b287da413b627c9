"""Kernels of several phases on the emulated GPU: parts of the first axis, barriers, and limits."""

import re
import sys

import cuda_on_cpu
import numpy as np
import pytest


@pytest.fixture
def cupy(emulated_cupy):
    return sys.modules["cupy"]


def launch(phases):
    """Run phases as one kernel, and return its source."""
    from anynet.compiler.cuda import kernel_source, kernels
    from anynet.compiler.cuda.launch import compile_all

    kernel = kernels.Kernel()
    for phase in phases:
        assert not kernel.phases or kernel.accepts(phase)
        kernel.add(phase)
    source = kernel_source.write(kernel, "joined")
    compile_all([source])[0]()
    return source


def no_array(shape):
    raise AssertionError("a second phase for so few elements")


@pytest.mark.parametrize("order", cuda_on_cpu.ORDERS)
@pytest.mark.parametrize("members", [3, 5, 7])
def test_the_last_part_ends_with_the_arrays(cupy, monkeypatch, rng, members, order):
    """Two members a block; the emulator reports what the last one writes behind the last member."""
    from anynet.compiler.cuda import kernel_source, kernels, lowering

    monkeypatch.setattr(cuda_on_cpu, "order", order)
    monkeypatch.setattr(kernels, "SMALL", 20)
    monkeypatch.setattr(kernel_source, "TILES", (20, 20))
    host = rng.integers(-9, 10, (members, 10)).astype("float32")
    x, sums, total = cupy.asarray(host), cupy.empty((members,), "float32"), cupy.empty((members, 10), "float32")
    phases = [
        *lowering.reduction("sum", x, sums, (1,), no_array),
        lowering.copy(total, sums[:, None]),
        lowering.copy(x, total),
    ]
    assert launch(phases).blocks == (members + 1) // 2
    np.testing.assert_array_equal(cupy.asnumpy(total), np.broadcast_to(host.sum(axis=1)[:, None], host.shape))
    np.testing.assert_array_equal(cupy.asnumpy(x), cupy.asnumpy(total))


@pytest.mark.parametrize("order", cuda_on_cpu.ORDERS)
def test_blocks_compute_parts_of_vectors_of_different_lengths(cupy, monkeypatch, order):
    """Some blocks have a part of the longer one alone."""
    from anynet.compiler.cuda import kernel_source, kernels, lowering

    monkeypatch.setattr(cuda_on_cpu, "order", order)
    monkeypatch.setattr(kernels, "SMALL", 20)
    monkeypatch.setattr(kernel_source, "TILES", (20, 20))
    x, all_of_it, some = cupy.asarray(np.arange(107.0)), cupy.zeros(107), cupy.zeros(73)
    for phases in ([(all_of_it, x), (some, all_of_it[:73])], [(some, x[:73]), (all_of_it, x)]):
        assert launch([lowering.copy(*pair) for pair in phases]).blocks == 6
        np.testing.assert_array_equal(cupy.asnumpy(all_of_it), np.arange(107))
        np.testing.assert_array_equal(cupy.asnumpy(some), np.arange(73))
        some[...] = 0


@pytest.mark.parametrize(("members", "index"), [(1 << 12, "int"), (1 << 22, "long long"), ((1 << 22) + 1, "long long")])
def test_parts_of_many_elements_have_indices_of_64_bits(cupy, members, index):
    """The first index of the last block would not fit into 32 bits."""
    from anynet.compiler.cuda import kernel_source, kernels
    from anynet.compiler.cuda.launch import compile_all
    from anynet.compiler.cuda.phases import Access, Phase

    (x,), kernel = (cupy.empty((1,), "float32"),), kernels.Kernel()
    phase = Phase((members, 1 << 11), (Access(x, (0, 0)),), (Access(x, (0, 0)),), ("{y0} = {x0} + 1;",))
    for _ in range(2):
        kernel.add(phase)
    source = kernel_source.write(kernel, "parts")
    compile_all([source])
    (line, _) = (line for line in source.text.splitlines() if "for (" in line and "++" not in line)
    start, stop, _ = line.partition("for (")[2].split("; ", 2)
    assert source.blocks > 1
    block = source.blocks - 1

    def evaluate(expression):
        """Return the value as C++ computes it: indices of blocks and threads are unsigned, of 32 bits."""
        c_types = {"T": np.int32 if index == "int" else np.int64, "int": np.int32, "U": np.uint32, "min": min}
        code = re.sub(rf"\({index}\)(blockIdx\.x|\d+)", r"T(\1)", expression)
        return int(eval(code.replace("blockIdx.x", f"U({block})").replace("threadIdx.x", "0"), c_types))

    first, last = evaluate(start.partition(" = ")[2]), evaluate(stop.partition(" < ")[2])
    assert 0 < first < last == members << 11


@pytest.mark.parametrize("order", cuda_on_cpu.ORDERS)
@pytest.mark.parametrize("members", [4, 5])
def test_blocks_reduce_columns_of_their_members(cupy, monkeypatch, rng, members, order):
    from anynet.compiler.cuda import kernel_source, kernels, lowering

    monkeypatch.setattr(cuda_on_cpu, "order", order)
    monkeypatch.setattr(kernels, "SMALL", 450)
    monkeypatch.setattr(kernel_source, "TILES", (900, 900))
    host = rng.integers(-9, 10, (members, 43, 10)).astype("float32")
    x, (largest, sums) = cupy.asarray(host), (cupy.empty((members, 10), "float32") for _ in range(2))
    centered = cupy.empty(host.shape, "float32")
    phases = [
        *lowering.reduction("max", x, largest, (1,), no_array),
        lowering.copy(centered, largest[:, None, :]),
        *lowering.reduction("sum", centered, sums, (1,), no_array),
    ]
    assert launch(phases).blocks == (members + 1) // 2
    np.testing.assert_array_equal(cupy.asnumpy(sums), 43 * host.max(axis=1))


def test_a_kernel_takes_at_most_four_kilobytes_of_arguments(cupy):
    from anynet.compiler.cuda import kernel_source, kernels, lowering
    from anynet.compiler.cuda.dependences import UNKNOWN

    arrays = [cupy.zeros(3) for _ in range(1200)]
    phases = [lowering.copy(*pair) for pair in zip(arrays[::2], arrays[1::2], strict=True)]
    joined = kernels.join(phases, lambda call: UNKNOWN)
    assert [phase for kernel in joined for phase in kernel.phases] == phases
    for kernel in joined:
        assert 8 * len(kernel_source.write(kernel, "many").arguments) <= 4096 - 8 - 4  # with the two of the step


@pytest.mark.parametrize(("shape", "blocks", "threads"), [((1000, 50), 2, 1024), ((100, 2000), 63, 256)])
def test_few_blocks_that_reduce_columns_are_large(cupy, rng, shape, blocks, threads):
    from anynet.compiler.cuda import lowering

    host = rng.integers(-9, 10, shape).astype("float32")
    x, sums = cupy.asarray(host), cupy.empty(shape[1:], "float32")
    source = launch(lowering.reduction("sum", x, sums, (0,), no_array))
    assert (source.blocks, source.threads) == (blocks, threads)
    np.testing.assert_array_equal(cupy.asnumpy(sums), host.sum(axis=0))


@pytest.mark.parametrize("n", [5000, 600_000])
def test_each_result_is_computed_once_whatever_the_number_of_blocks(cupy, n):
    from anynet.compiler.cuda.phases import Access, Phase

    x = cupy.zeros(n, "int32")
    here = Access(x, (1,))
    assert launch([Phase((n,), (here,), (here,), ("{y0} = {x0} + 1;",))]).blocks > 1
    assert (cupy.asnumpy(x) == 1).all()


def test_memory_of_two_types(cupy):
    from anynet.compiler.cuda.phases import Access, Phase

    x, floats, integers = cupy.asarray(np.arange(5, dtype="float32")), cupy.empty(5, "float32"), cupy.empty(5, "int32")
    views = ((x, floats), (x.view("int32"), integers))
    launch([Phase((5,), (Access(a, (1,)),), (Access(b, (1,)),), ("{y0} = {x0};",)) for a, b in views])
    np.testing.assert_array_equal(cupy.asnumpy(floats), np.arange(5))
    np.testing.assert_array_equal(cupy.asnumpy(integers), np.arange(5, dtype="float32").view("int32"))


@pytest.mark.parametrize(
    ("n", "stride", "kind"),
    [(2, (1 << 31) - 1, "int"), (2, 1 << 31, "long long"), ((1 << 29) - 1, 0, "int"), (1 << 29, 0, "long long")],
)
def test_indices_have_64_bits_where_32_are_not_enough(cupy, n, stride, kind):
    """For the farthest element, and for a number of results that a grid's last step may exceed."""
    from anynet.compiler.cuda import kernel_source, kernels
    from anynet.compiler.cuda.phases import Access, Phase

    x, kernel = cupy.zeros(1), kernels.Kernel()
    kernel.add(Phase((n,), (Access(x, (stride,)),), (Access(x, (0,)),), ("{y0} = {x0};",)))
    assert re.search(rf"for \({kind} (i|first) = ", kernel_source.write(kernel, "far").text)
