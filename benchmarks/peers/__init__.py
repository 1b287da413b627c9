"""The libraries that train, one file each, imported in the process that runs it and nowhere else."""

import pkgutil
import re
from collections.abc import Callable, Sequence
from functools import partial

from anynet.backends import LIBRARIES
from anynet.core.checks import nearest
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

ON_DEVICES = ("torch", "torch-compile", "jax-step", "jax-scan")
"""Those of them that take a device: torch:cuda, jax-scan:gpu. Without one they are on the CPU."""

ANYNET = "anynet-"
"""Behind it stands a backend, and how it runs steps: anynet-numpy, anynet-numpy+numba, anynet-torch:cuda+eager."""

DEFAULT = [*PEERS, *(ANYNET + backend for backend in ("numpy", "numpy+numba", "torch:cpu", "jax:cpu", "cupy"))]

HAND_WRITTEN = {
    "anynet-torch:cpu": "torch",
    "anynet-jax:cpu": "jax-scan",
    "anynet-torch:cuda": "torch:cuda",
    "anynet-jax:cuda": "jax-scan:cuda",
}
"""What anynet's backends are compared with, beside the yardstick."""


def find(name: str) -> Callable[[Workload, Data], Peer]:
    """The peer of this name, its library imported. Raises LeftOutError where that is not installed."""
    if name.startswith(ANYNET):
        from benchmarks.peers.anynet_peer import Anynet

        return partial(Anynet, backend=name.removeprefix(ANYNET))
    library, _, device = name.partition(":")
    try:
        kind: Callable[..., Peer] = pkgutil.resolve_name(f"benchmarks.peers.{PEERS[library]}")
    except ModuleNotFoundError as error:
        raise LeftOutError(f"{error.name} is not installed") from None
    return partial(kind, device=device) if device else kind


def known(names: Sequence[str]) -> Sequence[str]:
    """The names again. Raises ValueError for one that there is not."""
    for name in names:
        ours = name.startswith(ANYNET)
        library = re.split("[:+]" if ours else ":", name.removeprefix(ANYNET))[0]
        if library not in (LIBRARIES if ours else PEERS):
            raise ValueError(f'there is no peer "{name}"{nearest(name, DEFAULT)}')
        if not ours and name != library and library not in ON_DEVICES:
            raise ValueError(f'the peer "{library}" takes no device, which {name} names; {", ".join(ON_DEVICES)} do')
    return names


def on_gpu(name: str) -> bool:
    """Whether the peer of this name trains on a GPU."""
    device = name.partition("+")[0].partition(":")[2]
    return name.startswith(f"{ANYNET}cupy") or device.partition(":")[0] in ("cuda", "gpu")
