"""Run a part in a separate process with a time limit."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from benchmarks.card.parts import Part

SOURCE = Path(__file__).resolve().parents[2]

MINUTES_FRACTION = 0.85
"""Fraction of the time limit passed as ``--minutes``; the last measurement overruns it."""

EXIT_SECONDS = 15
"""Seconds between an interrupt and killing the process."""

SHOWN_LINES = 15
"""Last lines shown of a failed part's output."""


class Outcome(NamedTuple):
    """Outcome of a part: a message, success, and seconds taken."""

    message: str
    success: bool
    seconds: float


def run(part: Part, folder: Path, *, quick: bool, seconds: float | None = None) -> Outcome:
    """Run a part for at most `seconds`; its output goes to ``<name>.txt`` in the folder."""
    if quick and part.quick is None:
        return Outcome("left out: no quick version", True, 0)
    if find_spec(part.module) is None:
        return Outcome(f"left out: {part.module} is not installed", True, 0)
    if seconds is not None and seconds <= 0:
        return Outcome("left out: no time left", False, 0)
    arguments = [*part.arguments, *(part.quick or () if quick else ())]
    if part.takes_minutes and seconds is not None:
        arguments += ["--minutes", f"{MINUTES_FRACTION * seconds / 60:.2f}"]
    log, began = folder / f"{part.name}.txt", time.monotonic()
    code = _call([sys.executable, "-m", part.module, *arguments], log, seconds)
    took = time.monotonic() - began
    if code is None:
        outcome = Outcome("stopped at the time limit", False, took)
    elif part.tests is not None:
        outcome = _test_outcome(part.tests, code, took)
    else:
        outcome = Outcome(f"failed with exit code {code}" if code else "succeeded", code == 0, took)
    if not outcome.success:
        print(*log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LINES:], sep="\n")
    return outcome


def _call(command: list[str], log: Path, seconds: float | None) -> int | None:
    """Return the exit code; None if the time ran out and the process and its children were ended."""
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=SOURCE,
            env=os.environ | {"COLUMNS": "160", "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # the benchmarks then write what they have
            with suppress(subprocess.TimeoutExpired):
                process.wait(EXIT_SECONDS)
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _test_outcome(report: Path, code: int, seconds: float) -> Outcome:
    """Return the outcome according to pytest's report; all tests skipped is a failure."""
    if not report.exists():
        return Outcome("failed before any test", False, seconds)
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    skipped = sum(case.find("skipped") is not None for case in cases)
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    passed = len(cases) - failed - skipped
    return Outcome(f"{passed} passed, {failed} failed, {skipped} skipped", code == 0 < passed, seconds)
