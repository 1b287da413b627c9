"""``anynet backends``."""

import importlib.util

from rich.console import Console
from rich.table import Table

from anynet.backends import LIBRARIES, BackendError, backend
from anynet.core.formatting import first_line


def backends() -> None:
    """List array libraries and devices, how steps run, and free and total memory; say why others cannot be used.

    Free memory is known of the default device only.
    """
    table = Table("backend", "version", "device", "steps", "free memory", "total", title="Array libraries", padding=0)
    remarks = []
    for name in LIBRARIES:
        try:
            chosen = backend(name)
            devices, execution, cause = chosen.devices(), chosen.execution, chosen.slow_because
        except Exception as error:  # a probe may raise whatever its library does
            table.add_row(name, "", "not available", "", "", "", style="dim")
            known = isinstance(error, BackendError)
            remarks.append(f"{error}" if known else f"{name}: {first_line(error)} ({type(error).__name__})")
            continue
        if cause:
            remarks.append(f"{name}: steps run as {execution}, more slowly: {cause}")
        if name == "numpy" and importlib.util.find_spec("llvmlite") is None:
            remarks.append("numpy: long trainings are faster with llvmlite; install it with: pip install llvmlite")
        version = importlib.import_module(name).__version__
        for device, memory in devices.items():
            cells = ("" if size is None else f"{size / 1e9:.1f} GB" for size in memory)
            table.add_row(name, version, device, execution, *cells)
    try:
        backend()
    except (BackendError, MemoryError) as error:
        if f"{error}" not in remarks:  # of no library above, such as a wrong name
            remarks.append(f"ANYNET_BACKEND: {error}")
    console = Console()
    console.print(table)
    for line in remarks:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
