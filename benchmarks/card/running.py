"""Running a part in a process of its own, within its time."""

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

TOLD = 0.85
"""Of its time, what a part is told; the measurement that is under way then takes the rest."""

GRACE = 15
"""Seconds that a part has to end once its time is over."""

LAST = 15
"""Lines shown of a part that failed."""


class Ended(NamedTuple):
    """Of a part: how it ended, whether that is well, after how many seconds."""

    how: str
    well: bool
    seconds: float


def run(part: Part, folder: Path, *, quick: bool, seconds: float | None = None) -> Ended:
    """Run a part, for so many seconds at most; what it says goes to a file of its name."""
    if quick and part.quick is None:
        return Ended("left out, for it cannot be quick", True, 0)
    if find_spec(part.module) is None:
        return Ended(f"left out, for there is no {part.module}", True, 0)
    if seconds is not None and seconds <= 0:
        return Ended("left out for want of time", False, 0)
    words = [*part.words, *(part.quick or () if quick else ())]
    if part.in_time and seconds is not None:
        words += ["--minutes", f"{TOLD * seconds / 60:.2f}"]
    log, began = folder / f"{part.name}.txt", time.monotonic()
    code = _call([sys.executable, "-m", part.module, *words], log, seconds)
    took = time.monotonic() - began
    if code is None:
        ended = Ended("stopped when its time was over", False, took)
    elif part.tests is not None:
        ended = _of_tests(part.tests, code, took)
    else:
        ended = Ended(f"failed with code {code}" if code else "ended well", code == 0, took)
    if not ended.well:
        print(*log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST:], sep="\n")
    return ended


def _call(command: list[str], log: Path, seconds: float | None) -> int | None:
    """The exit code; None where the command took longer, and was ended with all that it had started."""
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
            process.send_signal(signal.SIGINT)  # on which a report of the benchmarks still draws what it has
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _of_tests(report: Path, code: int, seconds: float) -> Ended:
    """By the report that pytest leaves. That all were skipped is no success."""
    if not report.exists():
        return Ended("failed before any test", False, seconds)
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    skipped = sum(case.find("skipped") is not None for case in cases)
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    passed = len(cases) - failed - skipped
    return Ended(f"{passed} passed, {failed} failed, {skipped} skipped", code == 0 < passed, seconds)
