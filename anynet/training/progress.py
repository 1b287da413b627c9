"""How far training is."""

from dataclasses import dataclass, field
from threading import Event, Lock

from tqdm import tqdm


@dataclass(frozen=True)
class Progress:
    """A bar that any thread may move on, unless they all are to stop."""

    bar: tqdm
    stop: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

    def update(self, images: int) -> None:
        """So many images more are done. Raises KeyboardInterrupt where training is to stop."""
        if self.stop.is_set():
            raise KeyboardInterrupt
        with self._lock:
            self.bar.update(images)

    def shorten(self, images: int) -> None:
        """So many images are not to be done."""
        with self._lock:
            self.bar.total -= images

    def say(self, words: str) -> None:
        """Something on how it goes."""
        with self._lock:
            self.bar.set_postfix_str(words)
