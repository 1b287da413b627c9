"""The training loop of one of several processes, each of which computes a share of every batch."""

from collections.abc import Callable, Collection
from functools import cache
from typing import Any

from anynet.backends import Backend, Tick
from anynet.compiler import Loop
from anynet.core.ranks import Ranks
from anynet.core.share import Share
from anynet.core.typing import Array
from anynet.data.augmentation import Augmentation
from anynet.data.sample_pass import Pass
from anynet.training.batch_loop import BatchLoop, BatchStep, gathering
from anynet.training.rank_ending import confirming


class RankLoop(BatchLoop):
    """A loop with a step for each size of a batch: numbers of samples are constants of a step.

    Parameters
    ----------
    step_of : callable
        ``step_of(share)`` returns the step for batches with such a share.
    ranks : Ranks
    batch_size : int
        That of most batches.
    backend, augmentation, compile
        As for `BatchLoop`.
    local : collection of str
        Names of the running statistics that each rank updates with its own shares. After an epoch they are replaced
        with their mean over the ranks.
    """

    def __init__(
        self,
        step_of: Callable[[Share], BatchStep],
        ranks: Ranks,
        batch_size: int,
        backend: Backend,
        augmentation: Augmentation | None = None,
        compile: str = "auto",
        local: Collection[str] = (),
    ) -> None:
        super().__init__(step_of(ranks.share(batch_size)), backend, augmentation, compile)

        @cache
        def run_of(size: int) -> Loop:
            return backend.loop(gathering(step_of(ranks.share(size)), augmentation), compile)

        self._run_of, self._batch_size = run_of, batch_size
        self._ranks, self._local = ranks, local

    def run_for(self, size: int) -> Loop:
        """Return the loop for batches of a size."""
        return self.run if size == self._batch_size else self._run_of(size)

    def __call__(
        self,
        carry: Any,
        shared: Any,
        batches: Pass,
        rows: Array | None,
        tick: Tick = lambda n: None,
        epoch: int | None = None,
    ) -> Any:
        """Run the step on this rank's share of every batch; see `BatchLoop`."""

        def confirm_and_tick(steps: int) -> None:
            self._ranks.confirm()  # before more sums are launched that others have no part in
            tick(steps)

        with confirming(self._ranks):
            carry = super().__call__(carry, shared, batches, rows, confirm_and_tick, epoch)
        if not self._local:
            return carry
        means = {name: self._ranks.sum(carry.state[name]) / self._ranks.size for name in sorted(self._local)}
        return carry._replace(state=carry.state | means)
