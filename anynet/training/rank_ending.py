"""The end of a training of several processes that is interrupted."""

from collections.abc import Iterator
from contextlib import contextmanager

from anynet.core.ranks import RankLost, Ranks


@contextmanager
def confirming(ranks: Ranks | None) -> Iterator[None]:
    """Context manager that raises RankLost if sums within may be wrong, and in place of errors because of a lost rank.

    Parameters
    ----------
    ranks : Ranks or None
    """
    try:
        yield
        if ranks is not None:
            ranks.confirm()
    except Exception:
        try:
            if ranks is not None:
                ranks.look()
        except RankLost as lost:
            raise lost from None
        raise


def leave(ranks: Ranks | None, error: KeyboardInterrupt) -> KeyboardInterrupt:
    """Tell the other ranks, if there are any, that this one was interrupted, unless one of them is the cause.

    Returns
    -------
    KeyboardInterrupt
        The cause: a launcher interrupts all ranks if one ends.
    """
    if ranks is None or isinstance(error, RankLost):
        return error
    try:
        ranks.look()
    except RankLost as lost:
        return lost
    ranks.leave()
    return error


def is_loss(error: KeyboardInterrupt) -> bool:
    """Return True if another rank has ended, but was not interrupted: this one has nothing to go on with."""
    return isinstance(error, RankLost) and not error.interrupted
