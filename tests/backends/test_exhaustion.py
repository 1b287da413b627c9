"""What the libraries raise where memory runs out, and what they raise otherwise, told apart."""

import sys

import pytest
from exhaustion import exhaust
from fake_cupy import put_in_place

from anynet.backends import backend


def test_what_libraries_raise_is_known(backend_here):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        exhaust(backend_here)
    assert backend_here.out_of_memory(caught.value)
    assert not backend_here.out_of_memory(RuntimeError("the shapes do not fit"))


def test_what_pytorch_raises_on_a_gpu_is_known():
    torch = pytest.importorskip("torch")
    for error in (
        torch.cuda.OutOfMemoryError("CUDA: tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ):
        assert backend("torch:cpu").out_of_memory(error)


def test_what_jax_raises_on_a_gpu_is_known():
    jax = pytest.importorskip("jax")
    known, other = (jax.errors.JaxRuntimeError(f"{kind}: something") for kind in ("RESOURCE_EXHAUSTED", "INTERNAL"))
    assert backend("jax:cpu").out_of_memory(known)
    assert not backend("jax:cpu").out_of_memory(other)


def test_what_cupy_raises_is_known(monkeypatch):
    put_in_place(monkeypatch)
    here = sys.modules["anynet.backends.cupy"].Cupy("cupy", None)

    class OutOfMemoryError(MemoryError):
        """As cupy.cuda.memory.OutOfMemoryError is."""

    for error in (
        OutOfMemoryError("Out of memory allocating 9,000 bytes"),
        RuntimeError("cudaErrorMemoryAllocation: out of memory"),
        RuntimeError("CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
        RuntimeError("CUBLAS_STATUS_ALLOC_FAILED"),
    ):
        assert here.out_of_memory(error)
    assert not here.out_of_memory(RuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered"))
