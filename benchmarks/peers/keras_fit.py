"""Keras's ``fit`` on its JAX backend, the fastest on the CPU."""

from functools import partial
from typing import Any

import jax
import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from benchmarks.data import Data, Parameters, flat, like
from benchmarks.peers.base import Peer
from benchmarks.peers.keras_image_net import image_net
from benchmarks.workloads import CLASSES, PIXELS, Workload

jax.config.update("jax_platforms", "cpu")

ACTIVATIONS = {"gelu": partial(keras.activations.gelu, approximate=True)}


class KerasFit(Peer):
    """``fit`` without shuffling on images copied in the given order; the first layer normalizes."""

    def __init__(self, workload: Workload, data: Data) -> None:
        keras.backend.clear_session()
        data = data.channels_last if workload.layers else data
        self.workload, self.data = workload, data
        mean, variance = -data.shift / data.scale, data.scale**-2
        images = keras.Input((PIXELS,), dtype="uint8")
        penalty = keras.regularizers.L2(workload.l2) if workload.l2 else None
        x = layers.Normalization(-1, mean, variance)(images)
        logits = image_net(workload.layers, x, penalty) if workload.layers else self._features(x, penalty)
        self.model = keras.Model(images, logits)
        for variable, array in zip(self.model.trainable_variables, flat(data.parameters), strict=True):
            variable.assign(array)
        self.model.compile(
            keras.optimizers.Adam(workload.lr, epsilon=1e-8)
            if workload.optimizer == "adam"
            else keras.optimizers.SGD(workload.lr, workload.momentum, workload.nesterov),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=True,
            steps_per_execution=50,  # fewer calls from Python
        )

    def _features(self, x: Any, penalty: Any) -> Any:
        workload = self.workload
        for i, n_out in enumerate(workload.hidden):
            y = layers.Dense(n_out, kernel_regularizer=penalty)(x)
            if workload.batch_norm:
                y = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(y)
            if workload.layer_norm:
                y = layers.LayerNormalization(epsilon=1e-5)(y)
            y = layers.Activation(ACTIVATIONS.get(workload.activation, workload.activation))(y)
            x = layers.Add()([x, y]) if workload.is_residual(i) else y
            if workload.dropout:
                x = layers.Dropout(workload.dropout)(x)
        return layers.Dense(CLASSES, kernel_regularizer=penalty)(x)

    def train(self, order: NDArray[np.int64]) -> None:
        images, labels = self.data.x[order], self.data.y[order]
        self.model.fit(images, labels, batch_size=self.workload.batch_size, shuffle=False, verbose=0)

    def parameters(self) -> Parameters:
        return like(self.data.parameters, (variable.numpy() for variable in self.model.trainable_variables))
