"""Libraries share arrays by DLPack: which do, when, and what happens to others."""

from types import SimpleNamespace

import numpy as np
import pytest
from on_backends import GPUS
from sources import BACKWARDS, DTYPES, LAYOUTS, of_jax, of_torch

from anynet.backends import BackendError, backend
from anynet.backends.array_library import ArrayLibrary
from anynet.backends.numpy import Numpy


@pytest.mark.parametrize(("one", "other"), [("torch", "jax"), ("jax", "torch"), ("torch", "numpy"), ("numpy", "torch")])
def test_libraries_share_the_memory_of_the_host(one, other):
    """64-byte aligned, as JAX wants it."""
    torch = pytest.importorskip("torch")
    address = {
        "torch": lambda a: a.data_ptr(),
        "jax": lambda a: a.unsafe_buffer_pointer(),
        "numpy": lambda a: a.__array_interface__["data"][0],
    }
    names = {"torch": "torch:cpu", "jax": "jax:cpu", "numpy": "numpy"}
    array = backend(names[one]).put(
        torch.arange(64, dtype=torch.float32) if one != "jax" else of_jax(np.ones(64, "f4"))
    )
    assert address[one](array) == address[other](backend(names[other]).put(array))


class Recording(Numpy):
    """NumPy by another name, which shares arrays by DLPack alone. ``took`` has the arrays that it was offered."""

    def __init__(self, refuses=lambda array: False, elsewhere=False):
        super().__init__("recording", "cpu")
        object.__setattr__(self, "took", [])  # the base class is frozen
        object.__setattr__(self, "refuses", refuses)
        object.__setattr__(self, "elsewhere", elsewhere)

    def asarray(self, host):
        made = SimpleNamespace(host=host, __dlpack_device__=lambda: (2, 0))
        return made if self.elsewhere else host

    def _place(self, array):
        return ArrayLibrary._place(self, array)

    def _from_dlpack(self, array):
        self.took.append(array)
        if self.refuses(array):
            raise BufferError("not these strides")
        return super()._from_dlpack(array)


def test_arrays_on_the_device_go_by_dlpack():
    array, here = of_torch(np.arange(6.0)), Recording()
    shared = here.put(array)
    assert [taken is array for taken in here.took] == [True]
    assert shared.__array_interface__["data"][0] == array.data_ptr()


def test_strides_that_a_library_refuses_are_copied_where_they_are():
    array, here = of_torch(np.arange(12.0).reshape(3, 4))[:, ::2], Recording(lambda array: not array.is_contiguous())
    np.testing.assert_array_equal(here.put(array), [[0, 2], [4, 6], [8, 10]])
    assert [taken.is_contiguous() for taken in here.took] == [False, True]


def test_what_dlpack_refuses_goes_over_the_host():
    here = Recording(lambda array: True)
    np.testing.assert_array_equal(here.put(of_torch(np.arange(6.0))), np.arange(6))
    assert len(here.took) == 2


def test_arrays_on_another_device_go_over_the_host():
    here = Recording(elsewhere=True)
    np.testing.assert_array_equal(here.put(of_torch(np.arange(6.0))).host, np.arange(6))
    assert here.took == []


@pytest.mark.gpu
@pytest.mark.parametrize(("one", "other"), [(a, b) for a in GPUS for b in GPUS if a != b])
def test_libraries_share_the_memory_of_a_gpu(one, other):
    try:
        source, target = backend(one), backend(other)
    except BackendError as error:
        pytest.skip(str(error))
    address = {
        "torch": lambda a: a.data_ptr(),
        "jax": lambda a: a.unsafe_buffer_pointer(),
        "cupy": lambda a: a.data.ptr,
    }
    for dtype in DTYPES[:6]:
        host = np.arange(64).reshape(4, 16).astype(dtype)
        array = source.asarray(host)
        shared = target.put(array)
        assert address[source.name](array) == address[target.name](shared)
        for view in (*LAYOUTS.values(), *(BACKWARDS.values() if one == "cupy" else ())):
            np.testing.assert_array_equal(target.to_host(target.put(view(array))), view(host))
