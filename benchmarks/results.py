"""What came out: raw repeats, and what is derived from them."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from benchmarks.floor import Floor
from benchmarks.peers import HAND_WRITTEN, YARDSTICK
from benchmarks.workloads import Workload


class Quartiles(NamedTuple):
    """Of images per second over the repeats."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Timing:
    """Of one peer. loss: to which the first steps led. seconds: of each timed epoch. launches: as of ``Peer``."""

    loss: float
    seconds: list[float]
    launches: int | None = None


@dataclass(frozen=True)
class Result:
    """Of one workload.

    loss: to which the first steps should lead. timings: of those that came to it, by peer.
    left_out: of the others, why, by peer.
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
    def yardstick(self) -> str:
        """PyTorch; where that was not timed, the first that was."""
        return next((name for name in (YARDSTICK, *self.timings) if name in self.timings), YARDSTICK)

    @cached_property
    def ratios(self) -> dict[str, float]:
        """Medians as multiples of the yardstick's, by peer."""
        return {name: rate.median / self.rates[self.yardstick].median for name, rate in self.rates.items()}

    @cached_property
    def to_hand_written(self) -> dict[str, float]:
        """Medians of anynet's backends as multiples of the same library's when written by hand, by "one / other"."""
        return {
            f"{one} / {other}": self.rates[one].median / self.rates[other].median
            for one, other in HAND_WRITTEN.items()
            if one in self.rates and other in self.rates
        }

    @cached_property
    def floors(self) -> dict[str, float]:
        """Images per second, were products, or memory where that takes longer, all there is to wait for."""
        products = {"shapes": self.floor.shapes, "peak": self.floor.peak}
        return {name: self.workload.batch_size / max(took, self.floor.memory) for name, took in products.items()}

    def as_dict(self) -> dict[str, Any]:
        """Raw and derived, as JSON takes it."""
        return asdict(self) | {
            "yardstick": self.yardstick,
            "ratios": self.ratios,
            "to_hand_written": self.to_hand_written,
            "images_per_second": {name: rate._asdict() for name, rate in self.rates.items()},
            "floor_images_per_second": self.floors,
        }
