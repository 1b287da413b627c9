"""Progress of a training."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock

from tqdm import tqdm


@dataclass(frozen=True)
class Progress:
    """A progress bar for several threads, which can also be told to stop.

    Parameters
    ----------
    bar : tqdm
        Counts images.
    stop : Event
        If set, the next `update` in any thread raises KeyboardInterrupt.
    """

    bar: tqdm
    stop: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

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
            self.bar.update(images)

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
        done, told, before = 0, self.stop.is_set(), str(getattr(self.bar, "postfix", None) or "")

        def tick(more: int) -> None:
            nonlocal done
            if self.stop.is_set() and not told:
                raise KeyboardInterrupt
            done += more
            self.show(f"testing: {done:,} of {images:,} images" if done < images else before)

        return tick

    def shorten(self, images: int) -> None:
        """Lower the total.

        Parameters
        ----------
        images : int
            Number of images that will not be used.
        """
        with self._lock:
            self.bar.total -= images

    def show(self, text: str) -> None:
        """Show a text behind the bar.

        Parameters
        ----------
        text : str
        """
        with self._lock:
            self.bar.set_postfix_str(text)
