"""Code shared by the benchmark commands: the command line, interleaved timing, and output."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.table import Table

import anynet as an
from anynet.core.atomic import write_whole
from benchmarks import machine

Count = Annotated[int, Parameter(validator=Number(gte=1))]
Positive = Annotated[float, Parameter(validator=Number(gt=0))]


def run(command: Callable[..., object], tokens: Sequence[str] | None = None) -> None:
    """Run a command line; expected errors end in one line on stderr and exit code 2, Control-C in exit code 130."""
    app = App(name=f"python -m {_module(command)}", result_action="return_value", suppress_keyboard_interrupt=False)
    app.default(command)
    try:
        result = app(tokens)
    except (an.BackendError, OSError, ValueError, MemoryError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt as error:
        print(str(error) or "interrupted", file=sys.stderr)
        sys.exit(130)
    if isinstance(result, int):
        sys.exit(result)


def _module(command: Callable[..., object]) -> str:
    spec = sys.modules[command.__module__].__spec__
    return "benchmarks" if spec is None else spec.name.removesuffix(".__main__").removesuffix(".command")


def backends(names: Sequence[str]) -> dict[str, an.Backend]:
    """Return backends by name, set to compile at the first run instead of during a long one.

    Raises BackendError for a backend that cannot be used here.
    """
    found = {name: an.backend(name) for name in names}
    for backend in found.values():
        if (target := backend.target) is not None:
            type(target).patience = 1
    return found


def interleaved(functions: Sequence[Callable[[], object]], repeats: int) -> list[list[float]]:
    """Return the seconds of each repeat of each function; the functions take turns, and a first round is not timed."""
    seconds: list[list[float]] = [[] for _ in functions]
    for repeat in range(repeats + 1):
        for function, took in zip(functions, seconds, strict=True):
            began = time.perf_counter()
            function()
            if repeat:
                took.append(time.perf_counter() - began)
    return seconds


def check_new(out: Path | None) -> None:
    """Raise FileExistsError if the file exists, FileNotFoundError if its folder does not."""
    if out is not None and out.exists():
        raise FileExistsError(f"{out} exists; choose another --out")
    if out is not None:
        check_folder(out)


def check_folder(out: Path) -> None:
    """Raise FileNotFoundError if the folder of a file does not exist."""
    if not out.parent.is_dir():
        raise FileNotFoundError(f"--out: expected a file in an existing folder, got {out}; create the folder first")


def save(numbers: dict[str, Any], out: Path | None) -> None:
    """Write `numbers` and the machine as JSON to `out`, if given; call it after each measurement, lest one be lost."""
    if out is not None:
        write_whole(out, lambda path: path.write_text(_json(numbers), encoding="utf-8"))


def write_results(table: Table, numbers: dict[str, Any], out: Path | None) -> None:
    """Print a table to stderr, and write `numbers` and the machine as JSON to `out` or stdout."""
    Console(stderr=True).print(table)
    save(numbers, out)
    if out is None:
        sys.stdout.write(_json(numbers))


def _json(numbers: dict[str, Any]) -> str:
    return json.dumps({"machine": _here()} | numbers, indent=1) + "\n"


_here = cache(machine.describe)
