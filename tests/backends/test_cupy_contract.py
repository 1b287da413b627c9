"""anynet's CuPy backend without a GPU: a module that answers as CuPy would, well or in trouble, stands for CuPy."""

import sys

import array_api_compat
import numpy as np
import pytest
from fake_cupy import put_in_place
from refusals import refusal

import anynet.backends
from anynet import backend
from anynet.backends import DeviceMemory


@pytest.fixture
def install(monkeypatch):
    return lambda **machine: put_in_place(monkeypatch, **machine)


@pytest.mark.parametrize(
    ("name", "current", "number"), [("cupy", 0, 0), ("cupy", 2, 2), ("cupy:0", 2, 0), ("cupy:3", 0, 3)]
)
def test_the_gpu_chosen_is_made_the_current_one_before_it_is_tried(install, name, current, number):
    fake = install(count=4)
    fake.current = current
    chosen = backend(name)
    assert fake.log == [f"use {number}", "multiply"]
    assert (chosen.name, chosen.device.id, chosen.xp) == ("cupy", number, fake.xp)
    assert chosen.memory() == DeviceMemory(free=3 + number, total=10)


def test_a_cublas_that_cannot_be_opened_is_told(install):
    install().cublas.missing = True
    message = refusal()
    assert message.startswith("cupy lacks files of the CUDA toolkit (cannot open cuBLAS: libcublas.so.12: cannot open")
    assert "pip install 'cupy-cuda12x[ctk]'" in message


def test_a_cublas_that_does_not_work_is_told(install):
    install().cublas.refused["cublasCreate_v2"] = 1
    message = refusal()
    assert "cannot compute on this GPU (cublasCreate_v2 returned CUBLAS_STATUS_NOT_INITIALIZED)" in message


def test_rocm_needs_no_cublas(install):
    fake = install()
    fake.cupy.cuda.runtime.is_hip, fake.cublas.missing = True, True
    assert backend("cupy").precisions == ("float32",)


def test_what_cupy_keeps_is_free(install, monkeypatch):
    fake = install()
    monkeypatch.setattr(type(fake.cupy.get_default_memory_pool()), "free_bytes", lambda pool: 5)
    assert backend("cupy").memory() == DeviceMemory(free=8, total=10)


def test_every_device_can_be_chosen(install):
    install(count=3)
    devices = backend("cupy:1").devices()
    assert devices == {f"{i} (GPU of number {i})": (4 if i == 1 else None, 10) for i in range(3)}
    assert [backend(f"cupy:{item.split()[0]}").device.id for item in devices] == [0, 1, 2]


def test_other_gpus_get_no_context(install):
    fake = install(count=3)
    chosen = backend("cupy:1")
    chosen.devices()
    chosen.memory()
    chosen.wait(chosen.xp.ones(3) + chosen.asarray(np.ones(3)))
    assert fake.contexts == {1}
    backend("cupy:2")
    assert fake.contexts == {1, 2}


def test_values_go_to_the_device_and_come_back(install):
    fake = install()
    chosen = backend("cupy")
    array = chosen.asarray(np.arange(5))
    assert isinstance(array, fake.Array)
    back = chosen.to_host(array)
    assert isinstance(back, np.ndarray)
    np.testing.assert_array_equal(back, np.arange(5))


def test_the_fake_leaves_nothing_behind():
    names = ("cupy", "cupyx", "array_api_compat.cupy", "anynet.backends.cupy")

    def seen():
        packages = (array_api_compat, anynet.backends)
        return [sys.modules.get(name) for name in names] + [getattr(package, "cupy", None) for package in packages]

    before = seen()
    with pytest.MonkeyPatch.context() as patch:
        put_in_place(patch)
        assert all(one is not other for one, other in zip(seen(), before, strict=True))
    assert all(one is other for one, other in zip(seen(), before, strict=True))
