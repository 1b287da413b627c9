"""Training step in JAX, written with ``jax.grad``, shared by both JAX peers."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.data import Data, Parameters
from benchmarks.peers.base import LeftOutError, Peer
from benchmarks.peers.jax_image_net import logits
from benchmarks.workloads import CLASSES, Workload

Tree = Any
ACTIVATIONS = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "gelu": jax.nn.gelu}


class Carry(NamedTuple):
    """Parameters, the optimizer's moments, and the number of steps."""

    params: Tree
    first: Tree
    second: Tree
    t: Array


class Arrays(NamedTuple):
    """Arrays that a step reads: uint8 images, labels, and the normalization."""

    x: Array
    y: Array
    scale: Array
    shift: Array


class JaxPeer(Peer):
    """Base class with all arrays on the device; subclasses define how steps are run.

    Parameters
    ----------
    workload, data
    device : {"cpu", "gpu", "cuda"}

    Raises
    ------
    LeftOutError
        If JAX has no such device.
    """

    def __init__(self, workload: Workload, data: Data, device: str = "cpu") -> None:
        if device == "cpu":
            jax.config.update("jax_platforms", "cpu")  # do not initialize a GPU
        try:
            here = jax.devices(device)[0]
        except RuntimeError as error:
            raise LeftOutError(f'jax has no device "{device}": {error}'.splitlines()[0]) from None
        self.workload, data = workload, data.channels_last if workload.layers else data
        self.arrays = Arrays(*(jax.device_put(a, here) for a in (data.x, data.y, data.scale, data.shift)))
        zeros = jax.tree.map(np.zeros_like, data.parameters)
        start = Carry(data.parameters, zeros, zeros, np.zeros((), np.float32))
        self.carry = jax.tree.map(lambda a: jnp.array(jax.device_put(a, here)), start)  # copies, which are donated

    def parameters(self) -> Parameters:
        layers: Parameters = jax.tree.map(np.array, self.carry.params)
        return layers


def step(workload: Workload) -> Callable[[Carry, Array, Arrays], Carry]:
    """Return ``step(carry, index, arrays)``, which trains on the images with these indices."""

    axis, kept = 0 if workload.batch_norm else 1, 1 - workload.dropout

    def features(params: Tree, x: Array, t: Array) -> Array:
        for i, layer in enumerate(params[:-1]):
            y = x @ layer["W"] + layer["b"]
            if workload.normalized:
                centered = y - y.mean(axis, keepdims=True)
                y = centered * jax.lax.rsqrt(y.var(axis, keepdims=True) + 1e-5) * layer["gamma"] + layer["beta"]
            y = ACTIVATIONS[workload.activation](y)
            x = x + y if workload.is_residual(i) else y
            if workload.dropout:
                key = jax.random.fold_in(jax.random.key(i), t.astype(int))
                x = jnp.where(jax.random.bernoulli(key, kept, x.shape), x / kept, 0)
        return x @ params[-1]["W"] + params[-1]["b"]

    def loss(params: Tree, x: Array, labels: Array, t: Array) -> Array:
        x = logits(workload.layers, params, x) if workload.layers else features(params, x, t)
        right = jax.nn.one_hot(labels, CLASSES)
        penalty = workload.l2 * sum((layer["W"] ** 2).sum() for layer in params if "W" in layer) if workload.l2 else 0.0
        return penalty - (right * jax.nn.log_softmax(x)).sum(1).mean()

    def step(carry: Carry, index: Array, arrays: Arrays) -> Carry:
        (params, first, second, t), tree_map = carry, jax.tree.map
        x = arrays.x[index].astype(jnp.float32) * arrays.scale + arrays.shift
        grads, t = jax.grad(loss)(params, x, arrays.y[index], t), t + 1
        if workload.optimizer == "adam":
            first = tree_map(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
            second = tree_map(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)
            m_hat, v_hat = 1 / (1 - 0.9**t), 1 / (1 - 0.999**t)
            direction = tree_map(lambda m, v: m * m_hat / (jnp.sqrt(v * v_hat) + 1e-8), first, second)
        elif workload.momentum:
            direction = first = tree_map(lambda m, g: workload.momentum * m + g, first, grads)
            if workload.nesterov:
                direction = tree_map(lambda m, g: g + workload.momentum * m, first, grads)
        else:
            direction = grads
        return Carry(tree_map(lambda p, d: p - workload.lr * d, params, direction), first, second, t)

    return step
