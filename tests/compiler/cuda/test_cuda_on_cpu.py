"""The emulator runs kernels as CUDA does, and reports errors that CUDA does not report."""

import math
import os

import cuda_on_cpu
import numpy as np
import pytest
from cuda_on_cpu import CompileError, LaunchError, RawModule, build

SUM = """
template <class T> __device__ T warp_sum(T x) {
    for (int i = 16; i; i >>= 1) x += __shfl_down_sync(0xffffffff, x, i);
    return x;
}
extern "C" __global__ void __launch_bounds__(1024) sums(const real* __restrict__ x, real* y, int n) {
    __shared__ real parts[32];
    real sum = 0;
    for (int i = threadIdx.x; i < n; i += blockDim.x) sum += x[(long long)blockIdx.x * n + i];
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
    BARRIER
    if (threadIdx.x < 32) {
        sum = warp_sum(threadIdx.x < (blockDim.x + 31) / 32 ? parts[threadIdx.x] : real(0));
        if (threadIdx.x == 0) y[blockIdx.x] = sum;
    }
}
"""


@pytest.fixture(params=cuda_on_cpu.ORDERS)
def order(request, monkeypatch):
    """Each order of threads in turn."""
    monkeypatch.setattr(cuda_on_cpu, "order", request.param)
    return request.param


def kernel(body, parameters="float* x", before=""):
    code = f'{before}\nextern "C" __global__ void f({parameters}) {{ {body} }}'
    return RawModule(code=code).get_function("f")


def sums(dtype, barrier, threads, rows=5):
    x = np.arange(rows * 999.0).astype(dtype).reshape(rows, 999) % 7
    y = np.zeros(rows, dtype)
    name = {"float32": "float", "float64": "double"}[dtype]
    module = RawModule(code=SUM.replace("BARRIER", barrier), options=(f"-Dreal={name}",))
    module.get_function("sums")((rows,), (threads,), (x, y, np.int32(999)))
    return y, x.sum(axis=1)


@pytest.mark.parametrize("threads", [32, 96, 1024])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_blocks_add_up_by_shuffles_and_shared_memory(order, dtype, threads):
    np.testing.assert_array_equal(*sums(dtype, "__syncthreads();", threads))


def test_a_missing_barrier_is_found_with_some_order(monkeypatch):
    wrong = []
    for name in cuda_on_cpu.ORDERS:
        monkeypatch.setattr(cuda_on_cpu, "order", name)
        actual, expected = sums("float32", "", 1024)
        wrong.append(not np.array_equal(actual, expected))
    assert any(wrong)


def test_indices_of_threads_and_blocks(order):
    body = """
        int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
        int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
        x[block * blockDim.x * blockDim.y * blockDim.z + thread] += thread + 1000 * block;"""
    x = np.zeros(24 * 30, np.float32)
    kernel(body)((2, 3, 4), (5, 2, 3), (x,))
    np.testing.assert_array_equal(x, [j + 1000 * i for i in range(24) for j in range(30)])


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("__shfl_down_sync(0xffffffff, v, 3)", [*range(3, 32), 29, 30, 31]),
        ("__shfl_up_sync(0xffffffff, v, 2)", [0, 1, *range(30)]),
        ("__shfl_xor_sync(0xffffffff, v, 5)", [i ^ 5 for i in range(32)]),
        ("__shfl_sync(0xffffffff, v, 7)", [7] * 32),
        ("__shfl_sync(0xffffffff, v, 1, 8)", [i // 8 * 8 + 1 for i in range(32)]),
        ("__shfl_down_sync(0xffffffff, v, 1, 4)", [i + (i % 4 < 3) for i in range(32)]),
    ],
)
def test_shuffles(order, call, expected):
    x = np.zeros(32)
    kernel(f"double v = threadIdx.x; x[threadIdx.x] = {call};", "double* x")((1,), (32,), (x,))
    np.testing.assert_array_equal(x, expected)


def test_shuffles_from_a_missing_lane_give_nan():
    x = np.zeros(8, np.float32)
    kernel("x[threadIdx.x] = __shfl_down_sync(0xffffffff, 1.0f, 4);")((1,), (8,), (x,))
    np.testing.assert_array_equal(x, [1] * 4 + [math.nan] * 4)


def test_shared_memory_is_nan_at_first():
    x = np.zeros(2, np.float32)
    body = "__shared__ float s; x[blockIdx.x] = s; s = 1;"
    kernel(body)((2,), (1,), (x,))
    assert np.isnan(x).all()


DIVERGENT = {
    "one path only": "if (threadIdx.x < 5) __syncthreads();",
    "two places": "if (threadIdx.x < 5) __syncthreads(); else __syncthreads();",
    "a thread ends": "if (threadIdx.x == 5) return; __syncthreads();",
    "iterations of a loop": "for (int i = 0; i < threadIdx.x % 2 + 1; i++) __syncthreads();",
    "part of a warp waits elsewhere": "if (threadIdx.x < 5) __syncwarp(); else __syncthreads();",
    "part of a warp shuffles": "if (threadIdx.x < 5) x[0] = __shfl_sync(0xffffffff, x[0], 0); else __syncthreads();",
}


@pytest.mark.parametrize("name", DIVERGENT)
def test_divergent_barriers_are_reported(order, name):
    x = np.zeros(1, np.float32)
    broken = kernel(DIVERGENT[name])
    with pytest.raises(LaunchError, match="f: divergent barrier: in block"):
        broken((3,), (64,), (x,))
    kernel("__syncthreads(); x[0] += 1;")((1,), (1,), (x,))  # the next kernel runs
    assert x[0] == 1


def test_masks_without_the_calling_thread_are_rejected():
    with pytest.raises(LaunchError, match="leaves it out"):
        kernel("__syncwarp(1);")((1,), (32,), (np.zeros(1, np.float32),))


def test_part_of_a_warp_can_shuffle(order):
    x = np.zeros(32, np.float32)
    kernel("if (threadIdx.x < 4) x[threadIdx.x] = __shfl_xor_sync(0xf, float(threadIdx.x), 1);")((1,), (32,), (x,))
    np.testing.assert_array_equal(x[:4], [1, 0, 3, 2])


ONE = ["acos", "asin", "atan", "cbrt", "ceil", "cos", "cosh", "erf", "exp", "exp2", "expm1", "fabs", "floor", "log"]
ONE += ["log10", "log1p", "log2", "sin", "sinh", "sqrt", "tan", "tanh", "trunc"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mathematics(dtype):
    name = {"float32": "float", "float64": "double"}[dtype]
    body = "".join(f"y[{i}] = {function}(x);" for i, function in enumerate(ONE))
    y = np.zeros(len(ONE), dtype)
    kernel(body, f"{name} x, {name}* y")((1,), (1,), (y.dtype.type(0.7), y))
    expected = [getattr(math, function)(0.7) for function in ONE]
    np.testing.assert_allclose(y, expected, rtol={"float32": 2e-6, "float64": 1e-14}[dtype])


def test_functions_have_the_precision_of_their_arguments():
    x = np.zeros(3)
    body = "x[0] = exp(0.1f); x[1] = exp(0.1); x[2] = expf(0.1);"
    kernel(body, "double* x")((1,), (1,), (x,))
    assert (x[0], x[2]) == (np.float64(np.float32(x[0])), x[0])
    assert (x[1], x[0] == x[1]) == (math.exp(0.1), False)


def test_nan_and_infinity():
    x = np.asarray([math.nan, math.inf, -2], np.float32)
    y = np.zeros((3, 5), np.float32)
    body = """for (int i = 0; i < 3; i++) {
        y[5 * i] = isfinite(x[i]); y[5 * i + 1] = isnan(x[i]); y[5 * i + 2] = isinf(x[i]);
        y[5 * i + 3] = max(x[i], 1.0f); y[5 * i + 4] = abs(min(x[i], 1.0f)); }"""
    kernel(body, "const float* x, float* y")((1,), (1,), (x, y))
    np.testing.assert_array_equal(y, [[0, 1, 0, 1, 1], [0, 0, 1, math.inf, 1], [1, 0, 0, 1, 2]])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((np.int32(3),), "2 arguments expected, 1 given"),
        ((np.zeros(1), np.int64(3)), "argument 1 is int32, and int64 was given"),
        ((np.zeros(1), 3), "argument 1 is int32, and int64 was given"),
        ((np.zeros(1), np.float32(3)), "argument 1 is int32, and float32 was given"),
        ((np.uint64(8), np.int32(3)), "argument 0 is an array, and uint64 was given"),
    ],
)
def test_wrong_arguments_are_rejected(args, words):
    with pytest.raises(TypeError, match=words):
        kernel("x[n] = 0;", "double* x, int n")((1,), (1,), args)


@pytest.mark.parametrize(("grid", "block"), [((0,), (1,)), ((1,), (1025,)), ((1, 65536), (1,)), ((1,), (1, 1, 65))])
def test_launches_that_cuda_rejects(grid, block):
    with pytest.raises(LaunchError, match="CUDA starts no grid"):
        kernel("x[0] = 0;")(grid, block, (np.zeros(1, np.float32),))


@pytest.mark.parametrize("words", ["void __launch_bounds__(64)", "__launch_bounds__(64, 2) void"])
def test_launch_bounds(words):
    code = f'extern "C" __global__ {words} f(float* x) {{ x[threadIdx.x] = 1; }}'
    f, x = RawModule(code=code).get_function("f"), np.zeros(65, np.float32)
    f((1,), (64,), (x,))
    with pytest.raises(LaunchError):
        f((1,), (65,), (x,))
    assert x.sum() == 64


def test_a_source_is_compiled_once():
    code = 'extern "C" __global__ void once(float* x) { x[0] = 1; }'
    assert RawModule(code=code).get_function("once") is RawModule(code=code).get_function("once")


def test_objects_are_kept_for_later_runs(monkeypatch, tmp_path):
    code = 'extern "C" int number() { return 1; }'
    monkeypatch.setattr(cuda_on_cpu, "kept", tmp_path)
    path = build(code)
    written = path.stat().st_mtime_ns
    (tmp_path / "old.so").touch()
    os.utime(tmp_path / "old.so", (0, 0))
    os.utime(path, ns=(0, written - 10**9))
    cuda_on_cpu.remove_old.cache_clear()  # as in a new process
    monkeypatch.setattr(cuda_on_cpu.subprocess, "run", lambda *args, **kwargs: pytest.fail("compiled once more"))
    assert build(code) == path
    assert path.stat().st_mtime_ns >= written
    assert list(tmp_path.iterdir()) == [path]


def test_other_code_and_flags_are_other_objects(monkeypatch, tmp_path):
    monkeypatch.setattr(cuda_on_cpu, "kept", tmp_path)
    code = 'extern "C" int number() { return NUMBER; }'
    assert len({build(code, f"-DNUMBER={n}") for n in (1, 2)} | {build(code.replace("NUMBER", "1"))}) == 3


def test_compile_errors():
    with pytest.raises(CompileError, match="nonsense"):
        kernel("nonsense;")
