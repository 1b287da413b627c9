"""The state of a training after one more epoch, and after the training of members has ended."""

from collections.abc import Sequence

from anynet.core.epoch import Epoch
from anynet.core.history import History
from anynet.training.errors import DivergedError
from anynet.training.stack import choose, take
from anynet.training.state import TrainingState, Weights
from anynet.training.step import Carry


def with_epoch(
    state: TrainingState, rows: dict[int, Epoch], carry: Carry, diverged: dict[int, DivergedError | None]
) -> TrainingState:
    """Return the state with one more epoch of the members that are in training, which `diverged` and `carry` have.

    Parameters
    ----------
    state : TrainingState
    rows : dict of int to Epoch
        New rows of the histories by member number, without those of members that diverged.
    carry : Carry
        After the epoch.
    diverged : dict of int to DivergedError or None
        By member number, why its cost is no longer finite.

    Returns
    -------
    TrainingState
    """
    histories = [History([*history, rows[k]]) if k in rows else history for k, history in enumerate(state.histories)]
    now = carry.weights
    if len(state.places) < len(histories):
        there = [k in diverged for k in range(len(histories))]
        places = [state.places.index(k) if there[k] else 0 for k in range(len(there))]
        now = choose(there, take(places, now), state.last)
    better = [k in rows and history.best is rows[k] for k, history in enumerate(histories)]
    return state._replace(
        epoch=state.epoch + 1,
        carry=carry,
        histories=histories,
        last=now,
        best=choose(better, now, state.best),
        diverged=[diverged.get(k, error) for k, error in enumerate(state.diverged)],
        seconds=max((row.seconds for row in rows.values()), default=state.seconds),
        over=not rows,
    )


def without_members(state: TrainingState, now: set[int]) -> TrainingState:
    """Return the state without training of the members `now`, and then of those whose cost is no longer finite.

    After the last epoch as well, since a resumed training may have more.
    """
    if state.over or not now.intersection(state.places):
        return state
    kept = [k for k in state.places if k not in now and state.diverged[k] is None]
    if not kept:
        return state._replace(over=True)
    return state._replace(places=kept, carry=take([state.places.index(k) for k in kept], state.carry))


def was_stopped(state: TrainingState, k: int) -> bool:
    """Return True if the training of a member has ended, but it was neither dropped nor did it diverge."""
    return (state.over or k not in state.places) and k not in state.dropped and state.diverged[k] is None


def epochs_left(state: TrainingState, epochs: int) -> int:
    """Return the number of epochs left, summed over members."""
    return 0 if state.over else max(0, epochs - state.epoch) * len(state.places)


def expected_arrays(start: TrainingState, places: Sequence[int]) -> tuple[Carry, Weights]:
    """Return arrays of the shapes and dtypes of a state in which these members are in training."""
    carry = start.carry if len(places) == len(start.places) else take(places, start.carry)
    return carry, start.last
