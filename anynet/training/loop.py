"""A step taken on batch after batch."""

from collections.abc import Callable
from typing import Any

from anynet.backends import Backend, Tick
from anynet.backends.base import Step
from anynet.core.typing import Array
from anynet.data.augmentation import Augmentation
from anynet.data.loader import Batch, Pass, Plan, gather

BatchStep = Callable[[Any, Any, Batch, Any], Any]
"""``step(carry, shared, batch, row)`` returns the next carry."""


def gathering(step: BatchStep, augmentation: Augmentation | None) -> Step:
    """``step(carry, (shared, images, labels), (plan, row))``: the step on a batch that it gathers itself."""

    def gathered(carry: Any, shared: tuple[Any, Array | None, Array], row: tuple[Plan, Any]) -> Any:
        (own, images, labels), (plan, one) = shared, row
        return step(carry, own, gather(images, labels, plan, augmentation), one)

    return gathered


class BatchLoop:
    """``run(carry, shared, batches, rows, tick)`` returns the carry after the last batch.

    step: pure; what it is given first and what it returns are alike.
    augmentation: as of the batches.

    ``step`` is the step that gathers its own batch, and ``run`` the backend's loop over it.

    shared: arrays that all steps are given. rows: an array with a row for each batch, or None.
    tick: called with a number of batches that were done since it was called last.
    """

    def __init__(self, step: BatchStep, backend: Backend, augmentation: Augmentation | None = None) -> None:
        self.step = gathering(step, augmentation)
        self.run = backend.loop(self.step)

    def __call__(self, carry: Any, shared: Any, batches: Pass, rows: Array | None, tick: Tick = lambda n: None) -> Any:
        loader, start = batches.loader, 0
        for plan in batches.plans():
            stop = start + plan.index.shape[0]
            own = plan, None if rows is None else rows[start:stop, ...]
            carry = self.run(carry, (shared, loader.images, loader.labels), own, tick)
            start = stop
        return carry
