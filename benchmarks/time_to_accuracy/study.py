"""The search for recipes, and the final runs of those chosen."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from anynet.core.atomic import write_whole
from benchmarks import common
from benchmarks.time_to_accuracy import page, process
from benchmarks.time_to_accuracy.recipes import Recipe
from benchmarks.time_to_accuracy.record import FINAL, SEARCH, SEARCH_SEED, Record, Run, margin
from benchmarks.time_to_accuracy.source import Source


@dataclass(frozen=True)
class Study:
    """Runs of all peers, written after each run.

    Attributes
    ----------
    record : Record
        Runs so far; its settings are "levels", "cap" and "images".
    peers : sequence of str
    folder : str
        Files of CIFAR-10.
    out : Path
        JSON file; page and figure get the same name with other suffixes.
    machine : dict
        Result of ``machine.describe``.
    say : callable
        Function that shows a line about a run.
    """

    record: Record
    peers: Sequence[str]
    folder: str
    out: Path
    machine: dict[str, Any]
    say: Callable[[str], None]

    def run(self, recipes: Sequence[Recipe], seeds: int) -> None:
        """Search, then train the chosen recipes with `seeds` seeds; the peers take turns."""
        self.measure(Run(peer, recipe.for_peer(peer), SEARCH, SEARCH_SEED) for recipe in recipes for peer in self.peers)
        self.measure(self.final_runs(seeds))
        self.write()

    def final_runs(self, seeds: int) -> Iterator[Run]:
        """Yield a run of each peer's chosen recipes for each seed."""
        levels = self.record.settings["levels"]
        for seed in range(SEARCH_SEED + 1, SEARCH_SEED + 1 + seeds):
            for level in levels:
                for peer in self.peers:
                    if (recipe := self.record.choose(peer, level)) is not None:
                        yield Run(peer, recipe, FINAL, seed)

    def measure(self, runs: Iterable[Run]) -> None:
        """Measure the runs that are not in the record; write everything after each."""
        settings = self.record.settings
        for run in runs:
            if self.record.find(run):
                continue
            final, top = run.purpose == FINAL, max(settings["levels"])
            source = Source(self.folder, settings["images"], final)
            limits = {"cap": settings["cap"], "enough": top if final else top + margin(top)}
            found = process.train(run.peer, run.recipe.as_dict(), run.seed, source, **limits)
            self.record.runs.append(replace(run, **found))
            self.write()
            best = max((accuracy for _, _, accuracy in found["curve"]), default=0.0)
            seconds = f"{found['curve'][-1][0]:.1f} s" if found["curve"] else "-"
            self.say(f"{run.purpose} {run.seed} {run.peer}: {run.recipe}: {best:.1%}, {seconds}, {found['outcome']}")

    def write(self) -> None:
        """Write JSON, page and figure."""
        common.save(self.record.as_dict(), self.out)
        figure = self.out.with_suffix(".png")
        text = page.page(self.record, self.machine, self.peers, figure.name)
        write_whole(self.out.with_suffix(".md"), lambda path: path.write_text(text, encoding="utf-8"))
        page.curves(self.record, self.peers).savefig(figure, dpi=80)
