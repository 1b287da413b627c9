"""Output of a benchmark run: a page, its figure, and all numbers as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from anynet.core.atomic import write_whole
from anynet.plots import Figure
from benchmarks import tables
from benchmarks.results import Result


@dataclass(frozen=True)
class Report:
    """Results of a run and their presentation.

    Attributes
    ----------
    title : str
    machine : dict
        Result of ``machine.describe`` and the fields of ``floor.Machine``.
    settings : dict
    groups : mapping of str to sequence of Result
        Results by heading.
    grown : bool
        If True, a size varies within each group.
    skipped : sequence of str
        Names of workloads left out because of the time limit.
    """

    title: str
    machine: dict[str, Any]
    settings: dict[str, Any]
    groups: Mapping[str, Sequence[Result]]
    grown: bool = False
    skipped: Sequence[str] = ()

    def write(self, paths: Mapping[str, Path]) -> None:
        """Write the JSON and the page to the paths from ``new_files``, replacing earlier versions."""
        groups = {name: [result.as_dict() for result in results] for name, results in self.groups.items()}
        content = {
            "machine": self.machine,
            "settings": self.settings,
            "results": groups,
            "skipped": self.skipped,
            "remarks": self.remarks(),
        }
        texts = {"json": json.dumps(content, indent=1) + "\n", "md": self._page(paths["png"].name)}
        for suffix, text in texts.items():
            write_whole(paths[suffix], lambda path: path.write_text(text, encoding="utf-8"))  # noqa: B023

    def draw(self, paths: Mapping[str, Path], figure: Figure) -> None:
        """Save the figure that the page shows."""
        figure.savefig(paths["png"], dpi=80)

    @property
    def results(self) -> list[Result]:
        """Results of all groups."""
        return [result for results in self.groups.values() for result in results]

    def summary(self) -> dict[str, list[Table]]:
        """Return the tables that compare workloads, by heading."""
        found = {name: [tables.ratios(results)] for name, results in self.groups.items()}
        if self.grown:
            for name, results in self.groups.items():
                found[name].insert(0, tables.throughput(results))
            found["Break-even points"] = [tables.break_even(self.groups)]
        return found

    def remarks(self) -> list[str]:
        """Return lines about peers left out and about what the time limit cut."""
        wanted, lines = self.settings["repeats"], tables.left_out(self.results)
        repeats = {r.workload.name: max(len(t.seconds) for t in r.timings.values()) for r in self.results if r.timings}
        if fewer := [f"{name} ({n})" for name, n in repeats.items() if n < wanted]:
            lines.append(f"fewer repeats than {wanted} because of the time limit: {', '.join(fewer)}")
        if self.skipped:
            lines.append(f"not measured because of the time limit: {', '.join(self.skipped)}")
        return lines

    def _page(self, figure: str) -> str:
        machine = self.machine
        versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
        environment = ", ".join(f"{name}={value}" for name, value in machine["environment"].items())
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        units = "".join(f", {name} {rate / 1e9:,.0f}" for name, rate in (machine["matrix_units"] or {}).items())
        parts = [
            f"# {self.title}",
            f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, {machine['date']}; {settings}.",
            *([f"GPU: {machine['gpu']}."] if machine["gpu"] else []),
            f"Peak {machine['peak'] / 1e9:,.0f} GFLOP/s{units}, memory {machine['bandwidth'] / 1e9:,.0f} GB/s "
            f"({'CPU' if machine['floor_of'] == 'cpu' else 'GPU'}; the lower bounds (floors) refer to it).",
            f"{versions}.",
            *([f"Environment: {environment}."] if environment else []),
            f"![{self.title}]({figure})",
        ]
        for name, compared in self.summary().items():
            parts += [f"## {name}", *map(tables.markdown, compared)]
        for result in self.results:
            parts += [f"### {result.workload}", tables.markdown(tables.rates(result))]
        if lines := self.remarks():
            parts += ["## Left out", "\n".join(f"* {line}" for line in lines)]
        return "\n\n".join(parts) + "\n"


def new_files(folder: Path, name: str) -> dict[str, Path]:
    """Return the paths of a report's files by suffix. Raises FileExistsError if one exists."""
    paths = {suffix: folder / f"{name}.{suffix}" for suffix in ("md", "png", "json")}
    for path in paths.values():
        if path.exists():
            raise FileExistsError(f"{path} exists; choose another --name")
    folder.mkdir(parents=True, exist_ok=True)
    return paths
