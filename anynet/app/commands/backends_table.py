"""What can be computed with here."""

import importlib

from rich.console import Console
from rich.table import Table

from anynet.backends import LIBRARIES, BackendError, backend


def table() -> None:
    """Print each library, its version, its devices and memory, or why it cannot be used and what would mend it."""
    columns = Table("backend", "version", "device", "free memory", "of", title="Where anynet can compute")
    broken = []
    for name in LIBRARIES:
        try:
            devices = backend(name).devices()
        except BackendError as error:
            columns.add_row(name, "", "cannot be used here", "", "", style="dim")
            broken.append(f"{error}")
            continue
        version = importlib.import_module(name).__version__
        for device, memory in devices.items():
            columns.add_row(name, version, device, *(f"{size / 1e9:.1f} GB" for size in memory or ()))
    console = Console()
    console.print(columns)
    for line in broken:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
