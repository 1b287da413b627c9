"""Nets of every kind with drawn parameters and statistics, as if they had been trained, and samples for them."""

from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace
from images_of_layers import IMAGE, layers_of_images

import anynet as an
from anynet.backends import backend
from anynet.data.normalization import Normalization
from anynet.nn import nets
from anynet.nn.initializers import Ones
from anynet.nn.perceptron import perceptron
from anynet.training.predictor import Predictor
from anynet.training.trained_net import TrainedNet

SMALL, USUAL = (3, *IMAGE), (3, 32, 32)
FEATURES = {
    "LeakyReLU": an.LeakyReLU(0.1),
    "ELU": an.ELU(0.7),
    "GELU": an.GELU(),
    "exact GELU": an.GELU("none"),
    "SiLU": an.SiLU(),
    "Hardswish": an.Hardswish(),
    "Softplus": an.Softplus(),
    "Softsign": an.Softsign(),
    "Sigmoid": an.Sigmoid(),
    "Tanh": an.Tanh(),
    "Scale": an.Scale(),
    "BatchNorm": an.BatchNorm(),
    "LayerNorm": an.LayerNorm(eps=0.1),
    "GroupNorm": an.GroupNorm(2, eps=0.1),
    "Dropout": an.Dropout(),
    "Residual": an.Residual(an.Linear(4), an.Tanh(), an.Linear(8)),
    "Residual with a shortcut": an.Residual(an.Linear(4), an.Tanh(), shortcut=an.Linear(4)),
    "Sequential": an.Sequential(an.Linear(4), an.Sequential(an.Linear(3), an.Tanh())),
}
"""Layers between two linear ones."""

PER_FEATURE = ("BatchNorm", "LayerNorm", "GroupNorm", "Scale")

OF_FEATURES = {
    name: an.Sequential(an.Linear(8), layer, an.Linear(3), input_shape=6) for name, layer in FEATURES.items()
}
OF_IMAGES = {
    **{name: (an.Conv2d(4), layer) for name, layer in layers_of_images(4, 6).items()},
    **{
        f"{name} of pixels": (an.Conv2d(8), FEATURES[name]) for name in ("BatchNorm", "LayerNorm", "GroupNorm", "Scale")
    },
    "far padding": (an.Conv2d(4), an.MaxPool2d((2, 3), padding=(1, 0, 2, 1)), an.AvgPool2d(2, stride=1, padding=1)),
    "PatchWhitening": (an.PatchWhitening(2), an.GELU()),
    "layers between Flatten and Linear": (an.Conv2d(2), an.Flatten(), an.BatchNorm(), an.Scale(), an.LayerNorm()),
    "an order that must stay": (an.Conv2d(2), an.Flatten(), an.GroupNorm(4)),
    "Flatten first": (an.Flatten(), an.Linear(5), an.ReLU()),
    "Flatten in a net": (an.Sequential(an.Conv2d(2, stride=2), an.Sequential(an.Flatten(), an.ReLU())),),
}


def _ending(layers):
    """Layers of a net, with what makes features of images and a linear layer at its end."""
    image = an.Sequential(*layers, input_shape=SMALL)
    flat = [] if image.image_out(image.image) is None else [an.Flatten()]
    return an.Sequential(*layers, *flat, an.Linear(3), input_shape=SMALL)


LAYERS = {**OF_FEATURES, **{name: _ending(layers) for name, layers in OF_IMAGES.items()}}

KINDS = {
    "perceptron": perceptron(3072, (20, 10), 10),
    "batch norm": perceptron(3072, (20, 10), 10, norm="batch", activation="leaky-relu"),
    "layer norm, dropout": perceptron(3072, (20, 10), 10, norm="layer", activation="gelu", dropout=0.3),
    "rows of images": an.Sequential(an.Flatten(USUAL), an.Linear(20), an.ReLU(), an.Linear(10)),
    "residual": an.Sequential(
        *(an.Linear(3072, 16), an.Residual(an.LayerNorm(), an.Linear(24), an.GELU(), an.Dropout(0.1), an.Linear(16))),
        *(an.Residual(an.Linear(16), an.Tanh(), an.Linear(8), shortcut=an.Linear(8)), an.ReLU(), an.Linear(10)),
    ),
    "lenet": nets.lenet(USUAL, 10),
    "resnet9": nets.resnet9(USUAL, 10, width=1 / 16),
    "resnet18": nets.resnet18(USUAL, 10, width=1 / 16),
    "airbench94": nets.airbench94(USUAL, 10, width=1 / 16),
}
"""The kinds of nets that presets train."""


def trained(net, shape, *, input_dtype="uint8", classes=None, dtype="float32", seed=1, **settings):
    """Return a predictor with drawn parameters, statistics and normalization."""
    rng = np.random.default_rng(seed)
    params, state = net.init(seed, like=np.zeros(1, dtype))
    params = params + rng.normal(scale=0.1, size=params.shape).astype(dtype)
    for name, array in state.items():
        if not name.endswith("kernel"):
            drawn = rng.uniform(0.5, 2, array.shape) if name.endswith("var") else rng.normal(size=array.shape)
            state[name] = drawn.astype(dtype)
    values = int(np.prod(shape))
    scale = rng.uniform(0.01, 0.02, values) if input_dtype == "uint8" else rng.uniform(0.5, 2, values)
    normalization = Normalization(*(each.astype(dtype) for each in (scale, rng.normal(size=values))))
    classes = tuple(f"class {k}" for k in range(net.n_out)) if classes is None else classes
    one = TrainedNet(net, params, state, normalization)
    given = (shape, input_dtype, classes, "noise", dtype, backend("numpy"))
    return Predictor((one,), *given, **{"compile": "off"} | settings)


def samples(predictor, n, seed=2):
    """Return samples as a net was trained on."""
    rng = np.random.default_rng(seed)
    if predictor.input_dtype == "uint8":
        return rng.integers(0, 256, (n, *predictor.shape), np.uint8)
    return rng.normal(size=(n, *predictor.shape)).astype(predictor.dtype)


def of_layer(name):
    """Return a predictor for one of `LAYERS`."""
    return trained(LAYERS[name], SMALL if name in OF_IMAGES else (6,), input_dtype="float")


@dataclass(frozen=True)
class Wave(an.Layer):
    """A layer of a user, with a parameter and state: ``s |x| + mean``, and the mean of a sample's features."""

    n: int

    def features(self):
        return self.n, self.n

    def parameters(self):
        return {"s": an.Parameter((self.n,), Ones())}

    def state(self):
        return {"mean": an.Parameter((self.n,), Ones())}

    def forward(self, params, state, x, *, train):
        xp = array_namespace(x)
        y = params["s"][..., None, :] * xp.abs(x) + xp.mean(x, axis=-1, keepdims=True)
        if train:
            state = {"mean": 0.5 * state["mean"] + 0.5 * xp.mean(x, axis=-2)}
        return y + state["mean"][..., None, :], x, state


@dataclass(frozen=True)
class Halved(an.ImageLayer):
    """A layer of images of a user: every other row and column, as in docs/extending.md."""

    def size_out(self):
        return tuple((size + 1) // 2 for size in self.size_in())

    def forward(self, params, state, x, *, train):
        xp, channels = array_namespace(x), x.shape[-1]
        images = xp.reshape(x, (*x.shape[:-2], -1, *self.size_in(), channels))
        return xp.reshape(images[..., ::2, ::2, :], (*x.shape[:-2], -1, channels)), None, state


@dataclass(frozen=True)
class Noise(an.Layer):
    """A layer of a user that draws random numbers of its own."""

    def forward(self, params, state, x, *, train):
        return x + float(np.random.default_rng().random()), None, state


@dataclass(frozen=True)
class Gate(an.Layer):
    """A layer of a user that reads a number from an array."""

    def forward(self, params, state, x, *, train):
        return (x if float(array_namespace(x).max(x)) > 0 else -x), None, state
