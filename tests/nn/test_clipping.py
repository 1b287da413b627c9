"""Clipping by the norm, held against PyTorch's ``clip_grad_norm_``."""

import numpy as np
import pytest
from numerical import assert_close

from anynet.nn.clipping import clip_by_norm

SIZES = {"short": 1e-3, "longer": 1.0, "long": 1e6, "nothing": 0.0}


@pytest.mark.parametrize("clip_norm", [0.1, 1, 50.0])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_pytorch_clips_the_same(xp, rng, clip_norm, size):
    torch = pytest.importorskip("torch")
    grads = size * rng.standard_normal((3, 40)) * np.asarray([[1.0], [7.0], [0.01]])
    clipped = xp.call(lambda grads: clip_by_norm(grads, clip_norm), grads)
    for row, ours in zip(grads, clipped, strict=True):
        parts = [torch.nn.Parameter(torch.zeros(n, dtype=torch.float64)) for n in (25, 15)]
        for part, grad in zip(parts, np.split(row, [25]), strict=True):
            part.grad = torch.tensor(grad)
        torch.nn.utils.clip_grad_norm_(parts, clip_norm)
        assert_close(ours, np.concatenate([part.grad.numpy() for part in parts]), xp.rtol)
        assert np.linalg.norm(ours) <= clip_norm * (1 + 1e-5)
    assert_close(xp.call(lambda grads: clip_by_norm(grads, clip_norm), grads[0]), clipped[0], xp.rtol)


def test_short_gradients_stay_bit_for_bit(xp, rng):
    grads = rng.standard_normal((2, 40)).astype("float32").astype("float64")
    np.testing.assert_array_equal(xp.call(lambda grads: clip_by_norm(grads, 1e3), grads), grads)
