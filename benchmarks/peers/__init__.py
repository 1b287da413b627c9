"""The libraries that train, one file each, imported in the process that runs it and nowhere else."""

import pkgutil
from collections.abc import Callable
from functools import partial

from benchmarks.data import Data
from benchmarks.peers.base import LeftOutError, Peer
from benchmarks.workloads import Workload

YARDSTICK = "torch"
"""The peer whose throughput is 1."""

PEERS = {
    "torch": "torch_eager:TorchEager",
    "torch-dataloader": "torch_dataloader:TorchDataLoader",
    "torch-compile": "torch_compile:TorchCompile",
    "jax-step": "jax_step:JaxStep",
    "jax-scan": "jax_scan:JaxScan",
    "keras": "keras_fit:KerasFit",
    "sklearn": "sklearn_mlp:SklearnMLP",
    "thinc": "thinc_chain:ThincChain",
    "plain-numpy": "plain_numpy:PlainNumpy",
}
"""Module and class, by name."""

ANYNET = "anynet-"
"""Behind it stands a backend, and what it compiles with: anynet-numpy, anynet-numpy+numba, anynet-torch:cuda."""

DEFAULT = [*PEERS, *(ANYNET + backend for backend in ("numpy", "numpy+numba", "torch:cpu", "jax:cpu", "cupy"))]

HAND_WRITTEN = {"anynet-torch:cpu": "torch", "anynet-jax:cpu": "jax-scan"}
"""What anynet's backends are compared with, beside the yardstick."""


def find(name: str) -> Callable[[Workload, Data], Peer]:
    """The peer of this name, its library imported. Raises LeftOutError where that is not installed."""
    if name.startswith(ANYNET):
        from benchmarks.peers.anynet_peer import Anynet

        return partial(Anynet, backend=name.removeprefix(ANYNET))
    try:
        kind: type[Peer] = pkgutil.resolve_name(f"benchmarks.peers.{PEERS[name]}")
    except ModuleNotFoundError as error:
        raise LeftOutError(f"{error.name} is not installed") from None
    return kind
