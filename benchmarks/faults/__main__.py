"""``python -m benchmarks.faults``: faults on purpose, in large; the tests do the same in small."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.table import Table

from anynet.core.checks import nearest
from benchmarks import common
from benchmarks.faults.fuzz import Counts, fuzz_apart
from benchmarks.faults.readers import READERS

CHUNK = 2000
"""Number of inputs that a process is given, so that one that dies costs few."""


def main(
    *,
    fuzz: common.Count = 100_000,
    readers: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    seed: int = 0,
    kept: Path = Path("faults"),
    out: Path | None = None,
) -> int:
    """Give damaged files to every reader, and count what they say. The exit code is 1 if there is a fault.

    Parameters
    ----------
    fuzz:
        Number of files, divided among the readers.
    readers:
        Names of readers. Default: all.
    seed:
        Seed of the damage.
    kept:
        Folder for files that end in a traceback or a hang.
    out:
        New JSON file for the counts. Default: stdout.
    """
    common.check_new(out)
    chosen = readers or list(READERS)
    for name in chosen:
        if name not in READERS:
            raise ValueError(f'--readers: there is no "{name}"{nearest(name, READERS)}')
    kept.mkdir(parents=True, exist_ok=True)
    table = Table("reader", "inputs", "read", "refused", "tracebacks", "hangs", "seconds", "MB", box=SIMPLE_HEAD)
    for column in table.columns:
        column.overflow = "fold"
    counts = {}
    for name in chosen:
        each = -(-fuzz // len(chosen))
        starts = range(0, each, CHUNK)
        parts = [fuzz_apart(name, min(CHUNK, each - start), seed * 10**6 + start, kept) for start in starts]
        counts[name] = total = _sum(parts)
        refused = ", ".join(f"{kind} {number:,}" for kind, number in sorted(total.refused.items()))
        numbers = (f"{n:,}" for n in (total.inputs, total.read))
        faults = (str(total.tracebacks), str(total.hangs), f"{total.slowest:.2f}", f"{total.megabytes:.0f}")
        table.add_row(name, *numbers, refused, *faults)
        print(f"{name}: {total.inputs:,} inputs", *total.faults, sep="\n", file=sys.stderr)
    common.write_results(table, {name: asdict(total) for name, total in counts.items()}, out)
    return int(any(total.tracebacks or total.hangs for total in counts.values()))


def _sum(parts: list[Counts]) -> Counts:
    total = Counts()
    for part in parts:
        for name in ("inputs", "read", "tracebacks", "hangs"):
            setattr(total, name, getattr(total, name) + getattr(part, name))
        for kind, number in part.refused.items():
            total.refused[kind] = total.refused.get(kind, 0) + number
        total.slowest, total.megabytes = max(total.slowest, part.slowest), max(total.megabytes, part.megabytes)
        total.faults += part.faults
    return total


if __name__ == "__main__":
    common.run(main)
