"""What NVRTC compiles in the first epoch of a training, as the emulator counts it."""

import numpy as np
import pytest
from fake_cupy import Fake, put_in_place


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    return put_in_place(monkeypatch, limit=1 << 30)


KERNELS = {
    "equal layouts": (1, lambda xp, x: (x + x, x[1:] + x[1:])),
    "another function": (2, lambda xp, x: (x + x, x - x)),
    "another layout": (2, lambda xp, x: (x + x, x[:, 1:] + x[:, 1:])),
    "broadcast": (2, lambda xp, x: (x + x, x + x[0])),
    "another dtype": (3, lambda xp, x: (x + x, (y := x.astype("float64")) + y)),
    "reductions": (2, lambda xp, x: (xp.sum(x, 0), xp.max(x, 0), xp.sum(x[:2], 0))),
    "views": (0, lambda xp, x: (x.T, x.reshape(-1), x[1:, None], xp.broadcast_to(x, (2, *x.shape)))),
    "a reshape that copies": (1, lambda xp, x: x.T.reshape(-1)),
    "copies of memory": (0, lambda xp, x: (x.copy(), xp.copyto(xp.empty_like(x), x))),
    "a copy of a part": (1, lambda xp, x: x[:, 1:].copy()),
    "zeros": (0, lambda xp, x: (xp.zeros(3), xp.zeros_like(x), xp.full(3, 0.0), x.fill(0))),
    "other numbers": (2, lambda xp, x: (xp.ones(3, "float32"), xp.full((2, 3), 5.0, "float32"), xp.full(3, 5))),
    "products": (0, lambda xp, x: x @ x.T),
    "parts": (1, lambda xp, x: (xp.concatenate([x, x]), xp.stack([x, x]))),
    "many parts": (1, lambda xp, x: xp.concatenate([x] * 9)),
}
"""Number of kernels that CuPy compiles for some calls."""


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_of_cupy_are_counted_once_for_each_function_dtype_and_layout(fake, name):
    n, calls = KERNELS[name]
    x = fake.cupy.array(np.ones((4, 4), np.float32))
    before = len(fake.compilations.kernels)
    calls(fake.cupy, x)
    assert fake.compilations.kernels[before:] == fake.compilations.kernels[:n]


def test_equal_sources_are_counted_once(fake):
    for k in (1, 2, 1):
        fake.cupy.RawModule(code=f'extern "C" __global__ void f(int* x) {{ *x = {k}; }}').get_function("f")
    assert len(fake.compilations.modules) == 2
