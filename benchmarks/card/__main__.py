"""``python -m benchmarks.card``: check, measure, judge, within the minutes given.

Each part is a process of its own, so that one that fails leaves the others' results; what there is is written at once.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from anynet.app.config import Positive
from anynet.core.atomic import write_whole
from benchmarks import machine, tables
from benchmarks.card.expectations import Expectation, judged
from benchmarks.card.parts import CHECK, MEASURE, Part, parts
from benchmarks.card.running import SOURCE, Ended, run
from benchmarks.peers import ANYNET, known

ALL = "all"


def card(
    *,
    stage: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    device: str = "cupy",
    minutes: Positive | None = None,
    quick: bool = False,
    out: Path | None = None,
) -> int:
    """Check and measure on this machine, and print and write what came out beside what was expected.

    The exit code is 0 if every part ended well and, unless it was to be quick, every expectation is met.

    Parameters
    ----------
    stage:
        check, measure, or parts by name. Default: all.
    device:
        The backend of anynet that all is about.
    minutes:
        How long it may take: for that it repeats less often, and then leaves out. Default: as long as it takes.
    quick:
        Only few images and repeats, to see that everything works.
    out:
        Folder for all files. Default: one in benchmarks/results, named after the GPU and the time.
    """
    known([ANYNET + device])
    until = None if minutes is None else time.monotonic() + 60 * minutes
    here = machine.describe()
    folder = (out or SOURCE / "benchmarks" / "results" / machine.file_name(here, on_gpu=True)).resolve()
    chosen = choose(stage or [ALL], parts(device, folder, quick=quick))
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(width=120, highlight=False)
    ended: dict[str, Ended] = {}
    for i, part in enumerate(chosen):
        share = part.share / sum(later.share for later in chosen[i:])
        left = None if until is None else share * (until - time.monotonic())
        ended[part.name] = run(part, folder, quick=quick, seconds=left)
        console.print(f"{part.name}: {ended[part.name].how}, {ended[part.name].seconds:.0f} s", markup=False)
        expected = judged(device, folder)
        write(folder, here, ended, expected)
    for table in tables_of(ended, expected):
        console.print(table)
    well = all(end.well for end in ended.values()) and (quick or all(each.met for each in expected))
    console.print(f"{'passed' if well else 'not passed'}; see {folder}", markup=False, soft_wrap=True)
    return 0 if well else 1


def choose(stages: Sequence[str], every: Sequence[Part]) -> list[Part]:
    """The parts of stages or of names. Raises ValueError for what is neither."""
    names = [CHECK, MEASURE, ALL, *(part.name for part in every)]
    if unknown := [stage for stage in stages if stage not in names]:
        raise ValueError(f"--stage: expected some of {', '.join(names)}, got {', '.join(unknown)}")
    return [part for part in every if {ALL, part.stage, part.name} & set(stages)]


def write(folder: Path, here: dict[str, Any], ended: Mapping[str, Ended], expected: Sequence[Expectation]) -> None:
    """The card's own page and JSON, with what an earlier run left there of other parts."""
    path = folder / "card.json"
    every: dict[str, Ended] = {}
    if path.exists():
        every = {name: Ended(**told) for name, told in json.loads(path.read_text(encoding="utf-8"))["parts"].items()}
    every |= ended
    content = {
        "machine": here,
        "parts": {name: end._asdict() for name, end in every.items()},
        "expectations": [each._asdict() | {"met": each.met} for each in expected],
    }
    page = [
        "# What a card shows",
        f"{here['gpu'] or here['cpu']}, {here['date']}.",
        *map(tables.markdown, tables_of(every, expected)),
        *remarks(folder),
    ]
    texts = {path: json.dumps(content, indent=1) + "\n", folder / "card.md": "\n\n".join(page) + "\n"}
    for file, text in texts.items():
        write_whole(file, lambda path: path.write_text(text, encoding="utf-8"))  # noqa: B023


def tables_of(ended: Mapping[str, Ended], expected: Sequence[Expectation]) -> list[Table]:
    """A line for each part; and one for each expectation, if anything was measured that has some."""
    ends, judgements = Table("part", "how it ended", "seconds"), Table("expected", "asked", "got", "met")
    for name, end in ended.items():
        ends.add_row(name, end.how, f"{end.seconds:.0f}")
    for each in expected:
        judgements.add_row(*each.row)
    return [ends, judgements] if expected else [ends]


def remarks(folder: Path) -> list[str]:
    """What the reports in the folder say that they left out, a list for each."""
    found = []
    for name in ("nets", "batches", "growth"):
        if (path := folder / f"{name}.json").exists():
            lines = json.loads(path.read_text(encoding="utf-8"))["remarks"]
            found += [f"Left out of {name}:\n\n" + "\n".join(f"* {line}" for line in lines)] if lines else []
    return found


if __name__ == "__main__":
    try:
        sys.exit(cyclopts.run(card))
    except ValueError as error:
        sys.exit(f"{error}")
