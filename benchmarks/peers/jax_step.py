"""JAX with ``jit`` of one step."""

import jax
import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Data
from benchmarks.peers.jax_net import JaxPeer, step
from benchmarks.workloads import Workload


class JaxStep(JaxPeer):
    """One call per batch, with donated buffers."""

    def __init__(self, workload: Workload, data: Data, device: str = "cpu") -> None:
        super().__init__(workload, data, device)
        self.step = jax.jit(step(workload), donate_argnums=0)

    def train(self, order: NDArray[np.int64]) -> None:
        for index in order.reshape(-1, self.workload.batch_size):
            self.carry = self.step(self.carry, index, self.arrays)
        jax.block_until_ready(self.carry)
