"""Files that are there whole or not at all, whenever somebody looks."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

PARTIAL = ".partial-"


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Have a file written beside its place, under its name with ``PARTIAL`` ahead, then put it there in one step."""
    partial = path.with_name(PARTIAL + path.name)
    write(partial)
    os.replace(partial, path)
