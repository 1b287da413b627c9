"""Workloads of every kind, small enough to be trained at once, and stand-ins for processes."""

from benchmarks import reference, session
from benchmarks.data import Data
from benchmarks.floor import Floor
from benchmarks.workloads import Workload

TINY = [
    Workload(name="one layer", batch_size=8, lr=0.01, l2=0.01, images=40),
    Workload(name="sigmoid", hidden=(7, 6), activation="sigmoid", batch_size=8, lr=0.02, images=40),
    Workload(name="adam", hidden=(9,), batch_size=8, optimizer="adam", lr=1e-3, images=40),
    Workload(
        name="batch norm", hidden=(7, 6), batch_norm=True, batch_size=10, lr=0.01, momentum=0.8, l2=0.01, images=40
    ),
]


class Stub:
    """In the place of a worker: trains as the reference does, then changes what comes out, and takes ``seconds``."""

    def __init__(self, change=lambda parameters: parameters, seconds=1.0, launches=None):
        self.change, self.seconds, self.launches = change, seconds, launches
        self.timed = 0

    def call(self, function, *args):
        if function is session.begin:
            _, workload, order = args
            return self.change(reference.trained(workload, Data.draw(workload), order))
        if function is session.launches:
            if isinstance(self.launches, Exception):
                raise self.launches
            return self.launches
        self.timed += function is session.time_epoch
        return self.seconds


class FloorStub:
    """In the place of the worker that measures the floor."""

    def call(self, function, workload, machine):
        return Floor(peak=0.001, shapes=0.002, memory=0.0005)
