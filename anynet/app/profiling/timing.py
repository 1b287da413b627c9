"""Timing every operation of a training step."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from anynet.app.experiment import Experiment
from anynet.app.profiling.parts import (
    LOAD,
    LOSS,
    UPDATE,
    Label,
    Part,
    label_others,
    labeled_loss,
    labeled_net,
    names,
    shares,
)
from anynet.app.profiling.profile_result import Profile
from anynet.app.profiling.runners import Job, Row, Runner, one_by_one, recorded
from anynet.backends import Backend
from anynet.compiler import Call, Graph, Loop, Step, Target, execution, trace
from anynet.core.tree import flatten
from anynet.nn.losses import softmax_cross_entropy
from anynet.training import Setup, setup

STEPS, ROUNDS = 10, 10
"""Steps per round, and rounds: the fastest of short rounds, and of calls, ignores other work of the machine."""


def profile(experiment: Experiment, clock: Callable[[], float] = time.perf_counter) -> Profile:
    """Time a hundred training steps as training runs them, and a hundred more operation by operation.

    If training records steps, the operations are the calls that it makes. Otherwise each operation of the step is timed
    by itself.

    Parameters
    ----------
    experiment : Experiment
    clock : callable, optional
        Returns the time in seconds.

    Returns
    -------
    Profile

    Raises
    ------
    ValueError
        If the images do not fit the memory budget.
    UntraceableError
        If the step cannot be recorded, because a layer reads numbers or draws them itself.
    CompileError
        If `compile` is "on" and steps run more slowly than the backend can run them.
    BackendError, OutOfMemoryError
        As from `anynet.setup`.
    """
    settings = experiment.settings
    ready = setup(
        labeled_net(experiment.net),
        experiment.data,
        experiment.optimizer,
        **replace(settings, loss=labeled_loss(settings.loss or softmax_cross_entropy)).keywords,
    )
    backend, job = ready.backend, _job(ready)
    graph = _graph(ready.loop.step, job, backend)
    ready.loop.run(*job, lambda n: None)  # first, because a target may fail
    if (target := _target(ready.loop.run, backend)) is None:
        runner = one_by_one(graph, ready.loop.run, job, backend.xp)
    else:
        runner = recorded(graph, job, target, settings.epochs * ready.inputs.steps)
    measure = _time if backend.target is None else backend.compile(_time)
    with backend.matmul_precision():
        total, seconds = measure(runner, job.each, backend, clock)
    parts: dict[Part, float] = defaultdict(float)
    loading = {Part(Label(LOAD), products=False): 1.0}
    for spent, shared in zip(seconds, (loading, *map(shares, runner.made)), strict=True):
        for part, share in shared.items():
            parts[part] += share * spent
    return Profile(
        rows=(LOAD, *names(experiment.net), LOSS, UPDATE),
        parts=dict(parts),
        total=total,
        batch_size=settings.batch_size,
        where=f"{backend}, {settings.dtype}",
    )


def _job(ready: Setup) -> Job:
    """Return the first steps of a training; batches of a short epoch are repeated."""
    backend, images = ready.backend, ready.inputs.train
    if not images.resident:
        raise ValueError(
            f"--profile: the training images take {images.nbytes / 1e9:.2f} GB, more than --memory-budget, by "
            "default half of the device's free memory, and training that streams them is not timed; give a larger "
            "budget, or fewer images with --train"
        )
    plan = next(ready.batches(0).plans())
    again, first = (backend.asarray(index) for index in (np.arange(STEPS) % plan.index.shape[0], np.zeros(STEPS, int)))
    leaves, rebuild = flatten(plan)
    rows = rebuild([backend.xp.take(leaf, again, axis=0) for leaf in leaves])
    return Job(
        ready.carry,
        (ready.fixed, *images.arrays),
        (rows, backend.xp.take(ready.rates(0), first, axis=0)),
    )


def _graph(step: Step, job: Job, backend: Backend) -> Graph:
    columns, rebuild = flatten(job.rows)
    graph = trace(step, backend.xp, job.carry, job.shared, rebuild([column[0, ...] for column in columns]))
    _, (_, images, labels), (plan, _) = flatten(job)[1](graph.inputs)
    label_others(graph, flatten((images, labels, plan))[0])
    return graph


def _target(loop: Loop, backend: Backend) -> Target | None:
    """Return the target that runs the steps of a loop; None if they are plain steps, or the backend has no target."""
    target = backend.target
    while target is not None and target.execution != execution(loop):
        target = target.slower
    return target


def _time(
    runner: Runner, rows: Sequence[Row], backend: Backend, clock: Callable[[], float]
) -> tuple[float, list[float]]:
    """Return the least seconds of a step as training runs it, and of taking its row and of each call.

    The first round is not counted, because libraries compile at the first call.
    """
    whole, single = [], []
    for _ in range(1 + ROUNDS):
        began = clock()
        backend.wait(runner.loop())
        whole.append((clock() - began) / len(rows))
        single.append(
            [_time_calls([(_nothing, ()), (runner.take, (row,)), *runner.calls], backend, clock) for row in rows]
        )
    own, *calls = np.min(np.concatenate(single[1:]), axis=0)
    return min(whole[1:]), [float(spent - own) for spent in calls]


def _nothing() -> None:
    """Do nothing: its time is that of timing itself."""


def _time_calls(calls: Sequence[Call], backend: Backend, clock: Callable[[], float]) -> list[float]:
    """Return the seconds of each call."""
    spent = []
    for function, args in calls:
        began = clock()
        backend.wait(function(*args))
        spent.append(clock() - began)
    return spent
