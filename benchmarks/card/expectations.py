"""Performance targets for a GPU, and measured values."""

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.card.gradients import LOOPS, TOLERANCE
from benchmarks.card.parts import JOINING, NETS, SMALL_NETS
from benchmarks.peers import ANYNET, on_gpu

EAGER_RATIO, COMPILED_RATIO, JOINED_RATIO, FORTY_EPOCHS_SECONDS = 5.0, 1.0, 1.5, 1.0


Rates = dict[str, dict[str, float]]
"""Images per second, by net and peer."""


class Expectation(NamedTuple):
    """A target and the measured value.

    Attributes
    ----------
    quantity : str
    target : float
        Least value or, if `at_most`, greatest one.
    value : float or None
        Measured value; None if it was not measured.
    at_most : bool
    """

    quantity: str
    target: float
    value: float | None
    at_most: bool = False

    @property
    def met(self) -> bool:
        """True if the value was measured and meets the target."""
        if self.value is None:
            return False
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def row(self) -> tuple[str, str, str, str]:
        """Cells of a table row."""
        value = "not measured" if self.value is None else f"{self.value:.3g}"
        return (
            self.quantity,
            f"{'at most' if self.at_most else 'at least'} {self.target:g}",
            value,
            "yes" if self.met else "no",
        )


def evaluate(device: str, folder: Path) -> list[Expectation]:
    """Return the targets of a backend whose parts left result files in the folder."""
    found = []
    if (path := folder / "gradients.json").exists():
        rows = json.loads(path.read_text(encoding="utf-8"))["deviations"].values()
        cells = [row[loop] for row in rows for loop in LOOPS]
        largest = max(cells) if all(isinstance(cell, float) for cell in cells) else None
        quantity = "largest deviation of gradients from NumPy's, relative, in float64"
        found.append(Expectation(quantity, TOLERANCE, largest, at_most=True))
    if (path := folder / "nets.json").exists():
        found += _net_targets(device, _rates(path))
    if (path := folder / "joining.json").exists():
        rates = _rates(path)
        for net in SMALL_NETS:
            quantity = f"{net}: joined kernels, times separate ones"
            found.append(Expectation(quantity, JOINED_RATIO, _ratio(rates, net, JOINING[0], JOINING[1:])))
    if (path := folder / "forty_epochs.json").exists():
        runs = json.loads(path.read_text(encoding="utf-8"))["runs"][device]
        took = statistics.median(run["seconds"]["total"] - run["seconds"]["import"] for run in runs)
        quantity = "forty epochs of one layer, from reading the files to the test, in seconds"
        found.append(Expectation(quantity, FORTY_EPOCHS_SECONDS, took, at_most=True))
    return found


def _net_targets(device: str, rates: Rates) -> list[Expectation]:
    place, found = ":cuda" if on_gpu(ANYNET + device) else "", []
    compiled = [f"{name}{place}" for name in ("torch-compile", "jax-scan", "jax-step")]
    for net in SMALL_NETS:
        ratio = _ratio(rates, net, ANYNET + device, [f"torch{place}"])
        found.append(Expectation(f"{net}: times torch{place}, eager", EAGER_RATIO, ratio))
    for net in NETS:
        quantity = f"{net}: times the best of {', '.join(compiled)}"
        found.append(Expectation(quantity, COMPILED_RATIO, _ratio(rates, net, ANYNET + device, compiled)))
    return found


def _rates(report: Path) -> Rates:
    """Return the median rates of a report's JSON."""
    groups = json.loads(report.read_text(encoding="utf-8"))["results"].values()
    return {
        result["workload"]["name"]: {name: rate["median"] for name, rate in result["images_per_second"].items()}
        for group in groups
        for result in group
    }


def _ratio(rates: Rates, net: str, name: str, others: Sequence[str]) -> float | None:
    """Return the rate of a peer relative to the best of others; None if it, or all of them, were not measured."""
    measured = rates.get(net, {})
    peers = [measured[other] for other in others if other in measured]
    return measured[name] / max(peers) if name in measured and peers else None
