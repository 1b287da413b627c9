"""Steps of large nets: in several threads, sums in the groups that compute what they add, memory used again."""

from unittest.mock import patch

import array_api_compat.numpy as xp
import numpy as np
import pytest
from drawn_steps import Drawn, steps
from hypothesis import given
from hypothesis import strategies as st
from loops import PLAIN, RECORDED
from test_drawn_steps import assert_same, examples

import anynet as an
from anynet.compiler import memory, trace, without_values
from anynet.compiler.graph import elements
from anynet.core.tree import flatten

pytest.importorskip("llvmlite")

from anynet.compiler.numpy.native import joins, native_program, shares


@pytest.fixture
def everything_is_large(monkeypatch):
    for where in (memory, without_values, joins, shares):
        monkeypatch.setattr(where, "LARGE", 1)
    monkeypatch.setattr(joins, "NARROW", 0)
    monkeypatch.setattr(shares, "UNIT", 64)  # a multiple of the elements that a vectorized loop computes at a time
    return monkeypatch


@pytest.mark.usefixtures("everything_is_large")
@given(drawn=steps(), parts=st.integers(1, 3))
@examples(40)
def test_drawn_steps(drawn: Drawn, parts: int) -> None:
    with patch.object(native_program, "threads", lambda: parts):
        assert_same(drawn, RECORDED, PLAIN)


@pytest.mark.thorough
@pytest.mark.usefixtures("everything_is_large")
@given(drawn=steps(), parts=st.integers(1, 3))
@examples(250)
def test_more_drawn_steps(drawn: Drawn, parts: int) -> None:
    with patch.object(native_program, "threads", lambda: parts):
        assert_same(drawn, RECORDED, PLAIN)


def normalized(carry, shared, row):
    """Batch normalization with an activation, and its derivatives by the input and the parameters."""
    (params, _, _), (x, dz) = carry, shared
    norm, gelu = an.BatchNorm(x.shape[-1]), an.GELU()
    y, kept, _ = norm.forward(params, {"mean": params["beta"], "var": params["gamma"]}, x, train=True)
    z, gate, _ = gelu.forward({}, {}, y, train=True)
    dx, grads = norm.backward(params, kept, gelu.backward({}, gate, dz * row)[0])
    return {name: params[name] - 0.1 * grads[name] for name in params}, z, dx


@pytest.mark.parametrize(("dtype", "shape"), [("float64", (23, 16)), ("float64", (2, 30, 37)), ("float32", (64, 70))])
def test_normalization_is_the_plain_loop_with_any_number_of_threads(everything_is_large, dtype, shape):
    rng = np.random.default_rng(3)
    x, dz = rng.standard_normal((2, *shape)).astype(dtype)
    params = {"gamma": x[..., 0, :] + 2, "beta": x[..., 1, :]}
    args = (params, x, x), (x, dz), np.ones((3, 1), dtype), int
    expected, found = flatten(PLAIN.loop(normalized)(*args))[0], []
    for parts in (1, 2, 5):
        everything_is_large.setattr(native_program, "threads", lambda parts=parts: parts)
        found.append(flatten(RECORDED.loop(normalized)(*args))[0])
    for arrays in zip(*found, strict=True):
        assert len({array.tobytes() for array in arrays}) == 1
    for array, other in zip(found[0], expected, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e4 * np.finfo(dtype).eps, atol=1e4 * np.finfo(dtype).eps)


def test_products_that_are_summed_and_what_can_be_computed_again_take_no_memory(everything_is_large, monkeypatch):
    """The loops read the input and the gradient, and write the results; the normalized input is not kept."""
    programs, init = [], native_program.NativeProgram.__init__
    monkeypatch.setattr(
        native_program.NativeProgram, "__init__", lambda self, *args: (init(self, *args), programs.append(self))[0]
    )
    x, dz = np.random.default_rng(3).standard_normal((2, 40, 16))
    params = {"gamma": x[0], "beta": x[1]}
    RECORDED.loop(normalized)((params, x, x), (x, dz), np.ones((3, 1)), int)
    (program,) = programs
    sizes = {node: elements(node) for node in program._memory._arrays if node.op not in ("input", "constant")}
    large = {id(program._memory[node].base) for node, size in sizes.items() if size == x.size}
    assert len(large) == 3  # z, dx, and the gradient between the activation and the normalization


def test_recording_large_arrays_takes_no_memory():
    x = np.broadcast_to(np.float32(1), (1 << 20, 1 << 10))  # 4 GB
    params = {"gamma": x[0] + 1, "beta": x[0]}
    graph = trace(normalized, xp, (params, x, x), (x, x), np.ones(1, np.float32))
    assert [output.shape for output in graph.outputs] == [(1024,), (1024,), x.shape, x.shape]
    w = np.broadcast_to(np.float32(1), (1 << 10, 1 << 12))
    product = trace(lambda a, b: a @ b, xp, x, w).outputs[0]
    assert (product.shape, product.dtype) == ((1 << 20, 1 << 12), np.float32)
    with pytest.raises(ValueError, match="matmul"):
        trace(lambda a, b: a @ b, xp, x, x)
    with pytest.raises(ValueError, match="broadcast"):
        trace(lambda a, b: a + b, xp, x, w)
