"""The parameters and the state of a net after an epoch."""

from math import prod
from typing import NamedTuple

from anynet.core.formatting import format_count
from anynet.core.settings_text import in_lines
from anynet.core.typing import Array, Arrays


class Snapshot(NamedTuple):
    """A net after an epoch.

    Attributes
    ----------
    epoch : int
        Counted from 1; 0 before the first.
    params : array, shape (P,)
        On the device.
    state : dict of arrays
        Running statistics, on the device.
    """

    epoch: int
    params: Array
    state: Arrays

    def __repr__(self) -> str:
        numbers = format_count(prod(self.params.shape), "number")
        return in_lines(f"Snapshot(epoch {self.epoch}, {numbers}, state: {', '.join(self.state) or 'none'})")
