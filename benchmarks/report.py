"""What a run of the benchmarks leaves: a page, its picture, and every number as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks import tables
from benchmarks.results import Result


@dataclass(frozen=True)
class Report:
    """What was measured.

    machine: as from ``machine.describe``, and the fields of ``floor.Machine``. settings: how it was measured.
    groups: results, by what they are about.
    """

    title: str
    machine: dict[str, Any]
    settings: dict[str, Any]
    groups: Mapping[str, Sequence[Result]]

    def write(self, paths: Mapping[str, Path], figure: Figure) -> None:
        """Write the files; ``paths`` by their endings, as from ``new_files``."""
        groups = {name: [result.as_dict() for result in results] for name, results in self.groups.items()}
        content = {"machine": self.machine, "settings": self.settings, "results": groups}
        paths["json"].write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        figure.savefig(paths["png"], dpi=80)
        paths["md"].write_text(self._page(paths["png"].name), encoding="utf-8")

    def _page(self, picture: str) -> str:
        machine = self.machine
        versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
        environment = ", ".join(f"{name}={value}" for name, value in machine["environment"].items())
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        parts = [
            f"# {self.title}",
            f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, {machine['date']}; {settings}.",
            f"Peak {machine['peak'] / 1e9:,.0f} GFLOP/s, memory {machine['bandwidth'] / 1e9:,.0f} GB/s.",
            f"{versions}.",
            *([f"With {environment}."] if environment else []),
            f"![{self.title}]({picture})",
        ]
        for name, results in self.groups.items():
            parts += [f"## {name}", tables.markdown(tables.ratios(results))]
        for result in (result for results in self.groups.values() for result in results):
            parts += [f"### {result.workload}", tables.markdown(tables.rates(result))]
        lines = tables.left_out(result for results in self.groups.values() for result in results)
        if lines:
            parts += ["## Left out", "\n".join(f"* {line}" for line in lines)]
        return "\n\n".join(parts) + "\n"


def new_files(folder: Path, name: str) -> dict[str, Path]:
    """The paths of a report's files, by their endings. Raises FileExistsError where there is one already."""
    paths = {ending: folder / f"{name}.{ending}" for ending in ("md", "png", "json")}
    for path in paths.values():
        if path.exists():
            raise FileExistsError(f"{path} is there already, and is not overwritten; choose another --name")
    folder.mkdir(parents=True, exist_ok=True)
    return paths
