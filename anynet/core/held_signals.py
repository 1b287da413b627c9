"""A stretch of work that Control-C and SIGTERM do not interrupt."""

import signal
import threading
from types import FrameType
from typing import Any, Self


class HeldSignals:
    """Context manager within which Control-C and SIGTERM can be held back, so that all of some work is done.

    They interrupt the work until `hold` is called: SIGTERM raises KeyboardInterrupt, too, unless the program has a
    handler for it. From then on to the end they are only noted. Signals that the process
    ignores stay ignored. Outside of the main thread, where Python delivers no signals, nothing changes.

    Attributes
    ----------
    received : list of int
        Numbers of the signals that were held back, for the caller to act on afterwards.
    holding : bool
        True as soon as signals are held back.
    terminated : bool
        True if SIGTERM came, so that the process should end when the work is done.

    Examples
    --------
    >>> with HeldSignals() as signals:
    ...     signals.hold()
    ...     signal.raise_signal(signal.SIGINT)
    >>> [signal.Signals(number).name for number in signals.received]
    ['SIGINT']
    """

    def __init__(self) -> None:
        self.received: list[int] = []
        self._before: dict[int, Any] = {}
        self.terminated, self.holding = False, False
        self._most = 0

    def hold(self) -> None:
        """Hold back signals from now on, any number of them."""
        self.holding, self._most = True, 0

    def ease(self) -> None:
        """From now on, let a second signal raise KeyboardInterrupt."""
        self._most = len(self.received) + 2

    def note(self, number: int) -> None:
        """Note a signal that other work within the context was stopped by."""
        self.terminated |= number == signal.SIGTERM

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):  # None: a handler that is not Python's
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        before = self._before.get(number, signal.SIG_DFL)
        if self.holding:
            self.received.append(number)
            self.note(number)
            if self._most and len(self.received) >= self._most:
                raise KeyboardInterrupt
        elif callable(before):
            before(number, frame)
        else:  # SIGTERM would end the process at once
            self.note(number)
            raise KeyboardInterrupt
