"""Random numbers inside steps have the same bits wherever and however the step is run."""

import logging
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from array_api_compat import array_namespace
from loops import own, recorded

from anynet.backends import Backend, backend
from anynet.compiler.numpy import blocks
from anynet.compiler.numpy.target import NumpyTarget
from anynet.core import random
from anynet.core.typing import Array

N, STEPS = (30, 301), 3
"""Shape of the numbers of a step, more of them than a block of NumPy's has; number of steps."""

KEYS = np.stack([random.key(1), random.key(2)])


def start(chosen: Backend) -> tuple[Array, Array]:
    return chosen.asarray(np.zeros((2, *N), np.float32)), chosen.asarray(np.zeros((), np.int32))


def step(carry: tuple[Array, Array], key: Array, row: Array) -> tuple[Array, Array]:
    """Draw numbers, and replace those below a quarter by 0."""
    last, i = carry
    x = random.uniform(random.at_step(key, i), N, last.dtype)
    return x * array_namespace(x).astype(x >= 0.25, x.dtype), i + row


def assert_same_bits(chosen: Backend) -> None:
    """Compare each step with what NumPy computes without a record."""
    loop, carry = own(chosen).loop(step), start(chosen)
    for n in range(STEPS):
        carry = loop(carry, chosen.asarray(KEYS), chosen.asarray(np.ones(n + 1, np.int32)), lambda n: None)
        i = np.asarray(sum(range(n + 2)) - 1)
        with np.errstate(over="raise"):
            x = random.uniform(random.at_step(KEYS, i), N, np.dtype(np.float32))
        np.testing.assert_array_equal(chosen.to_host(carry[0]), x * (x >= 0.25))


def test_every_backend_draws_the_same(backend_here: Backend) -> None:
    assert_same_bits(backend_here)


@pytest.mark.parametrize("size", [300, 1 << 15])
def test_numpy_in_blocks(size: int) -> None:
    with patch.multiple(blocks, SIZE=size, LARGE=2):
        assert_same_bits(backend("numpy"))


def test_native(monkeypatch: pytest.MonkeyPatch) -> None:
    native = pytest.importorskip("anynet.compiler.numpy.native.native_program")
    made: list[str] = []
    compile_module = native.compile_module
    monkeypatch.setattr(native, "compile_module", lambda text: made.append(text) or compile_module(text))
    monkeypatch.setattr(NumpyTarget, "patience", 1)
    assert_same_bits(backend("numpy"))
    assert any(all(f" {name} i32" in text for name in ("xor", "shl", "ashr")) for text in made)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # within PyTorch's compiler
def test_inductor(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from anynet.compiler.torch import inductor, target

    made: list[str] = []
    compile_source = inductor._compile
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)  # PyTorch logs what pytest would keep
    monkeypatch.setattr(target, "LARGE", 1000)
    monkeypatch.setattr(target, "WORTH", 1000)
    monkeypatch.setattr(target.TorchTarget, "patience", 1)

    def compiled(source: inductor._Source) -> Callable[..., None]:
        kernel = compile_source(source)
        made.append(str(source.graph))
        return kernel

    monkeypatch.setattr(inductor, "_compile", compiled)
    assert_same_bits(backend("torch:cpu"))
    assert any("bitwise_left_shift" in graph and "bitwise_xor" in graph for graph in made)


def test_cuda_fuses_all_operations(emulated_cupy: Backend) -> None:
    """One kernel makes both random words; another puts them in their places and uses them."""
    from anynet.compiler import launches

    loop, keys = recorded(emulated_cupy).loop(step), emulated_cupy.asarray(KEYS)
    loop(start(emulated_cupy), keys, emulated_cupy.asarray(np.ones(1, np.int32)), lambda n: None)
    assert launches(loop) == 2


def test_cuda_captures_normal_noise(emulated_cupy: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Box-Muller, as in docs/extending.md: no operation is left to CuPy."""
    from anynet.compiler.cuda import capture, target

    class Captured(capture.KernelProgram):
        def steps(self, *args: Any) -> None:
            assert self.captures
            super().steps(*args)

    def noise(carry: tuple[Array, Array], key: Array, row: Array) -> tuple[Array, Array]:
        x, xp = step(carry, key, row)[0], array_namespace(row)
        return xp.sqrt(-2 * xp.log(1 - x)) * xp.cos(6.0 * x) + xp.sin(6.0 * x), carry[1] + row

    monkeypatch.setattr(target, "KernelProgram", Captured)
    put, rows = emulated_cupy.asarray, np.ones(3, np.int32)
    found, _ = recorded(emulated_cupy).loop(noise)(start(emulated_cupy), put(KEYS), put(rows), lambda n: None)
    expected, i = np.zeros((2, *N), np.float32), np.zeros((), np.int32)
    for row in rows:
        expected, i = noise((expected, i), KEYS, row)
    np.testing.assert_allclose(emulated_cupy.to_host(found), expected, rtol=1e-5, atol=1e-6)
