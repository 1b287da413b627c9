"""Several nets as one: arrays with the members on their first axis, and what trains and measures them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from anynet.core.tree import flatten
from anynet.core.typing import Array, Arrays
from anynet.nn import Sequential
from anynet.optim import Optimizer
from anynet.training.inputs import Inputs
from anynet.training.loop import BatchLoop
from anynet.training.measure import Measure
from anynet.training.members import Member, common_optimizer
from anynet.training.step import Carry, Fixed, evaluation_step, start, train_step


class Loops:
    """The loops of a training, for one thread: nets alike share them, and with them what they have recorded."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self._training: dict[tuple[Sequential, Optimizer], BatchLoop] = {}
        self._evaluating: dict[Sequential, BatchLoop] = {}

    def training(self, net: Sequential, optimizer: Optimizer) -> BatchLoop:
        """Takes training steps, at rates that it is given."""
        key, inputs = (net, replace(optimizer, lr=1.0)), self.inputs
        if key not in self._training:
            step = train_step(net, inputs.settings.loss, optimizer)
            self._training[key] = BatchLoop(step, inputs.backend, inputs.augmentation)
        return self._training[key]

    def evaluating(self, net: Sequential) -> BatchLoop:
        """Measures."""
        if net not in self._evaluating:
            step = evaluation_step(net, self.inputs.settings.loss)
            self._evaluating[net] = BatchLoop(step, self.inputs.backend)
        return self._evaluating[net]


class Stack:
    """Members of a training; or, not ``stacked``, the one net there is, whose arrays have no axis of members.

    fixed, train_epoch, measure: see ``Fixed``, ``BatchLoop`` and ``Measure``.
    """

    def __init__(self, loops: Loops, members: Sequence[Member], *, stacked: bool) -> None:
        self._inputs, self._members, self._stacked = loops.inputs, members, stacked
        self._optimizer, l2 = common_optimizer(members), [member.settings.l2 for member in members]
        net = members[0].net
        self.fixed = Fixed(self._inputs.normalization, self.put(l2) if any(l2) else None)
        self.train_epoch = loops.training(net, self._optimizer)
        self.measure = Measure(net, loops.evaluating(net), self._inputs.backend, *self.fixed)

    def start(self) -> Carry:
        """What each net starts with."""
        like = self.put([0.0])
        xp, net = array_namespace(like), self._members[0].net
        starts = [member.net.init(member.settings.seed, like) for member in self._members]
        if not self._stacked:
            return start(net, self._optimizer, *starts[0])
        state = {name: xp.stack([s[name] for _, s in starts]) for name in starts[0][1]}
        return start(net, self._optimizer, xp.stack([p for p, _ in starts]), state)

    def rates(self, epoch: int) -> NDArray[np.float64]:
        """Learning rates of an epoch, counted from 0: shape (steps, members)."""
        steps = self._inputs.steps
        return np.asarray([[m.optimizer.schedule(epoch + i / steps) for m in self._members] for i in range(steps)])

    def put(self, numbers: Any) -> Array:
        """Numbers on the device, with the members on the last axis, which one net does not have."""
        host = np.asarray(numbers, self._inputs.settings.dtype)
        return self._inputs.backend.asarray(host if self._stacked else host[..., 0])


def choose(chosen: Sequence[bool], these: Any, others: Any) -> Any:
    """Containers of arrays with the chosen members of these and the other members of the others.

    Arrays without a member axis are these'.
    """
    if all(chosen):
        return these
    if not any(chosen):
        return others
    leaves, rebuild = flatten(these)
    return rebuild([_where(chosen, *pair) for pair in zip(leaves, flatten(others)[0], strict=True)])


def take(places: Sequence[int], tree: Any) -> Any:
    """Containers of arrays with the members at these places alone, in this order."""
    leaves, rebuild = flatten(tree)
    return rebuild([_take(places, leaf) for leaf in leaves])


def part(weights: tuple[Array, Arrays], k: int, *, stacked: bool) -> tuple[Array, Arrays]:
    """Parameters and running statistics of one member."""
    params, state = weights
    return (params[k, ...], {name: array[k, ...] for name, array in state.items()}) if stacked else weights


def _where(chosen: Sequence[bool], this: Array, other: Array) -> Array:
    if this.ndim == 0:
        return this
    xp = array_namespace(this)
    mask = xp.asarray(chosen, device=device(this))
    return xp.where(xp.reshape(mask, (-1, *(1 for _ in this.shape[1:]))), this, other)


def _take(places: Sequence[int], array: Array) -> Array:
    if array.ndim == 0:
        return array
    xp = array_namespace(array)
    return xp.take(array, xp.asarray(places, device=device(array)), axis=0)
