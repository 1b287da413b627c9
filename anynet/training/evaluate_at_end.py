"""The test at the end of a training."""

from collections.abc import Sequence

from anynet.data.loader import Loader
from anynet.training.evaluate import Metrics
from anynet.training.progress import Progress
from anynet.training.stack import Stack
from anynet.training.state import TrainingState

Results = tuple[Sequence[Metrics | None], Sequence[Metrics | None], bool]


def evaluate_at_end(stack: Stack, samples: Loader | None, state: TrainingState, progress: Progress) -> Results:
    """Test all members; Control-C ends the test at the next batch.

    Parameters
    ----------
    stack : Stack
        All members.
    samples : Loader or None
    state : TrainingState
        After the last epoch.
    progress : Progress

    Returns
    -------
    last, best : sequence of Metrics or None
        With the last and with the best parameters; None without test samples, or if the test was interrupted.
    whole : bool
        False if it was interrupted.
    """
    none = [None] * len(state.histories)
    if samples is None:
        return none, none, True
    same = state.best[0] is state.last[0]  # without validation
    tick = progress.testing(len(samples) * (1 if same else 2))
    try:
        at_last = stack.test(*state.last, samples, epoch=0, tick=tick)
        at_best = at_last if same else stack.test(*state.best, samples, epoch=0, tick=tick)
        (last, best), _ = stack.test.read([at_last, at_best])
    except KeyboardInterrupt:
        return none, none, False
    return last, best, True
