"""NumPy's numbers as settings: layers, losses and initializers are those with Python's numbers, and keep float32."""

from dataclasses import fields

import numpy as np
import pytest

from anynet import (
    ELU,
    BatchNorm,
    Conv2d,
    Dropout,
    GroupNorm,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool2d,
    PatchWhitening,
    Scale,
)
from anynet.core.random import key
from anynet.nn.flatten_images import FlattenImages
from anynet.nn.initializers import Constant, Normal, Uniform
from anynet.nn.losses import CrossEntropy, Huber
from anynet.nn.net_json import INITIALIZERS, LAYERS

SETTINGS = {
    BatchNorm: {"n": 4, "momentum": 0.25, "eps": 0.5},
    Conv2d: {"n_out": 2, "kernel": (1, 3), "stride": 2, "padding": 1, "groups": 2, "n_in": 4, "image": (1, 5)},
    Constant: {"value": 0.5},
    CrossEntropy: {"label_smoothing": 0.25, "class_weights": (0.5, 2.0, 1.0, 4.0)},
    Dropout: {"p": 0.25},
    ELU: {"alpha": 0.5},
    FlattenImages: {"n_in": 4, "image": (1, 5)},
    GroupNorm: {"groups": 2, "n": 4, "eps": 0.5},
    Huber: {"delta": 0.5},
    LayerNorm: {"n": 4, "eps": 0.5},
    LeakyReLU: {"slope": 0.25},
    Linear: {"n_in": 4, "n_out": 3},
    MaxPool2d: {"kernel": (1, 2), "stride": 1, "padding": (0, 1), "image": (1, 5)},
    Normal: {"std": 0.5},
    PatchWhitening: {"kernel": (1, 2), "eps": 0.5, "n_in": 4, "image": (1, 5)},
    Scale: {"n": 4, "value": 0.5},
    Uniform: {"gain": 0.5},
}
"""Settings that float32 has exactly."""


def as_numpy(value, real):
    if isinstance(value, tuple):
        return tuple(as_numpy(each, real) for each in value)
    return np.int64(value) if isinstance(value, int) else real(value)


def results(made):
    """Arrays that a layer, a loss or an initializer returns for arguments of float32."""
    rng = np.random.default_rng(3)
    x, dy = rng.standard_normal((2, 5, 4), "float32")
    if isinstance(made, Layer):
        params, state = (
            {name: p.init(rng, p.shape).astype("float32") for name, p in arrays.items()}
            for arrays in (made.parameters(), made.state())
        )
        own_rng = {"rng": key(1)} if made.uses_rng else {}
        y, cache, state = made.forward(params, state, x, train=True, **own_rng)
        dx, grads = made.backward(params, cache, np.resize(dy, y.shape))
        return [y, dx, *grads.values(), *state.values()]
    if isinstance(made, CrossEntropy | Huber):
        return made(x, np.asarray([0, 1, 2, 3, 0]) if isinstance(made, CrossEntropy) else dy)
    return [made(rng, (2, 3)).astype("float32")]


def test_every_class_with_numbers_is_here():
    classes = (*LAYERS.values(), *INITIALIZERS.values())
    assert {kind for kind in classes if any(f.type in (int, float) for f in fields(kind))} <= SETTINGS.keys()


@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize("kind", SETTINGS)
def test_numpy_numbers_are_as_good(kind, real):
    settings = SETTINGS[kind]
    expected, found = kind(**settings), kind(**{name: as_numpy(value, real) for name, value in settings.items()})
    assert found == expected
    assert repr(found) == repr(expected)
    for one, other in zip(results(found), results(expected), strict=True):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, other)
