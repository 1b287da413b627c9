"""Measure one workload: compare losses, then time epochs."""

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from benchmarks import floor, peer_process, reference
from benchmarks.data import SEED, Data, Parameters
from benchmarks.environment import cores
from benchmarks.floor import Machine
from benchmarks.peers.base import LeftOutError
from benchmarks.results import Result, Timing
from benchmarks.worker import Worker
from benchmarks.workloads import Workload

CHECKED_STEPS = 20
"""Training steps before a peer's loss is compared."""

CHECKED_IMAGE_STEPS = 2
"""The same for convolutional nets, whose steps in float64 take seconds."""

PARALLEL_CHECKS = max(2, cores() // 4)
"""Peers that are checked in parallel: some compile for a long time on one core."""

MIN_REPEATS = 3
"""Least number of repeats, whatever the time limit."""

PAUSE = 0.1
"""Seconds between two peers, because the previous one's threads spin for a while."""


def measure(
    workload: Workload,
    workers: Mapping[str, Worker],
    floor_worker: Worker,
    machine: Machine,
    repeats: int,
    say: Callable[[str], None],
    until: float = math.inf,
) -> Result:
    """Compare losses, then time epochs; the peers take turns, in a random order at each repeat.

    Parameters
    ----------
    workload : Workload
    workers : mapping of str to Worker
        A process for each peer.
    floor_worker : Worker
        Process that measures matrix products.
    machine : Machine
    repeats : int
        Timed epochs.
    say : callable
        Function that shows a progress message.
    until : float
        Deadline, as a value of ``time.monotonic``, after which only the first `MIN_REPEATS` repeats begin.

    Returns
    -------
    Result
    """
    say(f"{workload.name}: timing matrix products")
    bounds = floor_worker.call(floor.measure, workload, machine)
    say(f"{workload.name}: compiling, and comparing losses")
    expected, losses, left_out = compare(workload, workers)
    for name, loss in losses.items():
        difference = abs(loss / expected - 1)
        if not difference <= reference.TOLERANCE:  # also true for NaN
            left_out[name] = (
                f"not timed, wrong loss: expected {expected:.6f}, got {loss:.6f}, relative difference {difference:.1e}"
            )
    if workload.dropout:  # the losses were those without it
        left_out |= begin_all(workload, {name: w for name, w in workers.items() if name not in left_out})[1]
    seconds: dict[str, list[float]] = {name: [] for name in workers if name not in left_out}
    for repeat in range(repeats + 1):
        if repeat > MIN_REPEATS and time.monotonic() > until:
            break
        say(f"{workload.name}: repeat {repeat} of {repeats}" if repeat else f"{workload.name}: warming up")
        order = order_of(workload, repeat)
        for name in np.random.default_rng([SEED, repeat]).permutation(list(seconds)).tolist():
            time.sleep(PAUSE)
            try:
                took = workers[name].call(peer_process.time_epoch, order)
            except LeftOutError as reason:
                left_out[name] = str(reason)
                del seconds[name]
            else:
                seconds[name] += [took] if repeat else []
    timings = {name: Timing(losses[name], took, _launches(workers[name])) for name, took in seconds.items()}
    return Result(workload, bounds, expected, timings, left_out)


def compare(workload: Workload, workers: Mapping[str, Worker]) -> tuple[float, dict[str, float], dict[str, str]]:
    """Train all peers for `CHECKED_STEPS` steps, without dropout, whose random numbers differ.

    Returns
    -------
    expected : float
        Loss of the reference.
    losses : dict of str to float
        Loss of each peer.
    left_out : dict of str to str
        Reason for each peer that has no loss.
    """
    workload, data = workload.deterministic, Data.draw(workload)
    trained, left_out = begin_all(workload, workers)
    expected = reference.loss(workload, data, reference.trained(workload, data, checked(workload)))
    return expected, {name: reference.loss(workload, data, each) for name, each in trained.items()}, left_out


def begin_all(workload: Workload, workers: Mapping[str, Worker]) -> tuple[dict[str, Parameters], dict[str, str]]:
    """Create all peers and train them for `CHECKED_STEPS` steps.

    Returns
    -------
    trained : dict of str to list of dict
        Parameters of each peer.
    left_out : dict of str to str
        Reason for each peer that has none.
    """
    order, trained, left_out = checked(workload), {}, {}
    with ThreadPoolExecutor(PARALLEL_CHECKS) as pool:
        begun = {name: pool.submit(w.call, peer_process.begin, name, workload, order) for name, w in workers.items()}
    for name, parameters in begun.items():
        try:
            trained[name] = parameters.result()
        except LeftOutError as reason:
            left_out[name] = str(reason)
    return trained, left_out


def checked(workload: Workload) -> NDArray[np.int64]:
    """Return the order of the images of the first steps."""
    steps = CHECKED_IMAGE_STEPS if workload.layers else CHECKED_STEPS
    return order_of(workload, 0)[: steps * workload.batch_size]


def _launches(worker: Worker) -> int | None:
    try:
        found: int | None = worker.call(peer_process.launches)
    except LeftOutError:  # keep the timings
        return None
    return found


def order_of(workload: Workload, epoch: int) -> NDArray[np.int64]:
    """Return the order of an epoch's images."""
    return np.random.default_rng([SEED, epoch]).permutation(workload.images)
