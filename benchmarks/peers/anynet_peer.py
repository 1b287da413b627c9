"""anynet as a peer, on each of its backends."""

import math
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

import anynet as an
from anynet.backends import Backend
from anynet.compiler import launches
from anynet.core.ranks import Ranks
from anynet.data import Dataset, Normalization, Split
from anynet.data.sample_pass import Pass
from benchmarks.data import Data, Parameters, flat, like
from benchmarks.image_nets import SHAPE, Activation, Conv, Dense, Norm, Part, Pool, Skip
from benchmarks.peers.base import LeftOutError, Peer
from benchmarks.workloads import CLASSES, Workload

EAGER, SEPARATE = "eager", "separate"
COMPILERS = {"llvm": "llvmlite"}
"""Packages by the names of options."""
ACTIVATIONS: dict[str, an.Layer] = {"relu": an.ReLU(), "sigmoid": an.Sigmoid(), "gelu": an.GELU()}


class Anynet(Peer):
    """Training steps of anynet.

    Parameters
    ----------
    workload : Workload
    data : Data
    backend : str
        As for `anynet.backend`; after a plus, how steps are run. "numpy" is NumPy alone, "numpy+llvm" compiles
        from the first step on. "cupy" captures recorded steps; "cupy+separate" does too, with a kernel for each phase;
        "cupy+eager" runs steps without recording.
    ranks : Ranks, optional
        Processes that train together, on a share of every batch each. Default: this one trains alone.

    Raises
    ------
    LeftOutError
        If the backend cannot be used here.
    """

    def __init__(self, workload: Workload, data: Data, backend: str, ranks: Ranks | None = None) -> None:
        self.workload, self.data, self._ranks = workload, data, ranks
        backend, _, how = backend.partition("+")
        compiler = "" if how in (EAGER, SEPARATE) else how
        if compiler and find_spec(package := COMPILERS[compiler]) is None:
            raise LeftOutError(f"{package} is not installed")
        try:
            self.backend = an.backend(backend)
        except an.BackendError as error:
            raise LeftOutError(str(error)) from error
        if how == SEPARATE:
            self.backend = _separate(self.backend)
        if (target := self.backend.target) is not None:
            type(target).patience = 1 if compiler or backend != "numpy" else math.inf
        self.net, put = _net(workload), self.backend.asarray
        adam = workload.optimizer == "adam"
        sgd = an.SGD(workload.lr, momentum=workload.momentum, nesterov=workload.nesterov)
        optimizer = an.Adam(workload.lr) if adam else sgd
        images, one = Split(data.x, data.y), Split(data.x[:1], data.y[:1])
        self.ready = an.setup(
            self.net,
            Dataset("drawn", tuple(map(str, range(CLASSES))), images, one, one),
            optimizer,
            l2=workload.l2,
            batch_size=workload.batch_size,
            backend=self.backend,
            normalize="none",
            compile="off" if how == EAGER else "auto",
            memory_budget=2 * data.x.nbytes,
            ranks=ranks,
        )
        data = data.channels_last if workload.layers else data
        self.fixed = self.ready.fixed._replace(normalization=Normalization(put(data.scale), put(data.shift)))
        layout = self.net.layout
        named = dict(zip(self.net.parameters(), flat(data.parameters), strict=True))
        params = put(layout.join(named, like=np.zeros(layout.size, np.float32)))
        self.carry = self.ready.carry._replace(params=params)

    def train(self, order: NDArray[np.int64]) -> None:
        batches = Pass(self.ready.inputs.train, order, self.workload.batch_size)
        if (ranks := self._ranks) is not None:
            batches = batches.parts(lambda n: ranks.share(n).samples)
        rates = np.full(len(order) // self.workload.batch_size, self.workload.lr, np.float32)
        self.carry = self.ready.loop(self.carry, self.fixed, batches, self.backend.asarray(rates))
        self.backend.to_host(self.carry.step)  # waits for the device

    def parameters(self) -> Parameters:
        named = self.net.layout.split(self.backend.to_host(self.carry.params))
        return like(self.data.parameters, (named[name] for name in self.net.parameters()))

    def launches(self) -> int | None:
        """Return the launches, or calls, of the recorded step."""
        return launches(self.ready.loop.run)


def _separate(backend: Backend) -> Backend:
    """Return the backend with a kernel for each phase of a step."""
    if backend.name != "cupy":
        raise LeftOutError(f"{backend.name} joins no kernels; choose anynet-cupy+{SEPARATE}")
    from anynet.compiler.cuda import CudaTarget

    kind = type("Separate", (type(backend),), {"target": CudaTarget(join=False)})
    separate: Backend = kind(backend.name, backend.device)
    return separate


def _net(workload: Workload) -> an.Sequential:
    if workload.layers:
        return an.Sequential(*_images(workload.layers), input_shape=SHAPE)
    layers: list[an.Layer] = []
    for i, (n_in, n_out) in enumerate(zip(workload.widths, workload.hidden, strict=False)):
        own: list[an.Layer] = [an.Linear(n_in, n_out)]
        if workload.normalized:
            own.append(an.BatchNorm(n_out) if workload.batch_norm else an.LayerNorm(n_out))
        own.append(ACTIVATIONS[workload.activation])
        layers += [an.Residual(*own)] if workload.is_residual(i) else own
        if workload.dropout:
            layers.append(an.Dropout(workload.dropout))
    return an.Sequential(*layers, an.Linear(workload.widths[-2], workload.widths[-1]))


def _images(layers: tuple[Part, ...]) -> list[an.Layer]:
    made: list[an.Layer] = []
    for layer in layers:
        match layer:
            case Conv(channels, kernel, padding, bias):
                made.append(an.Conv2d(channels, kernel, padding=padding, bias=bias))
            case Norm():
                made.append(an.BatchNorm())
            case Activation(name):
                made.append(ACTIVATIONS[name])
            case Pool(size):
                made.append(an.MaxPool2d(size))
            case Skip(inner):
                made.append(an.Residual(*_images(inner)))
            case Dense(n_out):
                made += [an.Flatten(), an.Linear(n_out)]
    return made
