"""Reference loss after some training steps, in float64; peers must match it before they are timed.

It is computed by plain NumPy, that of convolutional nets by PyTorch.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Data, Parameters
from benchmarks.peers.plain_numpy import PlainNumpy
from benchmarks.workloads import Workload

TOLERANCE = 1e-4
"""Relative tolerance of the loss. Peers compute in float32 and sum in different orders."""

IMAGES = 1000
"""The loss is the mean over the first `IMAGES` images, as one batch."""


def trained(workload: Workload, data: Data, order: NDArray[np.int64]) -> Parameters:
    """Return the parameters, in float64, after training on the images in this order."""
    if workload.layers:
        from benchmarks.peers.torch_double import TorchDouble  # here, for other nets need no PyTorch

        images = TorchDouble(workload, data)
        images.train(order)
        return images.parameters()
    net = PlainNumpy(workload, data.astype(np.float64))
    net.train(order)
    return net.parameters()


def loss(workload: Workload, data: Data, parameters: Parameters) -> float:
    """Return the mean cross-entropy without the penalty, computed in float64."""
    pairs = zip(data.parameters, parameters, strict=True)  # JAX returns the names of a layer in another order
    data = replace(data, parameters=[{name: layer[name] for name in own} for own, layer in pairs])
    if workload.layers:
        from benchmarks.peers.torch_double import TorchDouble

        logits = TorchDouble(workload, data).logits(IMAGES // 10)
    else:
        net = PlainNumpy(workload, data.astype(np.float64))
        logits, _ = net.forward(data.x[:IMAGES])
    labels = data.y[: len(logits)]
    shifted = logits - logits.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]))
