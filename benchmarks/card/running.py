"""Run a part in a separate process with a time limit."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from benchmarks.card.outcome_log import summary
from benchmarks.card.parts import Part

SOURCE = Path(__file__).resolve().parents[2]

CHILD = Path(__file__).with_name("child.py")

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
    if part.tests is not None:
        part.tests.unlink(missing_ok=True)
    code = _call([sys.executable, str(CHILD), part.module, *arguments], log, seconds)
    took = time.monotonic() - began
    text = log.read_text(encoding="utf-8", errors="replace")
    end = _end(code, text)
    if part.tests is not None:
        outcome = Outcome(_test_message(part.tests, code, end), end is None and bool(summary(part.tests).passed), took)
    else:
        kept = end is not None and part.output is not None and part.output.exists()
        outcome = Outcome((end or "succeeded") + f"; {part.output} has what was measured" * kept, end is None, took)
    if not outcome.success:
        print(*text.splitlines()[-SHOWN_LINES:], sep="\n")
    return outcome


def _end(code: int | None, text: str) -> str | None:
    """Return how a process ended, from its exit code and its output; None if it succeeded."""
    if code is None:
        return "stopped at the time limit"
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    if missing := re.findall(r"ModuleNotFoundError: No module named '([\w.]+)'", text if code else ""):
        return f"failed: {missing[-1]} is not installed"
    last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
    reason = f": {last}" if re.search(r"\w", last) else ""  # the last line may be the border of a table
    return f"failed with exit code {code}{reason}" if code else None


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


def _test_message(log: Path, code: int | None, end: str | None) -> str:
    """Return how many tests passed, and how the process ended unless all tests ran."""
    found = summary(log)
    if code in (0, 1):  # all tests ran
        return f"{found}"
    return f"{end}; {found} so far" + f", in {found.running}" * (found.running is not None)
