"""The fake cuBLAS computes and rejects what cuBLAS does, in the same precision."""

import sys
from ctypes import byref, c_int, c_void_p

import numpy as np
import pytest
from fake_cublas import ComputeType, CudaDataType, Operation, rounded
from fake_cupy import CUDARuntimeError, MemoryFaultError, put_in_place

N, T = Operation.CUBLAS_OP_N, Operation.CUBLAS_OP_T
F32, F64 = CudaDataType.CUDA_R_32F, CudaDataType.CUDA_R_64F
PLAIN = {F32: ComputeType.CUBLAS_COMPUTE_32F, F64: ComputeType.CUBLAS_COMPUTE_64F}
BATCHES = ("stride_a", "stride_b", "stride_c", "batch_count")


@pytest.fixture
def fake(monkeypatch):
    return put_in_place(monkeypatch)


@pytest.fixture
def cublas(fake):
    return sys.modules["anynet.compiler.cuda.cublas"]


@pytest.fixture
def handle(cublas):
    ptr = c_void_p()
    cublas.call("cublasCreate_v2", byref(ptr))
    return ptr


@pytest.fixture
def gemm(fake, cublas, handle):
    """Return ``C = alpha op(A) op(B) + beta C``; arrays of shape (batch, columns, rows) are cuBLAS's matrices."""

    def multiply(a, b, c, transa=N, transb=N, alpha=1.0, beta=0.0, compute=None, batched=True, **changes):
        kind = F64 if c.dtype == np.float64 else F32
        numbers = np.asarray([alpha, beta], c.dtype)
        where = numbers.ctypes.data
        args = dict(handle=handle, transa=transa, transb=transb)
        args |= dict(m=c.shape[2], n=c.shape[1], k=a.shape[1 if transa == N else 2], alpha=where)
        args |= dict(a=a.data.ptr, atype=kind, lda=a.shape[2], stride_a=a[0].size)
        args |= dict(b=b.data.ptr, btype=kind, ldb=b.shape[2], stride_b=b[0].size, beta=where + c.itemsize)
        args |= dict(c=c.data.ptr, ctype=kind, ldc=c.shape[2], stride_c=c[0].size, batch_count=len(c))
        args |= dict(compute_type=compute or PLAIN[kind], algo=-1) | changes
        if batched:
            cublas.call("cublasGemmStridedBatchedEx", *args.values())
        else:
            cublas.call("cublasGemmEx", *(value for name, value in args.items() if name not in BATCHES))
        numbers[...] = np.nan  # they were read by the call
        return fake.cupy.asnumpy(c)

    return multiply


@pytest.fixture
def make(fake, rng):
    """Return a function that creates a random array on the GPU."""
    return lambda *shape, dtype="float64": fake.cupy.asarray(rng.standard_normal(shape).astype(dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("transa", "transb"), [(N, N), (N, T), (T, N), (T, T)])
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_products(gemm, make, transa, transb, batch, dtype):
    a = make(max(batch, 1), 5, 4, dtype=dtype) if transa == N else make(max(batch, 1), 4, 5, dtype=dtype)
    b = make(max(batch, 1), 6, 5, dtype=dtype) if transb == N else make(max(batch, 1), 5, 6, dtype=dtype)
    c = make(max(batch, 1), 6, 4, dtype=dtype)
    A, B = a.get().mT if transa == N else a.get(), b.get().mT if transb == N else b.get()
    expected = (2 * A @ B + 3 * c.get().mT).mT
    actual = gemm(a, b, c, transa, transb, 2, 3, batched=batch > 0)
    np.testing.assert_allclose(actual, expected, rtol={"float32": 1e-4, "float64": 1e-12}[dtype])


def test_parts_of_larger_matrices(gemm, make):
    whole, b, c = make(1, 5, 9), make(1, 6, 5), make(1, 6, 7)
    expected = c.get()
    expected[0, :, :4] = (whole.get()[0, :, 3:7].T @ b.get()[0].T).T
    np.testing.assert_allclose(gemm(whole[:, :, 3:], b, c, m=4, lda=9), expected, rtol=1e-12)


def test_with_beta_zero_the_result_is_not_read(gemm, make, fake):
    assert np.isfinite(gemm(make(1, 5, 4), make(1, 6, 5), fake.cupy.empty((1, 6, 4)))).all()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"lda": 3}, 7),
        ({"ldb": 4}, 7),
        ({"ldc": 3}, 7),
        ({"m": -1}, 7),
        ({"batch_count": -1}, 7),
        ({"compute_type": ComputeType.CUBLAS_COMPUTE_32F}, 15),
        ({"atype": F32}, 15),
    ],
)
def test_what_cublas_rejects(cublas, gemm, make, changes, status):
    with pytest.raises(cublas.CublasError) as caught:
        gemm(make(2, 5, 4), make(2, 6, 5), make(2, 6, 4), **changes)
    assert caught.value.status == status


def test_handles(cublas, handle):
    cublas.call("cublasSetStream_v2", handle, 0)
    cublas.call("cublasDestroy_v2", handle)
    for unknown in (handle, 77, None):
        with pytest.raises(cublas.CublasError) as caught:
            cublas.call("cublasSetStream_v2", unknown, 0)
        assert caught.value.status == 1


def test_argument_types_are_those_of_the_header(fake):
    opened = fake.cublas.open("/emulated/libcublas.so.12")
    with pytest.raises(TypeError, match="types None"):  # ctypes would pass addresses as int
        opened.cublasDestroy_v2(1)
    with pytest.raises(TypeError, match=r"arguments of \[8, 8, 4\] bytes; in the header they have \[8, 8, 8\]"):
        opened.cublasSetWorkspace_v2.argtypes = [c_void_p, c_void_p, c_int]


@pytest.mark.parametrize(
    ("compute", "bits"),
    [
        (ComputeType.CUBLAS_COMPUTE_32F, 23),
        (ComputeType.CUBLAS_COMPUTE_32F_PEDANTIC, 23),
        (ComputeType.CUBLAS_COMPUTE_32F_FAST_TF32, 10),
        (ComputeType.CUBLAS_COMPUTE_32F_FAST_16BF, 7),
    ],
)
def test_precisions(gemm, fake, make, compute, bits):
    """The number after 1 is 1 + 2^-bits; ties are rounded to even."""
    cupy, one = fake.cupy, np.float32(1)
    eps = np.float32(2.0**-bits)
    x = np.asarray([one, one + eps, one + eps / 2, one + 3 * eps / 2, -one - eps, 0], np.float32).reshape(1, 1, 6)
    actual = gemm(cupy.asarray(x), cupy.ones((1, 1, 1), "float32"), make(1, 1, 6, dtype="float32"), compute=compute)
    np.testing.assert_array_equal(actual[0, 0], [1, 1 + eps, 1, 1 + 2 * eps, -1 - eps, 0])


def test_rounding_equals_numpys_float16(rng):
    x = rng.uniform(0.01, 100, 1000).astype(np.float32)  # float16 has the ten bits of TF32, in this range
    np.testing.assert_array_equal(rounded(x, 10), x.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(rounded(np.asarray([np.inf, np.nan], np.float32), 7), [np.inf, np.nan])


def test_wrong_memory_is_reported(gemm, make):
    a, b, c = make(2, 5, 4), make(2, 6, 5), make(2, 6, 4)
    with pytest.raises(MemoryFaultError, match="not in one array's memory"):
        gemm(a, b, c, k=6, ldb=6)
    with pytest.raises(MemoryFaultError, match="over one another"):
        gemm(a, b, c, stride_c=23)
    square = make(1, 4, 4)
    with pytest.raises(MemoryFaultError, match="over its operands"):
        gemm(square, make(1, 4, 4), square)


def test_products_are_queued_and_captured(fake, cublas, handle, make):
    cupy = fake.cupy
    a, c, work = cupy.asarray([[2.0]]), make(1, 1), cupy.empty(1024, "uint8")
    numbers, stream = np.asarray([1.0, 0.0]), cupy.cuda.Stream(non_blocking=True)
    cublas.call("cublasSetStream_v2", handle, stream.ptr)
    cublas.call("cublasSetWorkspace_v2", handle, work.data.ptr, 1024)
    where = numbers.ctypes.data
    args = (a.data.ptr, F64, 1, a.data.ptr, F64, 1, where + 8, c.data.ptr, F64, 1, ComputeType.CUBLAS_COMPUTE_64F, -1)
    stream.begin_capture()
    cublas.call("cublasGemmEx", handle, N, N, 1, 1, 1, where, *args)
    graph = stream.end_capture()
    a[...] = 3
    graph.launch(stream)
    assert c.values[0, 0] != 9
    stream.synchronize()
    assert c.values[0, 0] == 9
    cublas.call("cublasSetStream_v2", handle, stream.ptr)
    stream.begin_capture()
    with pytest.raises(MemoryFaultError, match="captured without a workspace"):
        cublas.call("cublasGemmEx", handle, N, N, 1, 1, 1, where, *args)
    stream.end_capture()
    del work
    with pytest.raises(MemoryFaultError, match="a graph's gemm: freed memory is used"):
        graph.launch(stream)


def test_destroying_waits(fake, cublas, handle, make):
    cupy = fake.cupy
    x, stream = make(3), cupy.cuda.Stream(non_blocking=True)
    x.set(np.full(3, 3.0))
    stream.begin_capture()
    with pytest.raises(cublas.CublasError, match="cublasDestroy_v2 returned CUBLAS_STATUS_INTERNAL_ERROR"):
        cublas.call("cublasDestroy_v2", handle)
    with pytest.raises(CUDARuntimeError, match="Invalidated"):
        stream.end_capture()
    assert not (x.values == 3).any()
    cublas.call("cublasDestroy_v2", handle)
    assert (x.values == 3).all()
