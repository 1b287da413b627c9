"""Warnings of the package, as commands show them."""

import sys
import warnings
from typing import Any

from tqdm import tqdm

from anynet.compiler import CompileWarning
from anynet.training import TrainingWarning


def show_in_one_line() -> None:
    """Make this process show a `CompileWarning` or a `TrainingWarning` as one line on stderr, above progress bars."""
    show_others = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, CompileWarning | TrainingWarning):
            tqdm.write(f"anynet: {message}", file=sys.stderr)
        else:
            show_others(message, category, *place, **more)

    warnings.showwarning = show
