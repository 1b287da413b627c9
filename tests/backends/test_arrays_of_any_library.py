"""Arrays of any library, however awkward, arrive on every backend with their values and their dtype, or are refused."""

import importlib
import importlib.util

import numpy as np
import pytest
from array_api_compat import device
from fake_cupy import put_in_place
from sources import BACKWARDS, DTYPES, LAYOUTS, NUMPYS, SOURCES, of_jax, of_torch

from anynet.backends import backend, backend_of, to_library_of, to_numpy


@pytest.fixture(autouse=True)
def jax_config():
    """JAX's settings; JAX has as many bits after a test as before."""
    if importlib.util.find_spec("jax") is None:
        yield None
        return
    config = importlib.import_module("jax").config
    before = config.jax_enable_x64
    yield config
    config.update("jax_enable_x64", before)


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


@pytest.mark.parametrize("by_host", [False, True], ids=["shared", "by the host"])
def test_short_floats_stay_where_a_library_has_them(backend_here, monkeypatch, by_host):
    torch = pytest.importorskip("torch")
    if by_host:
        monkeypatch.setattr(type(backend_here), "_share", lambda self, array: None)
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


def test_jax_rounds_nothing_silently(jax_config):
    pytest.importorskip("jax")
    jax_config.update("jax_enable_x64", False)
    here = backend("jax")
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
