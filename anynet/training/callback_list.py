"""Calling the callbacks of a training, so that an error in one of them ends neither the training nor the others."""

import reprlib
import traceback
import warnings
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from anynet.core.checks import describe
from anynet.core.epoch import Epoch
from anynet.core.errors import TrainingWarning
from anynet.core.formatting import first_line
from anynet.training.callback import Callback, Training
from anynet.training.run import Run
from anynet.training.runs import Runs


class Answer(NamedTuple):
    """Numbers of the members whose training callbacks have ended after an epoch.

    Attributes
    ----------
    dropped : set of int
        Those that count no further.
    stopped : set of int
        Those that have reached their end.
    """

    dropped: set[int]
    stopped: set[int]


class CallbackList:
    """The callbacks of a training, for any number of threads.

    Parameters
    ----------
    callbacks : sequence of Callback
    on_epoch : callable or None
        A function in the place of the method `Callback.epoch`, called after the callbacks. It is a part of the program:
        its errors end the training.
    stacked : bool
        True if callbacks are given a dict of epochs by member.

    Raises
    ------
    TypeError
        If one is no callback.
    """

    def __init__(self, callbacks: Sequence[Callback], on_epoch: Callable[[Any], Any] | None, *, stacked: bool) -> None:
        if on_epoch is not None and not callable(on_epoch):
            raise TypeError(f"on_epoch: expected a function of the epoch, got {describe(on_epoch)}")
        if not isinstance(callbacks, Sequence):
            raise TypeError(f"callbacks: expected a list of callbacks, got {describe(callbacks)}")
        for k, each in enumerate(callbacks):
            if not isinstance(each, Callback):
                way = f"; write {each.__name__}()" if isinstance(each, type) and issubclass(each, Callback) else ""
                raise TypeError(f"callbacks[{k}]: expected an anynet.Callback, got {describe(each)}{way}")
        self._given, self._on_epoch, self._stacked = tuple(callbacks), on_epoch, stacked
        self._active: list[Callback] = []
        self._lock = Lock()

    def start(self, training: Training) -> None:
        """Start all callbacks. If one raises an error, those before it are told, and the error is raised."""
        for callback in self._given:
            try:
                callback.start(training)
            except BaseException as error:
                error.add_note(f"raised by {type(callback).__name__}.start, a callback of fit; nothing was trained")
                self.failed(error)
                raise
            self._active.append(callback)

    def epoch(self, rows: dict[int, Epoch]) -> Answer:
        """Report an epoch to all callbacks, and return what they answer.

        Parameters
        ----------
        rows : dict of int to Epoch
            By number of the member; a net alone has number 0.

        Returns
        -------
        Answer

        Raises
        ------
        KeyboardInterrupt
            If one of them does, when all have been called.
        """
        answer, interrupt = Answer(set(), set()), None
        shown = rows if self._stacked else rows[0]
        with self._lock:
            for callback in (*self._active,):
                try:
                    _take(answer, f"{type(callback).__name__}.epoch", callback.epoch(shown), rows, self._stacked)
                except KeyboardInterrupt as error:
                    interrupt = error
                except Exception as error:
                    self._active.remove(callback)
                    with suppress(Exception):
                        callback.failed(error)
                    _warn(callback, "epoch", error, "; training goes on without it")
            if self._on_epoch is not None:
                _take(answer, "on_epoch", self._on_epoch(shown), rows, self._stacked)
        if interrupt is not None:
            raise interrupt
        return answer

    def end(self, result: Run | Runs) -> None:
        """Give all callbacks the result; what they raise is a warning, so that it is not lost."""
        self._tell("end", result)

    def failed(self, error: BaseException) -> None:
        """Tell all callbacks that there is no result."""
        self._tell("failed", error)

    def _tell(self, method: str, argument: Any) -> None:
        errors, ends = list[tuple[Callback, BaseException]](), list[BaseException]()
        for callback in self._active:
            try:
                getattr(callback, method)(argument)
            except (Exception, KeyboardInterrupt) as error:
                errors.append((callback, error))
            except BaseException as error:  # such as sys.exit()
                ends.append(error)
        self._active.clear()
        for callback, raised in errors:  # when all have been called, because a warning may be an error
            _warn(callback, method, raised)
        for end in ends:
            raise end


def _take(answer: Answer, name: str, given: Any, rows: Collection[int], stacked: bool) -> None:
    """Add what a callback returns to the answer of all. Raises TypeError or ValueError if it is none."""
    if isinstance(given, bool | np.bool_) or given is None:
        answer.stopped.update(rows if given else ())
        return
    if not stacked or not isinstance(given, Collection) or isinstance(given, str):
        drop = " or numbers of members to drop" if stacked else ""
        raise TypeError(f"{name}: expected True to end the training{drop}, or None to go on, got {describe(given)}")
    numbers = [k for k in given if isinstance(k, int | np.integer) and not isinstance(k, bool) and k in rows]
    if len(numbers) < len(given):
        raise ValueError(f"{name}: expected numbers of members to drop, of {[*rows]}, got {reprlib.repr([*given])}")
    answer.dropped.update(map(int, numbers))


def _warn(callback: Callback, method: str, error: BaseException, then: str = "") -> None:
    place = traceback.extract_tb(error.__traceback__)[-1]
    said = f"{type(error).__name__}: {first_line(error)} ({Path(place.filename).name}, line {place.lineno})"
    warnings.warn(f"{type(callback).__name__}.{method}, a callback, raised {said}{then}", TrainingWarning, stacklevel=3)
