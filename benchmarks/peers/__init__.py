"""Peers: libraries that train the workloads, one file each, imported only in the process that runs them."""

import pkgutil
import re
from collections.abc import Callable, Sequence
from functools import partial

from anynet.backends import LIBRARIES
from anynet.core.checks import nearest
from benchmarks.data import Data
from benchmarks.peers.base import LeftOutError, Peer
from benchmarks.workloads import Workload

BASELINE = "torch"
"""Peer whose throughput is 1."""

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
"""Module and class by name."""

ON_DEVICES = ("torch", "torch-compile", "jax-step", "jax-scan")
"""Peers that take a device, as in torch:cuda and jax-scan:gpu. The default is the CPU."""

ANYNET = "anynet-"
"""Prefix of anynet's peers, followed by a backend and an option: anynet-numpy+llvm, anynet-torch:cuda+eager."""

DEFAULT = [*PEERS, *(ANYNET + backend for backend in ("numpy", "numpy+llvm", "torch:cpu", "jax:cpu", "cupy"))]

HAND_WRITTEN = {
    "anynet-torch:cpu": ("torch",),
    "anynet-jax:cpu": ("jax-scan", "jax-step"),
    "anynet-torch:cuda": ("torch:cuda",),
    "anynet-jax:cuda": ("jax-scan:cuda",),
}
"""Hand-written code that anynet's backends are compared with, in addition to the baseline: the first that was timed."""


def find(name: str) -> Callable[[Workload, Data], Peer]:
    """Return a peer's constructor, importing its library. Raises LeftOutError if it is not installed."""
    if name.startswith(ANYNET):
        from benchmarks.peers.anynet_peer import Anynet

        return partial(Anynet, backend=name.removeprefix(ANYNET))
    library, _, device = name.partition(":")
    try:
        kind: Callable[..., Peer] = pkgutil.resolve_name(f"benchmarks.peers.{PEERS[library]}")
    except ModuleNotFoundError as error:
        raise LeftOutError(f"{error.name} is not installed") from None
    return partial(kind, device=device) if device else kind


def check_names(names: Sequence[str]) -> Sequence[str]:
    """Return `names`. Raises ValueError for an unknown peer, or a device for a peer that takes none."""
    for name in names:
        is_anynet = name.startswith(ANYNET)
        library = re.split("[:+]" if is_anynet else ":", name.removeprefix(ANYNET))[0]
        if library not in (LIBRARIES if is_anynet else PEERS):
            raise ValueError(f'unknown peer "{name}"{nearest(name, DEFAULT)}')
        if not is_anynet and name != library and library not in ON_DEVICES:
            raise ValueError(f'peer "{name}": {library} takes no device; {", ".join(ON_DEVICES)} do')
    return names


def on_gpu(name: str) -> bool:
    """Return True if the named peer trains on a GPU."""
    device = name.partition("+")[0].partition(":")[2]
    return name.startswith(f"{ANYNET}cupy") or device.partition(":")[0] in ("cuda", "gpu")
