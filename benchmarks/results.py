"""Benchmark results: raw timings and derived rates and ratios."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from benchmarks.floor import Floor
from benchmarks.peers import BASELINE, HAND_WRITTEN
from benchmarks.workloads import Workload


class Quartiles(NamedTuple):
    """Quartiles of images per second over the repeats."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Timing:
    """Timings of one peer.

    Attributes
    ----------
    loss : float
        Loss after the first training steps.
    seconds : list of float
        Seconds of each timed epoch.
    launches : int or None
        Kernel launches or function calls per step; see ``Peer.launches``.
    """

    loss: float
    seconds: list[float]
    launches: int | None = None


@dataclass(frozen=True)
class Result:
    """Results of one workload.

    Attributes
    ----------
    workload : Workload
    floor : Floor
    loss : float
        Reference loss after the first training steps.
    timings : dict of str to Timing
        Timings of the peers that match it.
    left_out : dict of str to str
        Reason for each of the other peers.
    """

    workload: Workload
    floor: Floor
    loss: float
    timings: dict[str, Timing]
    left_out: dict[str, str]

    @cached_property
    def rates(self) -> dict[str, Quartiles]:
        """Images per second, by peer."""
        images = self.workload.images
        return {
            name: Quartiles(*(float(images / q) for q in np.quantile(timing.seconds, (0.75, 0.5, 0.25))))
            for name, timing in self.timings.items()
        }

    @property
    def baseline(self) -> str:
        """Name of the peer whose throughput is 1: `BASELINE` if it was timed, otherwise the first that was."""
        return next((name for name in (BASELINE, *self.timings) if name in self.timings), BASELINE)

    @cached_property
    def ratios(self) -> dict[str, float]:
        """Median throughput relative to the baseline, by peer."""
        return {name: rate.median / self.rates[self.baseline].median for name, rate in self.rates.items()}

    @cached_property
    def to_hand_written(self) -> dict[str, float]:
        """Median throughput of anynet's backends relative to hand-written code of the same library."""
        first = {one: next(filter(self.rates.__contains__, others), None) for one, others in HAND_WRITTEN.items()}
        return {
            f"{one} / {other}": self.rates[one].median / self.rates[other].median
            for one, other in first.items()
            if one in self.rates and other is not None
        }

    @cached_property
    def floors(self) -> dict[str, float]:
        """Upper bounds on images per second: the longer of matrix products and memory traffic."""
        products = {"shapes": self.floor.shapes, "peak": self.floor.peak}
        return {name: self.workload.batch_size / max(took, self.floor.memory) for name, took in products.items()}

    def as_dict(self) -> dict[str, Any]:
        """Return raw and derived numbers for JSON."""
        return asdict(self) | {
            "baseline": self.baseline,
            "ratios": self.ratios,
            "to_hand_written": self.to_hand_written,
            "images_per_second": {name: rate._asdict() for name, rate in self.rates.items()},
            "floor_images_per_second": self.floors,
        }
