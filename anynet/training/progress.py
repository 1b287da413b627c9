"""Progress of a training."""

from collections.abc import Callable, Mapping
from threading import Event, Lock

from anynet.core.epoch import Epoch
from anynet.core.meter import Meter
from anynet.training.epoch_lines import Lines, summaries


class Progress:
    """Progress of a training in several threads, which can also be told to stop.

    Parameters
    ----------
    meter : Meter
        Counts images.
    epochs, members : int
        Numbers of epochs and of members of the training.

    Attributes
    ----------
    stop : Event
        If set, the next `update` in any thread raises KeyboardInterrupt.
    """

    def __init__(self, meter: Meter, epochs: int, members: int = 1) -> None:
        self.stop = Event()
        self._meter, self._epochs, self._lines, self._lock = meter, epochs, Lines(epochs, members), Lock()
        self._last = [""]

    def update(self, images: int) -> None:
        """Advance the bar.

        Parameters
        ----------
        images : int
            Number of images since the last call.

        Raises
        ------
        KeyboardInterrupt
            If training is to stop.
        """
        if self.stop.is_set():
            raise KeyboardInterrupt
        with self._lock:
            self._meter.bar.update(images)

    def testing(self, images: int) -> Callable[[int], None]:
        """Return a function like `update` for a test: it shows behind the bar how many images are done.

        A training that was told to stop before its test is tested all the same.

        Parameters
        ----------
        images : int
            Number of images of the test.

        Returns
        -------
        callable
        """
        done, told = 0, self.stop.is_set()
        with self._lock:
            self._meter.flush()

        def tick(more: int) -> None:
            nonlocal done
            if self.stop.is_set() and not told:
                raise KeyboardInterrupt
            done += more
            text = f"testing: {done:,} of {images:,} images"
            with self._lock:
                self._meter.show(*([text] if done < images else self._last))
                self._meter.say(text, keep=False)

        return tick

    def shorten(self, images: int) -> None:
        """Lower the total.

        Parameters
        ----------
        images : int
            Number of images that will not be used.
        """
        with self._lock:
            self._meter.bar.total -= images

    def after_epoch(self, rows: Mapping[int, Epoch]) -> None:
        """Show the results of an epoch behind the bar or, where there is none, in a line.

        Parameters
        ----------
        rows : mapping of int to Epoch
            Rows of the members in training, by number.
        """
        if not self._meter.shows:
            return
        with self._lock:
            self._last = summaries(rows, self._epochs)
            self._meter.show(*self._last)
            for line in self._lines.add(rows):
                self._meter.say(line)

    def finish(self) -> None:
        """Show what no line has shown, when training has ended."""
        for line in self._lines.rest():
            self._meter.say(line)
