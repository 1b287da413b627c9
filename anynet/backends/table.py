"""What can be computed with here."""

import importlib

from rich.console import Console
from rich.table import Table

from anynet.backends import LIBRARIES, BackendError, backend


def table() -> None:
    """Print each library, its version, its devices and memory, or why it cannot be used and what would mend it."""
    columns = Table("backend", "version", "devices", "free memory", "of", title="Where anynet can compute")
    broken = []
    for name in LIBRARIES:
        try:
            chosen = backend(name)
        except BackendError as error:
            columns.add_row(name, "", "cannot be used here", "", "", style="dim")
            broken.append(f"{name}: {error}")
            continue
        memory = chosen.memory()
        sizes = [f"{size / 1e9:.1f} GB" for size in memory] if memory else ["", ""]
        version = importlib.import_module(name).__version__
        columns.add_row(name, version, "\n".join(chosen.devices()), *sizes)
    console = Console()
    console.print(columns)
    for line in broken:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
