"""Keras's ``fit`` on its JAX backend, the fastest on the CPU."""

import jax
import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from benchmarks.data import Data, Parameters, flat, like
from benchmarks.peers.base import Peer
from benchmarks.workloads import PIXELS, Workload

jax.config.update("jax_platforms", "cpu")


class KerasFit(Peer):
    """``fit`` without shuffling on images copied in the given order; the first layer normalizes."""

    def __init__(self, workload: Workload, data: Data) -> None:
        keras.backend.clear_session()
        self.workload, self.data = workload, data
        mean, variance = -data.shift / data.scale, data.scale**-2
        self.model = keras.Sequential([keras.Input((PIXELS,), dtype="uint8"), layers.Normalization(-1, mean, variance)])
        penalty = keras.regularizers.L2(workload.l2) if workload.l2 else None
        for i, start in enumerate(data.parameters):
            self.model.add(layers.Dense(len(start["b"]), kernel_regularizer=penalty))
            if "gamma" in start:
                self.model.add(layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
            if i < len(workload.hidden):
                self.model.add(layers.Activation(workload.activation))
        for variable, array in zip(self.model.trainable_variables, flat(data.parameters), strict=True):
            variable.assign(array)
        self.model.compile(
            keras.optimizers.Adam(workload.lr, epsilon=1e-8)
            if workload.optimizer == "adam"
            else keras.optimizers.SGD(workload.lr, workload.momentum),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=True,
            steps_per_execution=50,  # fewer calls from Python
        )

    def train(self, order: NDArray[np.int64]) -> None:
        images, labels = self.data.x[order], self.data.y[order]
        self.model.fit(images, labels, batch_size=self.workload.batch_size, shuffle=False, verbose=0)

    def parameters(self) -> Parameters:
        return like(self.data.parameters, (variable.numpy() for variable in self.model.trainable_variables))
