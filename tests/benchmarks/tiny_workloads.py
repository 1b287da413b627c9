"""Workloads of every kind, small enough to train in milliseconds, and stand-ins for worker processes."""

from benchmarks import peer_process, reference
from benchmarks.data import Data
from benchmarks.floor import Floor
from benchmarks.image_nets import Activation, Conv, Dense, Norm, Pool, Skip
from benchmarks.workloads import Workload

TINY = [
    Workload(name="one layer", batch_size=8, lr=0.01, l2=0.01, images=40),
    Workload(name="sigmoid", hidden=(7, 6), activation="sigmoid", batch_size=8, lr=0.02, images=40),
    Workload(name="adam", hidden=(9,), batch_size=8, optimizer="adam", lr=1e-3, images=40),
    Workload(
        name="batch norm", hidden=(7, 6), batch_norm=True, batch_size=10, lr=0.01, momentum=0.8, l2=0.01, images=40
    ),
    Workload(
        name="layer norm",
        hidden=(7, 7, 6),
        activation="gelu",
        layer_norm=True,
        residual=True,
        batch_size=10,
        lr=0.01,
        images=40,
    ),
    Workload(
        name="images",
        layers=(
            *(Conv(4, 2, "valid", bias=True), Activation("gelu"), Conv(3), Pool(3), Norm(), Activation()),
            *(Skip((Conv(3), Norm(), Activation())), Pool(), Dense()),
        ),
        batch_size=4,
        lr=0.01,
        momentum=0.8,
        nesterov=True,
        l2=0.01,
        images=12,
    ),
    Workload(name="dropout", hidden=(9, 9), activation="gelu", dropout=0.2, batch_size=8, lr=0.002, images=40),
]


class Stub:
    """Stand-in for a worker: trains as the reference does, applies ``change``, and reports ``seconds`` per epoch."""

    def __init__(self, change=lambda parameters: parameters, seconds=1.0, launches=None):
        self.change, self.seconds, self.launches = change, seconds, launches
        self.timed = 0

    def call(self, function, *args):
        if function is peer_process.begin:
            _, workload, order = args
            return self.change(reference.trained(workload, Data.draw(workload), order))
        if function is peer_process.launches:
            if isinstance(self.launches, Exception):
                raise self.launches
            return self.launches
        self.timed += function is peer_process.time_epoch
        return self.seconds


class FloorStub:
    """Stand-in for the worker that measures the floor."""

    def call(self, function, workload, machine):
        return Floor(peak=0.001, shapes=0.002, memory=0.0005)


class InProcess:
    """Stand-in for a worker: calls functions in this process."""

    def __init__(self, threads):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def call(self, function, *args):
        return function(*args)
