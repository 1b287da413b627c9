"""What the small benchmarks share: their command line, ways that are timed in turn, and where the numbers go."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cyclopts import App
from rich.console import Console
from rich.table import Table

import anynet as an
from benchmarks import machine


def run(command: Callable[..., object], tokens: Sequence[str] | None = None) -> None:
    """Run a command line. What a user can mend ends in one line on stderr and exit code 2."""
    app = App()
    app.default(command)
    try:
        app(tokens)
    except (an.BackendError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def backends(names: Sequence[str]) -> dict[str, an.Backend]:
    """By name, which compile ahead what they would compile in the course of a long run.

    Raises BackendError for one that cannot be used here.
    """
    found = {name: an.backend(name) for name in names}
    for backend in found.values():
        if (target := backend.target) is not None:
            type(target).patience = 1
    return found


def in_turn(ways: Sequence[Callable[[], object]], repeats: int) -> list[list[float]]:
    """Seconds of each, as often as they are repeated; the first time, in which they compile, does not count."""
    seconds: list[list[float]] = [[] for _ in ways]
    for repeat in range(repeats + 1):
        for way, took in zip(ways, seconds, strict=True):
            began = time.perf_counter()
            way()
            if repeat:
                took.append(time.perf_counter() - began)
    return seconds


def check_new(out: Path | None) -> None:
    """Raises FileExistsError where there is a file already, FileNotFoundError where there is no folder for it."""
    if out is not None and out.exists():
        raise FileExistsError(f"{out} is there already, and is not overwritten; choose another --out")
    if out is not None and not out.parent.is_dir():
        raise FileNotFoundError(f"--out: expected a file in a folder that is there, got {out}; make the folder first")


def leave(table: Table, numbers: dict[str, Any], out: Path | None) -> None:
    """Print the table; the numbers and the machine as JSON to ``out``, or else on stdout."""
    Console(stderr=True).print(table)
    text = json.dumps({"machine": machine.describe()} | numbers, indent=1) + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
