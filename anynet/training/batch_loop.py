"""The loop that runs a step on batch after batch."""

from collections import Counter
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any

from anynet.backends import Backend, Tick
from anynet.compiler import Loop, Step
from anynet.core.typing import Array
from anynet.data.augmentation import Augmentation
from anynet.data.batch import Batch, Plan, gather
from anynet.data.sample_pass import Pass

BatchStep = Callable[[Any, Any, Batch, Any], Any]
"""``step(carry, shared, batch, row)`` returns the next carry."""


def gathering(step: BatchStep, augmentation: Augmentation | None) -> Step:
    """Return a step that gathers its own batch.

    Parameters
    ----------
    step : callable
        ``step(carry, shared, batch, row)`` returns the next carry.
    augmentation : Augmentation or None
        Applied to the samples of every batch.

    Returns
    -------
    callable
        ``step(carry, (shared, *arrays), (plan, row))`` returns the next carry, for the arrays of a `Loader`.
    """

    def gathered(carry: Any, shared: tuple[Any, ...], row: tuple[Plan, Any]) -> Any:
        (own, x, y, *weights), (plan, one) = shared, row
        return step(carry, own, gather(x, y, plan, augmentation, weights[0] if weights else None), one)

    return gathered


class BatchLoop:
    """A step, run on batch after batch by a backend's loop.

    Parameters
    ----------
    step : callable
        ``step(carry, shared, batch, row)`` returns the next carry: pure, and with the same shapes and dtypes.
    backend : Backend
    augmentation : Augmentation, optional
        The same as that of the batches.
    compile : {"auto", "on", "off"}
        As for `Backend.loop`.
    stacks : int, default 1
        Number of stacks of nets that are trained on the same steps, each by such a loop: a step that all of them run
        often is compiled further earlier.

    Attributes
    ----------
    step : callable
        The step that gathers its own batch; see `gathering`.
    run : callable
        The backend's loop over it.
    """

    def __init__(
        self,
        step: BatchStep,
        backend: Backend,
        augmentation: Augmentation | None = None,
        compile: str = "auto",
        stacks: int = 1,
    ) -> None:
        self.step = gathering(step, augmentation)
        self._new_run = partial(backend.loop, self.step, compile)
        self.run = self._new_run()
        self._stacks = stacks

    def for_thread(self) -> "BatchLoop":
        """Return a loop over the same step, and so with the same record, that runs in arrays of its own."""
        other = copy(self)
        other.run = self._new_run()
        return other

    def run_for(self, size: int) -> Loop:
        """Return the loop for batches of a size."""
        return self.run

    def __call__(
        self,
        carry: Any,
        shared: Any,
        batches: Pass,
        rows: Array | None,
        tick: Tick = lambda n: None,
        epoch: int | None = None,
    ) -> Any:
        """Run the step on every batch.

        Parameters
        ----------
        carry : arrays in containers
            What the first step is given.
        shared : arrays in containers
            What all steps are given.
        batches : Pass
        rows : array, shape (batches, ...), or None
            One row for each batch.
        tick : callable, optional
            Called with the number of batches done since its last call.
        epoch : int, optional
            Number of passes over the same samples before this one, also in an earlier process; see `Loop`. Default:
            those of this loop.

        Returns
        -------
        arrays in containers
            The carry after the last batch.
        """
        loader, start, done = batches.loader, 0, Counter[int]()
        for plan in batches.plans():
            steps, size = plan.index.shape[0], batches.size(start)
            own = plan, None if rows is None else rows[start : start + steps, ...]
            before = None
            if epoch is not None:  # as if all stacks had run in one loop up to now
                before = self._stacks * (epoch * batches.counts[size] + done[size] + steps) - steps
            carry = self.run_for(size)(carry, (shared, *loader.arrays), own, tick, before=before)
            start += steps
            done[size] += steps
        return carry
