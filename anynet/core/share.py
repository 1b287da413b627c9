"""The part of each batch that one of several processes computes."""

from dataclasses import dataclass

from anynet.core.collective import Group


@dataclass(frozen=True)
class Share:
    """Consecutive samples of a batch, which one rank computes.

    The mean over a batch is the sum over the ranks of `weight` times the mean over a share. If a batch has fewer
    samples than there are ranks, each of them computes all of it, which then counts as often as there are ranks.

    Parameters
    ----------
    start, stop : int
        The samples `start` to `stop` - 1 of the batch.
    whole : int
        Number of samples of the batch.
    total : int
        Number of samples of all ranks together.
    group : Group
        The ranks.

    Examples
    --------
    >>> [(share.start, share.stop) for share in (Share.of(rank, 3, 10, None) for rank in range(3))]
    [(0, 3), (3, 6), (6, 10)]
    >>> Share.of(1, 3, 2, None).weight
    0.3333333333333333
    """

    start: int
    stop: int
    whole: int
    total: int
    group: Group

    @classmethod
    def of(cls, rank: int, ranks: int, whole: int, group: Group) -> "Share":
        """Return the share of a rank, counted from 0, of a batch; no two differ by more than one sample."""
        if whole < ranks:
            return cls(0, whole, whole, ranks * whole, group)
        return cls(whole * rank // ranks, whole * (rank + 1) // ranks, whole, whole, group)

    @property
    def samples(self) -> slice:
        """Place of the share in the batch."""
        return slice(self.start, self.stop)

    @property
    def size(self) -> int:
        """Number of samples of the share."""
        return self.stop - self.start

    @property
    def weight(self) -> float:
        """Factor of a mean over the share in the mean over the batch."""
        return self.size / self.total
