"""cuBLAS as anynet calls it: how it is opened, its errors, handles that live as long as they are needed."""

import gc
import sys
from threading import Thread

import numpy as np
import pytest
from fake_cupy import CUDARuntimeError, put_in_place
from numpy.lib.stride_tricks import as_strided


@pytest.fixture
def fake(monkeypatch):
    fake = put_in_place(monkeypatch, count=2)
    yield fake
    sys.modules["anynet.compiler.cuda.cublas"]._here.by_device.clear()


@pytest.fixture
def cublas(fake):
    return sys.modules["anynet.compiler.cuda.cublas"]


@pytest.fixture
def make(fake):
    """Return a function that makes a product of ones, 64 by 64, and its result."""
    from anynet.compiler.cuda.matmul import MatrixProduct

    def product():
        a, b, out = (fake.cupy.ones((64, 64), "float32") for _ in range(3))
        return MatrixProduct(a, b, out, "float32"), out

    return product


def in_thread(function):
    """Return what a function returns in a thread of its own, which has ended."""
    found = []
    thread = Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found.pop()


def raising(error):
    raise error


def test_one_handle_for_each_device_and_thread(fake, cublas):
    here = cublas.cublas_handle()
    assert cublas.cublas_handle() is here
    with fake.cupy.cuda.Device(1):
        there = cublas.cublas_handle()
        assert there is cublas.cublas_handle() is not here
    assert in_thread(lambda: cublas.cublas_handle() not in (here, there))
    assert len(fake.cublas.handles) == 2


def test_a_handle_is_destroyed_after_its_thread_and_its_products(fake, cublas, make):
    product, out = in_thread(make)
    assert len(fake.cublas.handles) == 1
    product()
    fake.gpu.finish()
    np.testing.assert_array_equal(out.values, np.full((64, 64), 64))
    used = fake.gpu.memory.used
    del product
    assert fake.cublas.handles == {}
    assert fake.gpu.memory.used <= used - cublas.WORKSPACE


def test_a_handle_outlives_the_products_of_its_thread(fake, make):
    make()
    assert len(fake.cublas.handles) == 1


def test_a_thread_whose_products_are_gone_leaves_no_handle(fake, make):
    def multiply():
        product, _ = make()
        product()
        fake.gpu.finish()

    in_thread(multiply)
    assert fake.cublas.calls.count("cublasGemmEx") == 1
    assert fake.cublas.handles == {}


def test_a_handle_is_destroyed_on_its_device(fake, cublas):
    def create():
        fake.cupy.cuda.Device(1).use()
        return cublas.cublas_handle()

    handle = in_thread(create)
    fake.cupy.cuda.Device(0).use()
    seen = []
    destroy = cublas.open_libcublas().cublasDestroy_v2
    cublas.open_libcublas().cublasDestroy_v2 = lambda ptr: seen.append(fake.current) or destroy(ptr)
    del handle
    assert (seen, fake.current) == ([1], 0)


def test_a_capture_is_not_disturbed(fake, make):
    """The handle is destroyed when another one is created."""
    from anynet.compiler.cuda import CAPTURING

    products, stream = [in_thread(make)[0]], fake.cupy.cuda.Stream(non_blocking=True)
    with stream, CAPTURING:
        stream.begin_capture()
        products.clear()
        gc.collect()
        stream.end_capture()
    assert len(fake.cublas.handles) == 1
    make()
    assert len(fake.cublas.handles) == 1
    assert fake.cublas.calls == ["cublasCreate_v2", "cublasDestroy_v2", "cublasCreate_v2"]


def test_a_capture_of_another_thread_is_not_disturbed(fake, cublas, make):
    """Destroying waits for the whole device."""
    from anynet.compiler.cuda.capture import Capture

    products = [in_thread(make)[0]]

    def run():
        in_thread(products.clear)
        assert "cublasDestroy_v2" not in fake.cublas.calls

    Capture().graph(run)
    assert products == []
    make()
    assert "cublasDestroy_v2" in fake.cublas.calls


def test_a_handle_that_cannot_be_destroyed_is_kept_for_later(fake, cublas, make):
    products = [in_thread(make)[0]]
    fake.cublas.refused["cublasDestroy_v2"] = 14
    products.clear()
    assert len(fake.cublas.handles) == 1
    del fake.cublas.refused["cublasDestroy_v2"]
    make()
    assert fake.cublas.calls == ["cublasCreate_v2", "cublasDestroy_v2", "cublasDestroy_v2", "cublasCreate_v2"]
    assert len(fake.cublas.handles) == 1


def test_no_handle_is_destroyed_when_python_ends(fake, cublas, make, monkeypatch):
    """CUDA may have ended before."""
    products = [in_thread(make)[0]]
    monkeypatch.setattr(sys, "is_finalizing", lambda: True)
    products.clear()
    assert "cublasDestroy_v2" not in fake.cublas.calls


def test_a_device_with_an_error_does_not_harm_others(fake, cublas, make, monkeypatch):
    products = [in_thread(make)[0]]
    with monkeypatch.context() as patched:
        patched.setattr(fake.Device, "__enter__", lambda device: raising(CUDARuntimeError(700)))
        products.clear()
    cublas.cublas_handle()
    assert fake.cublas.calls == ["cublasCreate_v2", "cublasCreate_v2"]


def test_nothing_is_left_of_a_handle_that_cannot_be_created(fake, cublas):
    fake.cublas.refused["cublasCreate_v2"] = 1
    before = fake.gpu.memory.used
    for _ in range(2):
        with pytest.raises(cublas.CublasError, match=r"^cublasCreate_v2 returned CUBLAS_STATUS_NOT_INITIALIZED$"):
            cublas.cublas_handle()
    gc.collect()
    assert fake.gpu.memory.used == before
    del fake.cublas.refused["cublasCreate_v2"]
    cublas.cublas_handle()
    assert fake.cublas.calls.count("cublasDestroy_v2") == 0


@pytest.mark.parametrize(("status", "name"), [(3, "ALLOC_FAILED"), (7, "INVALID_VALUE"), (15, "NOT_SUPPORTED")])
def test_errors(fake, cublas, make, status, name):
    product, _ = make()
    fake.cublas.refused["cublasGemmEx"] = status
    with pytest.raises(cublas.CublasError) as caught:
        product()
    assert str(caught.value) == f"cublasGemmEx returned CUBLAS_STATUS_{name}"
    assert (caught.value.function, caught.value.status) == ("cublasGemmEx", status)
    assert isinstance(caught.value, MemoryError) == (name == "ALLOC_FAILED")


def test_where_the_library_is_found(fake, cublas, monkeypatch):
    opened = []

    def noted(name):
        opened.append(name)
        return fake.cublas.open("/emulated/libcublas.so.12")

    monkeypatch.setattr(cublas, "CDLL", noted)
    assert cublas.open_libcublas() is cublas.open_libcublas()
    for found in (None, ImportError("no cuda.pathfinder"), RuntimeError("DynamicLibNotFoundError")):

        def find(name, found=found):
            if found:
                raise found
            return type("LoadedDL", (), {"abs_path": None})

        monkeypatch.setattr(sys.modules["cuda.pathfinder"], "load_nvidia_dynamic_lib", find)
        cublas.open_libcublas.cache_clear()
        cublas.open_libcublas()
    assert opened == ["/emulated/libcublas.so.12", *["libcublas.so.12"] * 3]


def test_a_library_that_cannot_be_opened(fake, cublas):
    fake.cublas.missing = True
    with pytest.raises(ImportError, match=r"^cannot open cuBLAS: libcublas\.so\.12: cannot open shared object file"):
        cublas.cublas_handle()


def test_a_library_without_a_function(fake, cublas, monkeypatch):
    monkeypatch.setattr(cublas, "CDLL", lambda name: type("CDLL", (), {})())
    with pytest.raises(ImportError, match=r"^cannot open cuBLAS: .*cublasCreate_v2"):
        cublas.open_libcublas()


def test_sizes_are_ints_in_c(fake):
    from anynet.compiler.cuda.matmul import fits

    one = np.ones((1, 1), np.float32)
    for rows, does in ((2**31 - 1, True), (2**31, False)):
        tall = as_strided(one, (rows, 1), (4, 4))
        assert fits(tall, one, tall) is does
