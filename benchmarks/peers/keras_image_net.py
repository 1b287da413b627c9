"""Convolutional nets in Keras."""

from functools import partial
from typing import Any

import keras
from keras import layers

from benchmarks.image_nets import SHAPE, Activation, Conv, Dense, Norm, Part, Pool, Skip

ACTIVATIONS = {"gelu": partial(keras.activations.gelu, approximate=True), "relu": keras.activations.relu}


def image_net(parts: tuple[Part, ...], x: Any, penalty: Any) -> Any:
    """Return the logits for values of images with the colors of a pixel side by side."""
    channels, rows, columns = SHAPE
    return _run(parts, layers.Reshape((rows, columns, channels))(x), penalty)


def _run(parts: tuple[Part, ...], x: Any, penalty: Any) -> Any:
    for part in parts:
        match part:
            case Conv(channels, kernel, padding, bias):
                x = layers.Conv2D(channels, kernel, padding=padding, use_bias=bias, kernel_regularizer=penalty)(x)
            case Norm():
                x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
            case Activation(name):
                x = layers.Activation(ACTIVATIONS[name])(x)
            case Pool(size):
                x = layers.MaxPooling2D(size)(x)
            case Skip(inner):
                x = layers.Add()([x, _run(inner, x, penalty)])
            case Dense(n_out):
                x = layers.Dense(n_out, kernel_regularizer=penalty)(layers.Flatten()(x))
    return x
