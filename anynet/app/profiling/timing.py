"""Timing every operation of a training step."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from anynet.app import build
from anynet.app.experiment import Experiment
from anynet.app.profiling.parts import (
    LOAD,
    LOSS,
    UPDATE,
    Label,
    Part,
    label_others,
    labelled_loss,
    labelled_net,
    names,
    shares,
)
from anynet.app.profiling.result import Profile
from anynet.app.profiling.runners import Job, Row, Runner, one_by_one, recorded
from anynet.backends import Backend
from anynet.compiler import Call, Graph, Step, trace
from anynet.core.tree import flatten
from anynet.core.typing import Array
from anynet.data import Augmentation, Normalization, normalization
from anynet.nn import Sequential
from anynet.nn.losses import Loss
from anynet.training.fit import load
from anynet.training.loop import gathering
from anynet.training.step import Fixed, start, train_step

STEPS, ROUNDS = 10, 10
"""Steps timed in one go, and how often: of short rounds, the median leaves out what else the machine does."""


def profile(experiment: Experiment, clock: Callable[[], float] = time.perf_counter) -> Profile:
    """Time a hundred training steps as training runs them, and a hundred more operation by operation.

    Where the backend records steps, the operations are the calls that training makes; elsewhere they are timed as the
    library does each on its own.

    clock: gives the time in seconds.

    Raises ValueError where the images are not to stay on the device, and UntraceableError for layers that draw or read
    numbers, which cannot be recorded.
    """
    config, backend = experiment.config, experiment.backend
    backend.dtype(config.dtype)
    augmented = config.flip or config.crop or config.reverse
    augmentation = Augmentation(config.flip, config.crop, config.reverse) if augmented else None
    job = _job(experiment, augmentation)

    def step(net: Sequential, loss: Loss) -> Step:
        return gathering(train_step(net, loss, experiment.optimizer), augmentation)

    net, loss = experiment.net, build.LOSSES[config.loss]
    graph = _graph(step(labelled_net(net), labelled_loss(loss)), job, backend)
    if backend.target is None:
        runner, measure = one_by_one(graph, backend.loop(step(net, loss)), job, backend.xp), _time
    else:
        steps = config.epochs * math.ceil(len(experiment.data.train) / config.batch_size)
        runner, measure = recorded(graph, job, backend.target, steps), backend.compile(_time)
    with backend.matmul_precision():
        total, seconds = measure(runner, job.each, backend, clock)
    parts: dict[Part, float] = defaultdict(float)
    loading = {Part(Label(LOAD), products=False): 1.0}
    for spent, shared in zip(seconds, (loading, *map(shares, runner.made)), strict=True):
        for part, share in shared.items():
            parts[part] += share * spent
    return Profile(
        rows=(LOAD, *names(net), LOSS, UPDATE),
        parts=dict(parts),
        total=total,
        batch_size=config.batch_size,
        where=f"{backend}, {config.dtype}",
    )


def _job(experiment: Experiment, augmentation: Augmentation | None) -> Job:
    """What training begins with; of a short epoch, batches come again."""
    config, backend, optimizer = experiment.config, experiment.backend, experiment.optimizer

    def number(values: Any) -> Array:
        return backend.asarray(np.asarray(values, config.dtype))

    images = load(experiment.data, backend, experiment.memory_budget)[0]
    if not images.resident:
        raise ValueError(
            f"--profile: the training images take {images.host.nbytes / 1e9:.2f} GB, more than --memory-budget, by "
            "default half of the device's free memory, and training that streams them is not timed; give a larger "
            "budget, or fewer images with --train"
        )
    plan = next(images.shuffled(config.batch_size, config.order, 0, augmentation).plans())
    again = backend.asarray(np.arange(STEPS) % plan.index.shape[0])
    leaves, rebuild = flatten(plan)
    rows = rebuild([backend.xp.take(leaf, again, axis=0) for leaf in leaves]), number([optimizer.schedule(0)] * STEPS)
    inputs = Normalization(*map(number, normalization(config.normalize, experiment.data.train.images)))
    fixed = Fixed(inputs, number(config.l2) if config.l2 else None)
    carry = start(experiment.net, optimizer, *experiment.net.init(config.seed, like=number([0])))
    return Job(carry, (fixed, images.images, images.labels), rows)


def _graph(step: Step, job: Job, backend: Backend) -> Graph:
    columns, rebuild = flatten(job.rows)
    graph = trace(step, backend.xp, job.carry, job.shared, rebuild([column[0, ...] for column in columns]))
    _, (_, images, labels), (plan, _) = flatten(job)[1](graph.inputs)
    label_others(graph, flatten((images, labels, plan))[0])
    return graph


def _time(
    runner: Runner, rows: Sequence[Row], backend: Backend, clock: Callable[[], float]
) -> tuple[float, list[float]]:
    """Median seconds of a step as training runs it, and of taking its row and of each call on its own.

    A round ahead is not counted: libraries compile when they are first asked.
    """
    whole, single = [], []
    for _ in range(1 + ROUNDS):
        began = clock()
        backend.wait(runner.loop())
        whole.append((clock() - began) / len(rows))
        single.append(
            [_time_calls([(_nothing, ()), (runner.take, (row,)), *runner.calls], backend, clock) for row in rows]
        )
    own, *calls = np.median(np.concatenate(single[1:]), axis=0)
    return float(np.median(whole[1:])), [float(spent - own) for spent in calls]


def _nothing() -> None:
    """What timing itself costs."""


def _time_calls(calls: Sequence[Call], backend: Backend, clock: Callable[[], float]) -> list[float]:
    """Seconds of each call."""
    spent = []
    for function, args in calls:
        began = clock()
        backend.wait(function(*args))
        spent.append(clock() - began)
    return spent
