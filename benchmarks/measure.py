"""Measuring one workload: first the losses, then the time."""

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from benchmarks import floor, reference, session
from benchmarks.data import SEED, Data
from benchmarks.environment import cores
from benchmarks.floor import Machine
from benchmarks.peers.base import LeftOutError
from benchmarks.results import Result, Timing
from benchmarks.worker import Worker
from benchmarks.workloads import Workload

CHECKED = 20
"""Steps after which a peer's loss is compared."""

AT_ONCE = max(2, cores() // 4)
"""Peers that do so side by side: some compile for long, on one core. More would only be in each other's way."""

LEAST = 3
"""Repeats, however short the time."""

PAUSE = 0.1
"""Seconds between two peers: the threads of the one before look out for work a little longer."""


def measure(
    workload: Workload,
    workers: Mapping[str, Worker],
    floor_worker: Worker,
    machine: Machine,
    repeats: int,
    say: Callable[[str], None],
    until: float = math.inf,
) -> Result:
    """Compare losses, then time epochs, a repeat of every peer in turn.

    workers: a process for each peer, by its name. floor_worker: one for the floor.
    say: takes a few words on what is going on.
    until: the time of ``time.monotonic`` after which no repeat begins but the least there are.
    """
    say(f"{workload.name}: how fast products are")
    lowest = floor_worker.call(floor.measure, workload, machine)
    say(f"{workload.name}: compiling, and comparing losses")
    expected, losses, left_out = compare(workload, workers)
    for name, loss in losses.items():
        difference = abs(loss / expected - 1)
        if not difference <= reference.TOLERANCE:  # NaN is no agreement either
            left_out[name] = (
                f"not timed, for it trains something else: its loss is {loss:.6f} where {expected:.6f} was expected, "
                f"a relative difference of {difference:.1e}"
            )
    seconds: dict[str, list[float]] = {name: [] for name in workers if name not in left_out}
    for repeat in range(repeats + 1):
        if repeat > LEAST and time.monotonic() > until:
            break
        say(f"{workload.name}: repeat {repeat} of {repeats}" if repeat else f"{workload.name}: warming up")
        order = order_of(workload, repeat)
        for name in np.random.default_rng([SEED, repeat]).permutation(list(seconds)).tolist():
            time.sleep(PAUSE)
            try:
                took = workers[name].call(session.time_epoch, order)
            except LeftOutError as why:
                left_out[name] = str(why)
                del seconds[name]
            else:
                seconds[name] += [took] if repeat else []
    timings = {name: Timing(losses[name], took, _launches(workers[name])) for name, took in seconds.items()}
    return Result(workload, lowest, expected, timings, left_out)


def compare(workload: Workload, workers: Mapping[str, Worker]) -> tuple[float, dict[str, float], dict[str, str]]:
    """Train for some steps.

    Returns the loss expected, and by peer the loss that it came to, or why it came to none.
    """
    order = order_of(workload, 0)[: CHECKED * workload.batch_size]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        trained = {name: pool.submit(w.call, session.begin, name, workload, order) for name, w in workers.items()}
        data = Data.draw(workload)
        expected = reference.loss(workload, data, reference.trained(workload, data, order))
    losses, left_out = {}, {}
    for name, parameters in trained.items():
        try:
            losses[name] = reference.loss(workload, data, parameters.result())
        except LeftOutError as why:
            left_out[name] = str(why)
    return expected, losses, left_out


def _launches(worker: Worker) -> int | None:
    try:
        found: int | None = worker.call(session.launches)
    except LeftOutError:  # which is no reason to lose what was timed
        return None
    return found


def order_of(workload: Workload, epoch: int) -> NDArray[np.int64]:
    """The order of an epoch's images."""
    return np.random.default_rng([SEED, epoch]).permutation(workload.images)
