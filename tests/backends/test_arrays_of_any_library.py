"""Arrays of any library, however awkward, arrive on every backend with their values and their dtype, or are refused."""

import importlib
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from array_api_compat import device
from fake_cupy import put_in_place
from on_backends import GPUS

from anynet.backends import BackendError, backend, backend_of, to_library_of, to_numpy
from anynet.backends.array_library import ArrayLibrary
from anynet.backends.numpy import Numpy

DTYPES = ("bool", "uint8", "int8", "int32", "float16", "float32", "int64", "float64")

LAYOUTS = {
    "plain": lambda a: a,
    "transposed": lambda a: a.T,
    "every other": lambda a: a[:, ::2],
    "one row": lambda a: a[1, :],
    "from the second": lambda a: a[1:, :],
    "no rows": lambda a: a[:0, :],
    "no dimensions": lambda a: a[1, 1, ...],
}

BACKWARDS = {"backwards": lambda a: a[::-1, ::-1]}
"""Not for PyTorch and JAX, which copy instead."""


def frozen(host):
    array = np.array(host)
    array.flags.writeable = False
    return array


def of_torch(host):
    return pytest.importorskip("torch").tensor(host)


def of_jax(host):
    return pytest.importorskip("jax").numpy.asarray(host)


def of_strict(host, name="CPU_DEVICE"):
    xp = pytest.importorskip("array_api_strict")
    return xp.asarray(np.array(host), device=xp.Device(name))


NUMPYS = {
    "numpy": np.array,
    "read-only": frozen,
    "big-endian": lambda host: host.astype(host.dtype.newbyteorder(">")),
    "fortran": np.asfortranarray,
}
SOURCES = NUMPYS | {
    "torch": of_torch,
    "torch, requires grad": lambda host: of_torch(host).requires_grad_(host.dtype.kind == "f"),
    "jax": of_jax,
    "strict": of_strict,
    "strict, another device": lambda host: of_strict(host, "device1"),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("source", SOURCES)
def test_values_and_dtypes_arrive(backend_here, source, dtype):
    """In every layout, with 64 bits where JAX has to give or take them."""
    if dtype.endswith("64"):
        backend_here.dtype("float64")
        if source == "jax":
            backend("jax").dtype("float64")
    if source.startswith("strict") and dtype == "float16":
        pytest.skip("not a dtype of the standard")
    whole = (9 * np.random.default_rng(0).random((4, 6))).astype(dtype)
    views = LAYOUTS | (BACKWARDS if source.startswith(("strict", *NUMPYS)) else {})
    for name, view in views.items():
        expected = view(whole)
        array = backend_here.put(view(SOURCES[source](whole)))
        assert device(array) == backend_here.device, name
        back = backend_here.to_host(array)
        assert back.dtype == dtype, name
        np.testing.assert_array_equal(back, expected, err_msg=name)


def test_arrays_of_the_emulated_gpu_arrive_everywhere(emulated_cupy):
    expected = np.arange(12, dtype=np.float32).reshape(3, 4)
    array = emulated_cupy.asarray(expected.copy())
    for other in ("numpy", "torch:cpu", "jax"):
        pytest.importorskip(other.partition(":")[0])
        for view in (*LAYOUTS.values(), *BACKWARDS.values()):
            placed = backend(other).put(view(array))
            assert backend(other).device == device(placed)
            np.testing.assert_array_equal(np.asarray(placed), view(expected))


def test_an_array_of_the_backend_is_returned_itself(backend_here):
    array = backend_here.asarray(np.arange(3.0, dtype=np.float32))
    assert backend_here.holds(array)
    assert backend_here.put(array) is array
    backwards = array[::-1] if backend_here.name in ("numpy", "cupy") else array
    assert backend_here.put(backwards) is backwards
    assert backend_here.put(array, "float32") is array


@pytest.mark.parametrize("wanted", ["float32", "int64"])
def test_the_dtype_can_be_chosen(backend_here, wanted):
    """JAX needs no 64 bits for float64 that is to become float32, and has int32 in the place of int64."""
    for source in SOURCES.values():
        for dtype in ("uint8", "int64", "float64" if wanted == "float32" else "int32"):
            back = backend_here.to_host(backend_here.put(source(np.array([[1, 2, 44]], dtype)), wanted))
            assert back.dtype == ("int32" if backend_here.name == "jax" and wanted == "int64" else wanted)
            np.testing.assert_array_equal(back, [[1, 2, 44]])


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


def test_short_floats_stay_where_a_library_has_them(backend_here):
    torch = pytest.importorskip("torch")
    values = torch.tensor([[1.5, -3e38], [float("inf"), 2**-130]], dtype=torch.bfloat16)
    expected = values.float().numpy()
    for array in (values, values.T.contiguous().T, values[:, ::1], of_jax(expected).astype("bfloat16")):
        placed = backend_here.put(array)
        assert str(placed.dtype).endswith("bfloat16" if backend_here.name in ("torch", "jax") else "float32")
        np.testing.assert_array_equal(backend_here.to_host(backend_here.put(array, "float32")), expected)


def test_negative_views_of_pytorch_keep_their_sign(backend_here):
    torch = pytest.importorskip("torch")
    array = torch.tensor([1 + 2j, 3 - 4j]).conj().imag
    assert array.is_neg()
    np.testing.assert_array_equal(backend_here.to_host(backend_here.put(array)), [-2, 4])


def test_pytorch_itself_ends_the_process_at_negative_strides():
    """The reason why NumPy arrays are not given to it by DLPack; if this fails, they can be."""
    pytest.importorskip("torch")
    script = "import numpy, torch; torch.from_dlpack(numpy.ones((2, 3))[:, ::-1])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode != 0


REFUSED = {
    "list": (lambda: [1.0], "array: expected an array, got a list; numpy.asarray makes one"),
    "text": (lambda: np.array(["a"]), "array: expected numbers, got dtype <U1"),
    "objects": (lambda: np.array([None, 1]), "array: expected numbers, got dtype object"),
    "times": (lambda: np.array(["2020-01-01"], "datetime64[D]"), r"expected numbers, got dtype datetime64\[D\]"),
    "records": (lambda: np.zeros(2, [("a", "f4")]), r"expected numbers, got dtype \[\('a', '<f4'\)\]"),
    "masked": (lambda: np.ma.masked_equal([1, 2], 1), "expected an array without a mask, got a MaskedArray; its fill"),
    "meta": (lambda: of_torch([1.0]).to("meta"), 'expected an array with values, got a tensor on the device "meta"'),
    "sparse": (lambda: of_torch([1.0]).to_sparse(), "expected a dense tensor, got a torch.sparse_coo one; to_dense"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_numbers_is_refused(backend_here, name):
    make, message = REFUSED[name]
    with pytest.raises(TypeError, match=message) as caught:
        backend_here.put(make())
    assert "\n" not in str(caught.value)


def test_arrays_that_jax_traces_are_refused(backend_here):
    jax = pytest.importorskip("jax")
    for take in (backend_here.put, backend_of, lambda array: to_library_of(np.ones(1), array)):
        with pytest.raises(TypeError, match=r"got one that JAX traces; call this outside jax\.jit"):
            jax.jit(take)(np.ones(3, np.float32))


def test_jax_rounds_nothing_silently():
    pytest.importorskip("jax")
    here, config = backend("jax"), importlib.import_module("jax").config
    before = config.jax_enable_x64
    config.update("jax_enable_x64", False)
    try:
        for source in ("numpy", "torch"):
            with pytest.raises(TypeError, match="float64: JAX converts it to float32; call"):
                here.put(SOURCES[source](np.ones(2)))
            for value in (2**31, -(2**31) - 1):
                with pytest.raises(OverflowError, match=f"int64: JAX converts it to int32, which lacks {value}; call"):
                    here.put(SOURCES[source](np.array([0, value])))
            for value in (2**31 - 1, -(2**31)):
                assert int(here.put(SOURCES[source](np.array([0, value])))[1]) == value
            with pytest.raises(OverflowError, match="uint64: JAX converts it to uint32"):
                here.put(SOURCES[source](np.array([2**32], np.uint64)))
    finally:
        config.update("jax_enable_x64", before)


def test_the_backend_of_an_array_is_found(backend_here):
    array = backend_here.asarray(np.ones(3, np.float32))
    if backend_here.name == "numpy":
        assert backend_of(array) is None
    else:
        assert backend_of(array) == backend_here == backend(backend_here.choice)
    assert device(to_library_of(np.zeros(2, np.float32), array)) == backend_here.device
    np.testing.assert_array_equal(to_numpy(to_library_of(np.zeros(2, np.float32), array)), np.zeros(2))


@pytest.mark.parametrize("other", [None, [1.0], "cpu", 3, np.float32(1), np.ones(2)])
def test_other_things_have_no_backend_and_stand_for_numpy(backend_here, other):
    assert backend_of(other) is None
    assert backend_here.holds(other) == (backend_here.name == "numpy" and isinstance(other, np.ndarray | np.generic))
    array = to_library_of(backend_here.asarray(np.ones(3, np.float32)), other)
    assert type(array) is np.ndarray


def test_a_gpu_becomes_the_current_one_only_when_it_is_chosen(monkeypatch):
    fake = put_in_place(monkeypatch, count=2)
    backend("cupy:0")
    with fake.Device(1):
        array = fake.cupy.asarray(np.ones(3))
    to_library_of(np.ones(3), array)
    assert fake.current == 0
    assert backend_of(array) == backend("cupy:1")
    assert fake.current == 1
