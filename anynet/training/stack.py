"""Several nets as one: arrays with members on the first axis."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import ArrayLike, NDArray

from anynet.core import random
from anynet.core.tree import flatten
from anynet.core.typing import Array, Arrays
from anynet.nn import Layer
from anynet.training.evaluate import Evaluator
from anynet.training.evaluation_step import ONE_VIEW
from anynet.training.loop_cache import LoopCache
from anynet.training.members import Member, common_optimizer
from anynet.training.rates import learning_rate
from anynet.training.step import Carry, Fixed, start

FIRST = 5000
"""Number of training samples that the first layer may make its state of."""


class Stack:
    """Members that are trained by the same steps.

    Parameters
    ----------
    loops : LoopCache
    members : sequence of Member
    stacked : bool
        If False, there is one member and arrays have no axis of members.

    Attributes
    ----------
    members, stacked
        As given.
    fixed : Fixed
        Arrays that all training steps share.
    train_epoch : BatchLoop
        Runs training steps.
    evaluate : Evaluator
        Evaluates all members.
    test : Evaluator
        The same, with the test-time augmentation of the training.
    """

    def __init__(self, loops: LoopCache, members: Sequence[Member], *, stacked: bool) -> None:
        self._inputs, self.members, self.stacked = loops.inputs, members, stacked
        self._optimizer, l2 = common_optimizer(members), [member.settings.l2 for member in members]
        net, normalization = members[0].net, self._inputs.batch_normalization
        penalty = self.put(l2) if any(l2) else None
        self.fixed = Fixed(normalization, penalty, self._key() if net.uses_rng else None)
        self.train_epoch = loops.training(net, self._optimizer)
        self.evaluate, self.test = (
            Evaluator(
                net, loops.evaluation(net, views), self._inputs.backend, normalization, penalty, loops.inputs.ranks
            )
            for views in (ONE_VIEW, self._inputs.views)
        )

    def start(self) -> Carry:
        """Return the carry before the first step, in new arrays.

        Returns
        -------
        Carry
        """
        like = self.put([0.0])
        xp, net, averaging = array_namespace(like), self.members[0].net, self._inputs.settings.averaging
        starts = [member.net.init(member.settings.seed, like) for member in self.members]
        made = self._state_from_samples()
        starts = [(params, state | made) for params, state in starts]
        if not self.stacked:
            return start(net, self._optimizer, *starts[0], averaging)
        state = {name: xp.stack([s[name] for _, s in starts]) for name in starts[0][1]}
        return start(net, self._optimizer, xp.stack([p for p, _ in starts]), state, averaging)

    def rates(self, epoch: int) -> NDArray[np.float64]:
        """Return the learning rates of an epoch.

        Parameters
        ----------
        epoch : int
            Counted from 0.

        Returns
        -------
        ndarray of float64, shape (steps, members)

        Raises
        ------
        TypeError, ValueError
            If one is no number, negative or not finite.
        """
        steps = self._inputs.steps
        return np.asarray([[learning_rate(m.optimizer, epoch, i, steps) for m in self.members] for i in range(steps)])

    def rows(self, epoch: int, rates: NDArray[np.float64]) -> Array:
        """Return learning rates as the steps of an epoch are given them, on the device.

        Parameters
        ----------
        epoch : int
            Counted from 0.
        rates : ndarray of float64, shape (n, members)
            Learning rates of the first n steps.

        Returns
        -------
        array, shape (n, members), or (n, 1 + G, members) with an optimizer of G groups
            Not stacked, without the axis of members.
        """
        steps, parts = self._inputs.steps, self._optimizer.parts
        if not parts:
            return self.put(rates)
        own = [[1.0, *(learning_rate(part, epoch, i, steps) for part in parts)] for i in range(len(rates))]
        return self.put(rates[:, None, :] * np.asarray(own)[:, :, None])

    def put(self, numbers: ArrayLike) -> Array:
        """Return numbers on the device.

        Parameters
        ----------
        numbers : array_like, shape (..., members)

        Returns
        -------
        array, shape (..., members) or, not stacked, (...)
            Of the dtype of the training.
        """
        host = np.asarray(numbers, self._inputs.settings.dtype)
        return self._inputs.backend.asarray(host if self.stacked else host[..., 0])

    def _state_from_samples(self) -> Arrays:
        """Return the state that the first layer of the net makes of training samples, on the device."""
        first = self.members[0].net.layers[0]
        if type(first).state_from is Layer.state_from:
            return {}
        made, dtype = first.state_from(self._inputs.first_samples(FIRST)), self._inputs.settings.dtype
        return {f"0.{name}": self._inputs.backend.asarray(array.astype(dtype)) for name, array in made.items()}

    def _key(self) -> Array:
        keys = np.stack([random.key(member.settings.seed) for member in self.members])
        return self._inputs.backend.asarray(keys if self.stacked else keys[0])


def choose(mask: Sequence[bool], a: Any, b: Any) -> Any:
    """Select members from two trees: member k from `a` if ``mask[k]``, otherwise from `b`.

    Parameters
    ----------
    mask : sequence of bool
    a, b : arrays in containers
        Members on the first axis. Arrays without axes are taken from `a`.

    Returns
    -------
    arrays in containers
    """
    if all(mask):
        return a
    if not any(mask):
        return b
    leaves, rebuild = flatten(a)
    return rebuild([_where(mask, *pair) for pair in zip(leaves, flatten(b)[0], strict=True)])


def take(indices: Sequence[int], tree: Any) -> Any:
    """Return members of a tree by index, in this order.

    Parameters
    ----------
    indices : sequence of int
    tree : arrays in containers
        Members on the first axis. Arrays without axes stay as they are.

    Returns
    -------
    arrays in containers
    """
    leaves, rebuild = flatten(tree)
    return rebuild([_take(indices, leaf) for leaf in leaves])


def member_weights(weights: tuple[Array, Arrays], k: int, *, stacked: bool) -> tuple[Array, Arrays]:
    """Return parameters and running statistics of one member.

    Parameters
    ----------
    weights : tuple of array and dict of arrays
        Parameters and running statistics of all members.
    k : int
    stacked : bool
        If False, arrays have no axis of members.

    Returns
    -------
    params : array, shape (P,)
    state : dict of arrays
    """
    params, state = weights
    return (params[k, ...], {name: array[k, ...] for name, array in state.items()}) if stacked else weights


def _where(mask: Sequence[bool], a: Array, b: Array) -> Array:
    if a.ndim == 0:
        return a
    xp = array_namespace(a)
    condition = xp.asarray(mask, device=device(a))
    return xp.where(xp.reshape(condition, (-1, *(1 for _ in a.shape[1:]))), a, b)


def _take(indices: Sequence[int], array: Array) -> Array:
    if array.ndim == 0:
        return array
    xp = array_namespace(array)
    return xp.take(array, xp.asarray(indices, device=device(array)), axis=0)
