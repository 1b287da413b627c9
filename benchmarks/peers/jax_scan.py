"""JAX with an epoch as one ``lax.scan``."""

import jax
import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Data
from benchmarks.peers.base import LeftOutError
from benchmarks.peers.jax_net import Arrays, Carry, JaxPeer, step
from benchmarks.workloads import Workload


class JaxScan(JaxPeer):
    """One call per epoch; batches are gathered inside.

    Raises
    ------
    LeftOutError
        For convolutional nets on the CPU.
    """

    def __init__(self, workload: Workload, data: Data, device: str = "cpu") -> None:
        if workload.layers and device == "cpu":
            raise LeftOutError("XLA has no fast gradients of convolutions in a scan on the CPU; jax-step is faster")
        super().__init__(workload, data, device)
        one = step(workload)

        def epoch(carry: Carry, indices: jax.Array, arrays: Arrays) -> Carry:
            last: Carry = jax.lax.scan(lambda carry, index: (one(carry, index, arrays), None), carry, indices)[0]
            return last

        self.epoch = jax.jit(epoch, donate_argnums=0)

    def train(self, order: NDArray[np.int64]) -> None:
        self.carry = self.epoch(self.carry, order.reshape(-1, self.workload.batch_size), self.arrays)
        jax.block_until_ready(self.carry)
