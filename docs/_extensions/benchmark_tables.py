"""Tables of measured throughput, made from the JSON files in benchmarks/results when the site is built.

    ```{benchmark-table} amd-epyc-2-cores.json
    ```

has a row for each library that was measured and a column for each workload: images per second, as multiples
of the baseline. The largest number of a column is bold.
"""

import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
NAMES = {
    "torch": "PyTorch, eager",
    "torch-channels-last": "PyTorch, eager, channels last",
    "torch-dataloader": "PyTorch, eager, with a DataLoader",
    "torch-compile": "PyTorch, torch.compile",
    "jax-step": "JAX, a jitted step",
    "jax-scan": "JAX, lax.scan",
    "keras": "Keras on JAX",
    "sklearn": "scikit-learn",
    "thinc": "thinc",
    "plain-numpy": "NumPy, written by hand",
    "anynet-numpy": "anynet, NumPy alone",
    "anynet-numpy+llvm": "anynet, NumPy with the extra fast",
    "anynet-torch:cpu": "anynet, PyTorch",
    "anynet-jax:cpu": "anynet, JAX",
    "torch:cuda": "PyTorch, eager",
    "torch-compile:cuda": "PyTorch, torch.compile",
    "jax-scan:cuda": "JAX, lax.scan",
    "anynet-cupy": "anynet, CuPy",
    "anynet-cupy+eager": "anynet, CuPy, steps not recorded",
    "anynet-torch:cuda": "anynet, PyTorch",
    "anynet-jax:gpu": "anynet, JAX",
}
"""Names of the measured programs; one that is not here has that of the file."""


class BenchmarkTable(Directive):
    """A table of one file of results."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table and a line about the machine."""
        path = RESULTS / self.arguments[0]
        measured = json.loads(path.read_text(encoding="utf-8"))
        self.state.document.settings.env.note_dependency(str(path))
        columns = [result for group in measured["results"].values() for result in group]
        machine, settings = measured["machine"], measured["settings"]
        versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
        processor = machine["gpu"] or f"{machine['cpu']}, {machine['cores']} cores"
        text = f"{processor}; {machine['date'][:10]}; medians of {settings['repeats']} repeats; {versions}."
        return [table(columns), nodes.paragraph("", text, classes=["measured-on"])]


def table(columns: list[dict]) -> nodes.table:
    """Return a row for each program and a column for each workload."""
    best = [max(column["ratios"].values()) for column in columns]
    programs = dict.fromkeys(name for column in columns for name in column["ratios"])
    group = nodes.tgroup("", cols=len(columns) + 1)
    group.extend(nodes.colspec(colwidth=1) for _ in range(len(columns) + 1))
    head, body = nodes.thead(), nodes.tbody()
    head += row(["", *(column["workload"]["name"] for column in columns)])
    for name in programs:
        ratios = [column["ratios"].get(name) for column in columns]
        body += row([NAMES.get(name, name), *map(cell, ratios, best)])
    group += [head, body]
    return nodes.table("", group, classes=["table", "benchmark"])


def cell(ratio: float | None, best: float) -> str | nodes.Node:
    """Return a ratio with two digits, or nothing if it was not measured."""
    text = "" if ratio is None else f"{ratio:.2f}"
    return nodes.strong("", text) if ratio == best else text


def row(cells: list[str | nodes.Node]) -> nodes.row:
    """Return a row of texts and nodes."""
    entries = (nodes.entry("", nodes.paragraph("", "", nodes.Text(c) if isinstance(c, str) else c)) for c in cells)
    return nodes.row("", *entries)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("benchmark-table", BenchmarkTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
