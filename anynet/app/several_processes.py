"""Commands in several processes: the first one does what a command does alone, the others compute with it."""

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from anynet.app.config import Config
from anynet.app.experiment import fit_stack, prepare
from anynet.app.resuming import tell_what_is_kept
from anynet.app.space import Point
from anynet.app.sweep.train_sweep import sweep_experiments
from anynet.core.formatting import first_line
from anynet.core.meter import progress_shown
from anynet.core.ranks import RankLost, Ranks
from anynet.mpi import ranks as started_ranks


@contextmanager
def speaking_once() -> Iterator[Ranks | None]:
    """Context manager for a command, within which the first of several processes alone writes to the terminal.

    An error of another one is told to the first, and the line that tells of it names the process. If the first is
    killed, the next one tells of it.

    Yields
    ------
    Ranks or None
        None if the process was not started by MPI, or alone.

    Raises
    ------
    SystemExit
        On the others, with code 2, in place of any error.
    """
    ranks = started_ranks()
    if ranks is None:
        yield None
        return
    try:
        if ranks.is_first:
            yield ranks
        else:
            with warnings.catch_warnings(), progress_shown(False):
                warnings.simplefilter("ignore")
                yield ranks
    except BaseException as error:
        if isinstance(error, SystemExit) and not error.code:
            raise
        lost_first = isinstance(error, RankLost) and error.rank == 0 and not error.told
        if not isinstance(error, RankLost):
            ranks.leave(first_line(error) if isinstance(error, Exception) else "")
        if ranks.is_first or (lost_first and ranks.rank == 1):
            raise
        sys.exit(2)


def join(config: Config, points: Sequence[Point] | None, ranks: Ranks) -> None:
    """Compute with the first process, which has the same settings and writes the results.

    Parameters
    ----------
    config : Config
    points : sequence of dict or None
        Settings of each member of a sweep; None for one net.
    ranks : Ranks

    Raises
    ------
    RankLost
        If another process has ended. Its message says how to go on if that is the first one, which cannot say it.
    """
    experiments = [prepare(config)] if points is None else sweep_experiments(config, points)
    folder = ranks.of_first(Path())
    try:
        if points is None:
            experiments[0].fit(more={"ranks": ranks})
        else:
            fit_stack(experiments, more={"ranks": ranks})
    except RankLost as lost:
        if lost.rank == 0 and not lost.told:
            tell_what_is_kept(lost, folder)
        raise
