"""Performance targets for a GPU, and measured values."""

import json
import statistics
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.card.gradients import LOOPS, TOLERANCE
from benchmarks.card.parts import NETS
from benchmarks.peers import ANYNET, on_gpu

SMALL_NETS = NETS[:4]
"""Nets for which eager PyTorch spends most of the time on kernel launches."""

EAGER_RATIO, COMPILED_RATIO, FORTY_EPOCHS_SECONDS = 5.0, 1.0, 1.0


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
        found += _net_targets(device, json.loads(path.read_text(encoding="utf-8")))
    if (path := folder / "forty_epochs.json").exists():
        runs = json.loads(path.read_text(encoding="utf-8"))["runs"][device]
        took = statistics.median(run["seconds"]["total"] - run["seconds"]["import"] for run in runs)
        quantity = "forty epochs of one layer, from reading the files to the test, in seconds"
        found.append(Expectation(quantity, FORTY_EPOCHS_SECONDS, took, at_most=True))
    return found


def _net_targets(device: str, content: dict[str, Any]) -> list[Expectation]:
    results = {result["workload"]["name"]: result for group in content["results"].values() for result in group}
    place, found = ":cuda" if on_gpu(ANYNET + device) else "", []
    compiled = [f"{name}{place}" for name in ("torch-compile", "jax-scan", "jax-step")]

    def ratio(net: str, others: list[str]) -> float | None:
        rates = (
            {name: rate["median"] for name, rate in results[net]["images_per_second"].items()} if net in results else {}
        )
        anynet_rate, peers = rates.get(ANYNET + device), [rates[name] for name in others if name in rates]
        return anynet_rate / max(peers) if anynet_rate and peers else None

    for net in SMALL_NETS:
        found.append(Expectation(f"{net}: times torch{place}, eager", EAGER_RATIO, ratio(net, [f"torch{place}"])))
    for net in NETS:
        quantity = f"{net}: times the best of {', '.join(compiled)}"
        found.append(Expectation(quantity, COMPILED_RATIO, ratio(net, compiled)))
    return found
