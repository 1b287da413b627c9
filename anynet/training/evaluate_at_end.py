"""The test at the end of a training."""

from collections.abc import Sequence

from anynet.training.evaluate import Metrics
from anynet.training.inputs import Inputs
from anynet.training.progress import Progress
from anynet.training.rank_ending import is_loss, leave
from anynet.training.stack import Stack
from anynet.training.state import TrainingState

Results = tuple[Sequence[Metrics | None], Sequence[Metrics | None], bool]


def evaluate_at_end(
    stack: Stack, inputs: Inputs, state: TrainingState, progress: Progress, *, interrupted: bool = False
) -> Results:
    """Test all members; Control-C ends the test at the next batch.

    Parameters
    ----------
    stack : Stack
        All members.
    inputs : Inputs
    state : TrainingState
        After the last epoch.
    progress : Progress
    interrupted : bool
        True if the training was interrupted. Of several ranks, the first one tests alone then.

    Returns
    -------
    last, best : sequence of Metrics or None
        With the last and with the best parameters; None without test samples, or if the test was interrupted.
    whole : bool
        False if it was interrupted.
    """
    none, samples, test = [None] * len(state.histories), inputs.test, stack.test
    if samples is None:
        return none, none, True
    if inputs.ranks is not None and interrupted:
        if not inputs.ranks.is_first:
            return none, none, False
        test = test.alone()
    same = state.best[0] is state.last[0]  # without validation
    tick = progress.testing(len(samples) * (1 if same else 2))
    try:
        at_last = test(*state.last, samples, epoch=0, tick=tick)
        at_best = at_last if same else test(*state.best, samples, epoch=0, tick=tick)
        (last, best), _ = test.read([at_last, at_best])
    except KeyboardInterrupt as error:
        cause = leave(inputs.ranks, error)
        if is_loss(cause):
            raise cause from None
        return none, none, False
    return last, best, True
