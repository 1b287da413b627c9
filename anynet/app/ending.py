"""The end of a command that is interrupted or terminated."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from anynet.app.keeping import warn
from anynet.core.held_signals import HeldSignals
from anynet.core.ranks import RankLost


@contextmanager
def ending_with_signals(message: str) -> Iterator[HeldSignals]:
    """Context manager for the work of a command, within which SIGTERM interrupts it as Control-C does.

    After SIGTERM the process ends with code 143 when the work has ended, whether it was interrupted or completed.

    Parameters
    ----------
    message : str
        What to say if the work was interrupted and does not say it itself.

    Yields
    ------
    HeldSignals
    """
    with HeldSignals() as signals:
        try:
            yield signals
        except RankLost:
            raise
        except KeyboardInterrupt as error:
            said = str(error) or message
            if not signals.terminated:
                raise KeyboardInterrupt(said) from None
            warn(said)
    if signals.terminated:
        sys.exit(128 + signal.SIGTERM)
