"""What was expected of a card, and what came out."""

import json
import statistics
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.card.parts import NETS
from benchmarks.peers import ANYNET, on_gpu

SMALL = NETS[:4]
"""Nets of which eager PyTorch spends most of the time on launching."""

TIMES_EAGER, TIMES_COMPILED, SECONDS = 5.0, 1.0, 1.0


class Expectation(NamedTuple):
    """asked: the least ratio, or the most seconds. got: None where it was not measured."""

    what: str
    asked: float
    got: float | None
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether it was measured, and is as it was to be."""
        if self.got is None:
            return False
        return self.got <= self.asked if self.at_most else self.got >= self.asked

    @property
    def row(self) -> tuple[str, str, str, str]:
        """For a table."""
        got = "not measured" if self.got is None else f"{self.got:.2f}"
        return (
            self.what,
            f"{'at most' if self.at_most else 'at least'} {self.asked:g}",
            got,
            "yes" if self.met else "no",
        )


def judged(device: str, folder: Path) -> list[Expectation]:
    """Of a backend, by the files that parts left in a folder; nothing of those that left none."""
    found = []
    if (path := folder / "nets.json").exists():
        found += _of_nets(device, json.loads(path.read_text(encoding="utf-8")))
    if (path := folder / "forty_epochs.json").exists():
        told = json.loads(path.read_text(encoding="utf-8"))["runs"][device]
        took = statistics.median(run["seconds"]["in all"] - run["seconds"]["import"] for run in told)
        what = "forty epochs of one layer, from reading the files to the test, in seconds"
        found.append(Expectation(what, SECONDS, took, at_most=True))
    return found


def _of_nets(device: str, content: dict[str, Any]) -> list[Expectation]:
    results = {result["workload"]["name"]: result for group in content["results"].values() for result in group}
    place, found = ":cuda" if on_gpu(ANYNET + device) else "", []
    compiled = [f"{name}{place}" for name in ("torch-compile", "jax-scan", "jax-step")]

    def ratio(net: str, others: list[str]) -> float | None:
        rates = (
            {name: rate["median"] for name, rate in results[net]["images_per_second"].items()} if net in results else {}
        )
        ours, theirs = rates.get(ANYNET + device), [rates[name] for name in others if name in rates]
        return ours / max(theirs) if ours and theirs else None

    for net in SMALL:
        found.append(Expectation(f"{net}: times torch{place}, eager", TIMES_EAGER, ratio(net, [f"torch{place}"])))
    for net in NETS:
        what = f"{net}: times the best of {', '.join(compiled)}"
        found.append(Expectation(what, TIMES_COMPILED, ratio(net, compiled)))
    return found
