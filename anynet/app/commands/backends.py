"""``anynet backends``."""

import importlib

from rich.console import Console
from rich.table import Table

from anynet.backends import LIBRARIES, BackendError, backend


def backends() -> None:
    """List array libraries and devices, with free and total memory. For libraries that cannot be used, say why.

    Free memory is known of the default device only.
    """
    table = Table("backend", "version", "device", "free memory", "total", title="Array libraries")
    errors = []
    for name in LIBRARIES:
        try:
            devices = backend(name).devices()
        except BackendError as error:
            table.add_row(name, "", "not available", "", "", style="dim")
            errors.append(str(error))
            continue
        version = importlib.import_module(name).__version__
        for device, memory in devices.items():
            table.add_row(name, version, device, *("" if size is None else f"{size / 1e9:.1f} GB" for size in memory))
    console = Console()
    console.print(table)
    for line in errors:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
