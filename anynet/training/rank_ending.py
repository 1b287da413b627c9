"""The end of a training of several processes that is interrupted."""

from anynet.core.ranks import RankLost, Ranks


def leave(ranks: Ranks | None, error: KeyboardInterrupt) -> None:
    """Tell the other ranks, if there are any, that this one was interrupted, unless they were the cause."""
    if ranks is not None and not isinstance(error, RankLost):
        ranks.leave()


def is_loss(error: KeyboardInterrupt) -> bool:
    """Return True if another rank has ended, but was not interrupted: this one has nothing to go on with."""
    return isinstance(error, RankLost) and not error.interrupted
