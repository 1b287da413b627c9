"""Run tests and benchmarks on a GPU and compare the results with targets.

Each part is a separate process, so that a failure does not affect the others. Results are written after each part.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from anynet.core.atomic import write_whole
from benchmarks import common, machine, tables
from benchmarks.card import wheels as packages
from benchmarks.card.expectations import Expectation, evaluate
from benchmarks.card.outcome_log import summary
from benchmarks.card.parts import CHECK, MEASURE, Part, parts
from benchmarks.card.running import SOURCE, Outcome, run
from benchmarks.peers import ANYNET, check_names

ALL = "all"

UNFINISHED = Outcome("not finished", False, 0)
"""Outcome of the part that runs when the whole command is killed."""


def main(
    *,
    stage: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    device: str = "cupy",
    minutes: common.Positive | None = None,
    quick: bool = False,
    out: Path | None = None,
    wheels: Annotated[bool, Parameter(negative="")] = False,
    python: str = packages.HERE,
) -> int:
    """Run tests and benchmarks on this machine, and compare the results with targets.

    The exit code is 0 if every part succeeds and, without --quick, every target is met; otherwise 1.

    Parameters
    ----------
    stage:
        check, measure, or names of parts. Default: all.
    device:
        anynet backend to test.
    minutes:
        Time limit. Repeats, then workloads and parts, are dropped to meet it. Default: none.
    quick:
        Use few images and repeats, as a smoke test.
    out:
        Output folder. Default: a new one in benchmarks/results, named after the GPU and the time.
    wheels:
        Only list the packages to carry to a machine without network.
    python:
        Python version of that machine, such as 3.12.
    """
    if wheels:
        print(*packages.lines(python), sep="\n")
        return 0
    if absent := packages.missing():
        todo = f"pip install {' '.join(absent)} or, without network, carry what --wheels lists elsewhere"
        print(f"not installed here: {', '.join(absent)}; {todo}", file=sys.stderr)
    check_names([ANYNET + device])
    until = None if minutes is None else time.monotonic() + 60 * minutes
    here = machine.describe()
    folder = (out or SOURCE / "benchmarks" / "results" / machine.file_name(here, on_gpu=True)).resolve()
    chosen = choose(stage or [ALL], parts(device, folder, quick=quick))
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(width=120, highlight=False)
    outcomes: dict[str, Outcome] = {}
    for i, part in enumerate(chosen):
        share = part.share / sum(later.share for later in chosen[i:])
        left = None if until is None else share * (until - time.monotonic())
        write(folder, here, {**outcomes, part.name: UNFINISHED}, evaluate(device, folder))
        limit = "" if left is None else f" for at most {max(left, 0) / 60:.1f} minutes"
        console.print(f"{part.name}: runs{limit}; output in {folder / part.name}.txt", markup=False, soft_wrap=True)
        outcomes[part.name] = run(part, folder, quick=quick, seconds=left)
        console.print(f"{part.name}: {outcomes[part.name].message}, {outcomes[part.name].seconds:.0f} s", markup=False)
        expected = evaluate(device, folder)
        write(folder, here, outcomes, expected)
    for table in make_tables(folder, here, outcomes, expected):
        console.print(table)
    success = all(o.success for o in outcomes.values()) and (quick or all(e.met for e in expected))
    console.print(f"{'passed' if success else 'not passed'}; see {folder}", markup=False, soft_wrap=True)
    return 0 if success else 1


def choose(stages: Sequence[str], every: Sequence[Part]) -> list[Part]:
    """Return the parts of the given stages or names. Raises ValueError for unknown ones."""
    names = [CHECK, MEASURE, ALL, *(part.name for part in every)]
    if unknown := [stage for stage in stages if stage not in names]:
        raise ValueError(f"--stage: expected some of {', '.join(names)}, got {', '.join(unknown)}")
    return [part for part in every if {ALL, part.stage, part.name} & set(stages)]


def write(folder: Path, here: dict[str, Any], outcomes: Mapping[str, Outcome], expected: Sequence[Expectation]) -> None:
    """Write card.md and card.json; outcomes of other parts from earlier runs in the folder are kept."""
    path = folder / "card.json"
    every: dict[str, Outcome] = {}
    if path.exists():
        parts_before = json.loads(path.read_text(encoding="utf-8"))["parts"]
        every = {name: Outcome(**fields) for name, fields in parts_before.items()}
    every |= outcomes
    content = {
        "machine": here,
        "parts": {name: outcome._asdict() for name, outcome in every.items()},
        "expectations": [e._asdict() | {"met": e.met} for e in expected],
    }
    page = [
        "# Tests and benchmarks on a GPU",
        *map(tables.markdown, make_tables(folder, here, every, expected)),
        *remarks(folder),
    ]
    texts = {path: json.dumps(content, indent=1) + "\n", folder / "card.md": "\n\n".join(page) + "\n"}
    for file, text in texts.items():
        write_whole(file, lambda path: path.write_text(text, encoding="utf-8"))  # noqa: B023


def make_tables(
    folder: Path, here: dict[str, Any], outcomes: Mapping[str, Outcome], expected: Sequence[Expectation]
) -> list[Table]:
    """Return tables of the machine and of the parts and, if any were measured, one of the targets."""
    about, parts_table = Table("machine", ""), Table("part", "outcome", "seconds")
    targets = Table("quantity", "target", "result", "met")
    for name, value in describe(folder, here).items():
        about.add_row(name, value)
    for name, outcome in outcomes.items():
        parts_table.add_row(name, outcome.message, f"{outcome.seconds:.0f}")
    for expectation in expected:
        targets.add_row(*expectation.row)
    return [about, parts_table, *([targets] if expected else [])]


def describe(folder: Path, here: dict[str, Any]) -> dict[str, str]:
    """Return device, driver, versions and date, and what the part "connect" left in the folder."""
    path = folder / "connect.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    versions = ", ".join(f"{name} {version}" for name, version in here["versions"].items())
    rows = {"GPU": here["gpu"] or "none", "CPU": f"{here['cpu']}, {here['cores']} cores", "versions": versions}
    return (
        rows
        | {name: f"{value}" for name, value in found.items() if name not in ("machine", "GPU")}
        | {"date": here["date"]}
    )


def remarks(folder: Path) -> list[str]:
    """Return what the reports in the folder left out, and tests that failed, a Markdown list for each."""
    found = []
    if failed := summary(folder / "tests.jsonl").failed:
        found.append("Failed tests:\n\n" + "\n".join(f"* {test}" for test in failed))
    for name in ("nets", "batches", "growth"):
        if (path := folder / f"{name}.json").exists():
            lines = json.loads(path.read_text(encoding="utf-8"))["remarks"]
            found += [f"Left out of {name}:\n\n" + "\n".join(f"* {line}" for line in lines)] if lines else []
    return found
