"""Products of float32 arrays whose operands are rounded: what is offered is had, what is not is refused."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fake_cublas import MANTISSAS, ComputeType
from fake_cupy import put_in_place

from anynet import BackendError, backend
from anynet.backends import PRECISIONS
from anynet.backends.numpy import Numpy

BITS = {"float32": 23, "tf32": 10, "bf16": 7}


def operands(rng, bits, *shape):
    """Float32 numbers a quarter above what so many bits hold, and what is left of them, rounded or cut off."""
    kept = 1 + rng.integers(0, 2**bits, shape) / 2**bits
    return (kept + 2.0 ** -(bits + 2)).astype(np.float32), kept.astype(np.float32).astype(np.float64)


@pytest.mark.parametrize(
    "shapes", [((64, 96), (96, 32)), ((3, 64, 96), (3, 96, 32)), ((500, 300), (300, 100))], ids=str
)
@pytest.mark.parametrize("turned", [False, True])
def test_operands_are_rounded_as_is_said(backend_here, rng, shapes, turned):
    """In a loop over steps, as training runs them, against products of rounded operands in float64."""
    for precision in backend_here.precisions:
        bits = BITS[precision]
        (a, a_kept), (b, b_kept) = (operands(rng, bits, *shape) for shape in shapes)
        chosen = backend_here.with_precision(precision)
        if turned:
            a = np.ascontiguousarray(np.swapaxes(a, -1, -2))

        def step(carry, shared, row, turned=turned):
            one, other = shared
            return (one.mT if turned else one) @ other + row

        start = chosen.asarray(np.zeros((a_kept @ b_kept).shape, np.float32))
        shared, rows = [chosen.asarray(x) for x in (a, b)], chosen.asarray(np.zeros((2, 1), np.float32))
        found = chosen.to_host(chosen.loop(step)(start, shared, rows, lambda n: None))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, a_kept @ b_kept, rtol=1e-5)  # a GPU's sums are cut off, not rounded
        if precision != "float32":
            whole = (np.swapaxes(a, -1, -2) if turned else a).astype(np.float64) @ b.astype(np.float64)
            assert np.all(found < whole * (1 - 1e-4))


def test_what_is_not_offered_is_refused(backend_here):
    for precision in PRECISIONS.keys() - set(backend_here.precisions):
        with pytest.raises(BackendError) as caught:
            backend_here.with_precision(precision)
        said = str(caught.value)
        assert len(said.splitlines()) == 1
        only = ", ".join(backend_here.precisions)
        assert said.startswith(f"{backend_here.name} on {backend_here.device_name} multiplies in {only} only; for ")
        assert "on an NVIDIA GPU since Ampere" in said


def test_another_name_is_refused(backend_here):
    with pytest.raises(ValueError, match='precision: expected one of float32, tf32, bf16, got "fp16"'):
        backend_here.with_precision("fp16")


def test_choosing_by_name(monkeypatch):
    assert backend("numpy").precision == backend("numpy", "float32").precision == "float32"
    with pytest.raises(BackendError, match="numpy on cpu multiplies in float32 only; for tf32 choose cupy"):
        backend("numpy", "tf32")
    monkeypatch.setattr(Numpy, "precisions", tuple(PRECISIONS))
    chosen = backend("numpy", "bf16")
    assert (chosen.precision, str(chosen)) == ("bf16", "numpy on cpu with bf16 products")
    assert chosen.with_precision("float32") == backend("numpy")


def test_float64_has_one_precision(backend_here):
    chosen = replace(backend_here, precision="tf32")
    with pytest.raises(ValueError, match="tf32 is for products of float32 arrays, and the dtype is float64; choose"):
        chosen.dtype("float64")
    assert chosen.dtype("float32") is backend_here.dtype("float32")


@pytest.mark.parametrize(
    ("bits", "offered"),
    [
        ({}, ("float32",)),  # as XLA's CPU, which takes no notice
        ({"tf32": 10, "bf16": 7}, ("float32", "tf32", "bf16")),
        ({"tf32": 7, "bf16": 7}, ("float32", "bf16")),
        ({"tf32": 10, "bf16": 10}, ("float32", "tf32")),
    ],
)
def test_jax_offers_what_a_product_is_seen_to_have(bits, offered):
    jax = pytest.importorskip("jax")
    chosen = backend("jax:cpu")

    class Rounding(type(chosen)):
        def compile(self, function):
            def rounded(*args):
                return function(*(jax.lax.reduce_precision(x, 8, bits.get(self.precision, 23)) for x in args))

            return jax.jit(rounded)

    assert Rounding(chosen.name, chosen.device).precisions == offered


@pytest.mark.parametrize(
    ("precision", "asked"), [("float32", "float32"), ("tf32", "TF32_TF32_F32"), ("bf16", "BF16_BF16_F32")]
)
def test_jax_is_asked_within_and_nothing_stays_set(precision, asked):
    jax = pytest.importorskip("jax")
    chosen, seen = replace(backend("jax:cpu"), precision=precision), []

    def step(carry, shared, row):
        seen.append(jax.config.jax_default_matmul_precision)
        return carry + row

    before = jax.config.jax_default_matmul_precision
    one, rows = (chosen.asarray(x) for x in (np.ones(2, np.float32), np.ones((3, 2), np.float32)))
    for run in (chosen.loop, chosen.plain_loop):
        np.testing.assert_array_equal(chosen.to_host(run(step)(one, [one], rows, lambda n: None)), [4, 4])
    with chosen.matmul_precision():
        step(one, one, one)
    assert set(seen) == {asked}
    assert jax.config.jax_default_matmul_precision == before


def torch_cuda(torch, precision):
    """PyTorch on a GPU that nothing is done with."""
    return replace(backend("torch:cpu"), device=torch.device("cuda:0"), precision=precision)


@pytest.mark.parametrize("others", ["none", "ieee", "tf32"])
@pytest.mark.parametrize(("precision", "asked"), [("float32", "ieee"), ("tf32", "tf32")])
def test_torch_is_asked_within_and_is_given_back_what_was_set(others, precision, asked):
    torch = pytest.importorskip("torch")
    matmul = torch.backends.cuda.matmul
    if not hasattr(matmul, "fp32_precision"):
        pytest.skip("PyTorch before 2.9")

    def function(x):
        if x is None:
            raise ValueError("no array")
        return matmul.fp32_precision

    compiled, before = torch_cuda(torch, precision).compile(function), matmul.fp32_precision
    try:
        matmul.fp32_precision = others
        assert compiled(1) == asked
        assert matmul.fp32_precision == others
        with pytest.raises(ValueError, match="no array"):
            compiled(None)
        assert matmul.fp32_precision == others
        assert replace(backend("torch:cpu"), precision=precision).compile(function)(1) == others
    finally:
        matmul.fp32_precision = before


@pytest.mark.parametrize(("precision", "asked"), [("float32", False), ("tf32", True)])
def test_torch_before_2_9_is_asked_by_another_name(monkeypatch, precision, asked):
    torch = pytest.importorskip("torch")
    matmul = SimpleNamespace(allow_tf32=not asked)
    monkeypatch.setattr(torch.backends.cuda, "matmul", matmul)
    assert torch_cuda(torch, precision).compile(lambda: matmul.allow_tf32)() is asked
    assert vars(matmul) == {"allow_tf32": not asked}


@pytest.mark.parametrize(
    ("cuda", "capability", "offered"),
    [("12.8", (8, 0), ("float32", "tf32")), ("12.8", (7, 5), ("float32",)), (None, (9, 4), ("float32",))],
)
def test_torch_offers_what_gpus_have(monkeypatch, cuda, capability, offered):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert torch_cuda(torch, "float32").precisions == offered
    assert backend("torch:cpu").precisions == ("float32",)


@pytest.mark.parametrize(
    ("capability", "is_hip", "offered"),
    [
        ("80", False, ("float32", "tf32", "bf16")),
        ("120", False, ("float32", "tf32", "bf16")),
        ("75", False, ("float32",)),
        ("90", True, ("float32",)),
    ],
)
def test_cupy_offers_what_gpus_have(monkeypatch, capability, is_hip, offered):
    fake = put_in_place(monkeypatch)
    monkeypatch.setattr(fake.cupy.cuda.runtime, "is_hip", is_hip)
    fake.cupy.cuda.Device.compute_capability = capability
    chosen = backend("cupy")
    assert chosen.precisions == offered
    if offered == ("float32",):
        with pytest.raises(
            BackendError, match="cupy on cuda:0 multiplies in float32 only; for bf16 choose cupy or jax"
        ):
            chosen.with_precision("bf16")


def test_cupy_offers_what_its_cublas_rounds_to(monkeypatch):
    """And bfloat16, for which anynet rounds."""
    put_in_place(monkeypatch)
    monkeypatch.setitem(MANTISSAS, ComputeType.CUBLAS_COMPUTE_32F_FAST_TF32, None)
    assert backend("cupy").precisions == ("float32", "bf16")
