"""``python -m benchmarks.faults``: faults on purpose, in large; the tests do the same in small."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.table import Table

from anynet.core.checks import nearest
from benchmarks import common
from benchmarks.faults.fuzz import SLOW, Counts, fuzz_apart
from benchmarks.faults.kills import NAMES, kill
from benchmarks.faults.readers import READERS

CHUNK = 2000
"""Number of inputs that a process is given, so that one that dies costs few."""


def main(
    *,
    fuzz: common.Count = 100_000,
    readers: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    kills: common.Count | None = None,
    commands: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    backend: str = "numpy",
    seed: int = 0,
    kept: Path = Path("faults"),
    out: Path | None = None,
) -> int:
    """Damage files or kill processes, and count what becomes of them. The exit code is 1 if there is a fault.

    Without --kills, damaged files are given to every reader. With it, commands are killed at random moments and writes
    and go on; their results must be those of undisturbed ones.

    Parameters
    ----------
    fuzz:
        Number of files, divided among the readers; those that draw pages are given a twentieth.
    readers:
        Names of readers. Default: all.
    kills:
        Number of kills, divided among the commands, by KILL, TERM and INT in turn. No files are damaged.
    commands:
        Names of commands to be killed: train, seeds, sweep, search, reproduce, download. Default: all.
    backend:
        Backend of the commands to be killed.
    seed:
        Seed of the damage and of the moments.
    kept:
        Folder for files that end in a traceback or a hang.
    out:
        New JSON file for the counts. Default: stdout.
    """
    common.check_new(out)
    if kills is not None:
        return _kill(kills, _chosen("--commands", commands, NAMES), backend, seed, out)
    return _fuzz(fuzz, _chosen("--readers", readers, [*READERS]), seed, kept, out)


def _chosen(option: str, names: list[str] | None, known: Sequence[str]) -> Sequence[str]:
    for name in names or ():
        if name not in known:
            raise ValueError(f'{option}: there is no "{name}"{nearest(name, known)}')
    return names or known


def _fuzz(fuzz: int, chosen: Sequence[str], seed: int, kept: Path, out: Path | None) -> int:
    table = _table("reader", "inputs", "read", "refused", "tracebacks", "hangs", "seconds", "MB")
    counts = {}
    for name in chosen:
        each = -(-fuzz // len(chosen) // (SLOW if READERS[name].slow else 1))
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


def _kill(kills: int, chosen: Sequence[str], backend: str, seed: int, out: Path | None) -> int:
    table = _table("command", "signal", "kills", "at writes", "ended right", "lost", "tracebacks")
    counts = {}
    for name in chosen:
        with TemporaryDirectory() as folder:
            counts[name] = kill(name, -(-kills // len(chosen)), seed, Path(folder, "work"), backend)
        for number, each in counts[name].items():
            numbers = (each.kills, each.writes, each.right, each.lost, each.tracebacks)
            table.add_row(name, number, *map(str, numbers))
            print(f"{name}, {number}: {each.kills} kills", *each.faults, sep="\n", file=sys.stderr)
    found = {name: {number: asdict(each) for number, each in by.items()} for name, by in counts.items()}
    common.write_results(table, {"backend": backend, **found}, out)
    return int(any(each.lost or each.tracebacks for by in counts.values() for each in by.values()))


def _table(*columns: str) -> Table:
    table = Table(*columns, box=SIMPLE_HEAD)
    for column in table.columns:
        column.overflow = "fold"
    return table


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
