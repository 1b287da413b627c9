"""What every backend promises: values moved unchanged, dtypes as named, staging that forgets nothing."""

import importlib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from array_api_compat import device

from anynet import backend

EXAMPLES = {
    "uint8": np.array([[0, 1], [127, 255]], np.uint8),
    "bool": np.array([True, False, True]),
    "float32": np.array([[1 / 3, -0.0, np.inf, 1e-38]], np.float32),
    "int64": np.array([0, -1, 9, 2**31 - 1]),
    "int64, wide": np.array([2**53 + 1, -(2**62)]),
    "float64": np.array([1 / 3, 1e300, -5e-324]),
    "no dimensions": np.array(3.5, np.float32),
    "empty": np.zeros((0, 3), np.uint8),
    "transposed": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "every other": np.arange(12, dtype=np.uint8)[1::2],
}
NEED_64_BITS = ("int64, wide", "float64")


@pytest.mark.parametrize("example", EXAMPLES)
def test_values_go_to_the_device_and_come_back(backend_here, example):
    if example in NEED_64_BITS:
        backend_here.dtype("float64")
    expected = EXAMPLES[example]
    array = backend_here.asarray(expected.copy())
    assert device(array) == backend_here.device
    back = backend_here.to_host(array)
    assert isinstance(back, np.ndarray)
    assert back.dtype.kind == expected.dtype.kind
    if not (backend_here.name == "jax" and example == "int64"):  # of 32 bits until float64 is asked for
        assert back.dtype == expected.dtype
    np.testing.assert_array_equal(back, expected)


def test_arrays_that_cannot_be_written_to(backend_here):
    source = np.arange(5, dtype=np.float32)
    source.flags.writeable = False
    np.testing.assert_array_equal(backend_here.to_host(backend_here.asarray(source)), np.arange(5))


def test_what_comes_back_is_a_copy(backend_here):
    array = backend_here.asarray(np.arange(1000, dtype=np.float32))
    first = backend_here.to_host(array)
    first[...] = -1
    np.testing.assert_array_equal(backend_here.to_host(array), np.arange(1000))


def test_results_that_were_waited_for_are_there(backend_here):
    square = backend_here.asarray(np.ones((1000, 1000), np.float32))
    result = {"product": (square @ square @ square, None)}
    backend_here.wait(result)
    if backend_here.name == "jax":
        assert result["product"][0].is_ready()
    if backend_here.name == "torch" and backend_here.device.type == "cuda":
        assert importlib.import_module("torch").cuda.current_stream().query()
    assert np.all(backend_here.to_host(result["product"][0]) == 1e6)


def test_dtypes_are_what_they_are_called(backend_here):
    xp = backend_here.xp
    for name in ("float32", "float64", "float32"):
        array = xp.ones(3, dtype=backend_here.dtype(name)) / 3
        back = backend_here.to_host(array)
        assert back.dtype == name
        np.testing.assert_allclose(back, 1 / 3, rtol=np.finfo(name).eps)


@pytest.mark.parametrize("name", ["float16", "int64", "double", ""])
def test_other_dtypes_are_refused(backend_here, name):
    with pytest.raises(ValueError, match=f'dtype: expected one of float32, float64, got "{name}"'):
        backend_here.dtype(name)


def test_memory_is_what_there_is(backend_here):
    memory = backend_here.memory()
    if memory is not None:
        assert 0 < memory.free <= memory.total
        assert memory.total > 2**28  # bytes, not pages or megabytes


def test_memory_is_shared_where_that_is_said(backend_here):
    """On any aligned array, as all of some size are."""
    host = np.zeros((100, 3072), np.uint8)
    array = backend_here.asarray(host)
    host[...] = 1
    if backend_here.shares_memory:
        assert np.all(backend_here.to_host(array) == 1)
    else:
        assert (backend_here.name, backend_here.device_name) not in {("numpy", "cpu"), ("torch", "cpu")}


def test_every_device_can_be_chosen(backend_here):
    devices = backend_here.devices()
    chosen = [backend(f"{backend_here.name}:{item.split()[0]}").device for item in devices]
    assert backend_here.device in chosen
    assert len(set(map(str, chosen))) == len(devices)


def test_memory_of_the_own_device_is_known_and_maybe_that_of_others(backend_here):
    devices, own = backend_here.devices(), backend_here.memory()
    for item, (free, total) in devices.items():
        if own is not None and backend(f"{backend_here.name}:{item.split()[0]}").device == backend_here.device:
            assert total == own.total
            assert 0 < free <= total
        assert total is None or total > 2**28


def test_pytorch_asks_its_own_gpu_alone_what_is_free(monkeypatch):
    torch = pytest.importorskip("torch")
    gpu = SimpleNamespace(name="GPU", total_memory=10)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda i: gpu)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda i: {1: (4, 10)}[i])
    on_cpu = backend("torch:cpu")
    unknown = {"cuda:0 (GPU)": (None, 10), "cuda:1 (GPU)": (None, 10)}
    assert on_cpu.devices().items() >= unknown.items()
    on_gpu = replace(on_cpu, device=torch.device("cuda", 1))
    assert on_gpu.devices().items() >= (unknown | {"cuda:1 (GPU)": (4, 10)}).items()


def test_equal_backends_have_equal_hashes(backend_here):
    again = backend(f"{backend_here.name}:{next(iter(backend_here.devices())).split()[0]}")
    other = replace(backend_here, precision="another")
    assert {backend_here: 1, other: 2}[replace(backend_here)] == 1
    assert (hash(again) == hash(backend_here)) == (again == backend_here)
    assert hash(other) != hash(backend_here)


def test_compiling_changes_no_value(backend_here, rng):
    xp = backend_here.xp

    def function(params, x):
        y = x @ params["W"] + params["b"]
        return {"y": y, "parts": (xp.sum(y, axis=0), None), "larger": y > 0}

    # Small integers, whose sums are exact in any order.
    params = {"W": rng.integers(-8, 9, (5, 4)), "b": rng.integers(-8, 9, 4)}
    x = rng.integers(-8, 9, (7, 5)).astype(np.float32)
    W, b = (params[name].astype(np.float32) for name in ("W", "b"))
    compiled = backend_here.compile(function)
    for _ in range(2):
        result = compiled({"W": backend_here.asarray(W), "b": backend_here.asarray(b)}, backend_here.asarray(x))
        assert result.keys() == {"y", "parts", "larger"}
        assert result["parts"][1] is None
        np.testing.assert_array_equal(backend_here.to_host(result["y"]), x @ W + b)
        np.testing.assert_array_equal(backend_here.to_host(result["parts"][0]), (x @ W + b).sum(axis=0))
        np.testing.assert_array_equal(backend_here.to_host(result["larger"]), x @ W + b > 0)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "int32", "bool"])
def test_what_was_sent_stays_when_buffers_are_filled_again(backend_here, dtype):
    if dtype == "float64":
        backend_here.dtype("float64")
    staging = backend_here.staging((64, 3), dtype)

    def content(k, rows):
        return np.tile(10.3 * k + np.arange(3), (rows, 1)).astype(dtype)

    sent = []
    for k in range(7):
        buffer = staging.host()
        assert (buffer.shape, buffer.dtype) == ((64, 3), dtype)
        buffer[...] = content(k, 64)
        staging.send(64 - k)
        sent.append(staging.receive())
    for _ in range(2):
        staging.host()[...] = 1
    for k, array in enumerate(sent):
        assert device(array) == backend_here.device
        back = backend_here.to_host(array)
        assert back.dtype == dtype
        np.testing.assert_array_equal(back, content(k, 64 - k))


def test_a_way_to_compile_that_does_not_exist_is_refused(backend_here):
    with pytest.raises(ValueError, match=r'^compile: there is no "offf"; did you mean "off"'):
        backend_here.loop(lambda carry, shared, row: carry, compile="offf")
    with pytest.raises(ValueError, match=r'^compile: there is no "True"'):
        backend_here.loop(lambda carry, shared, row: carry, compile=True)
