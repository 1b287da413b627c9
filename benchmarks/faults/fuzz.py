"""Damaged files given to every reader: each must be read or refused by an error of the package, soon, in little memory.

``python -m benchmarks.faults.fuzz READER INPUTS SEED KEPT`` gives files to one reader and prints the counts as JSON.
"""

import json
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from contextlib import redirect_stderr, suppress
from dataclasses import asdict, dataclass, field
from io import StringIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import FrameType
from typing import NoReturn

import anynet as an
from benchmarks.faults.reader import Reader
from benchmarks.faults.readers import READERS

HANG_SECONDS, SLOW = 2, 20
"""Time that a file may take, and how many times as long a file of a slow reader may; it is given as many fewer."""


@dataclass
class Counts:
    """Outcomes of the files given to a reader.

    Parameters
    ----------
    inputs, read : int
        Files given, and those that were read.
    refused : dict from str to int
        Refused ones by class of the error.
    tracebacks, hangs : int
        Files that ended in another error, and those that took more than `HANG_SECONDS`.
    slowest : float
        Seconds for the slowest file.
    megabytes : float
        Growth of the process's peak memory.
    faults : list of str
        Tracebacks, one of each kind.
    """

    inputs: int = 0
    read: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    tracebacks: int = 0
    hangs: int = 0
    slowest: float = 0.0
    megabytes: float = 0.0
    faults: list[str] = field(default_factory=list)


class HangError(BaseException):
    """Raised in a reader that takes too long."""


def fuzz(reader: Reader, inputs: int, seed: int, kept: Path | None = None) -> Counts:
    """Give damaged files to a reader.

    Parameters
    ----------
    reader : Reader
    inputs : int
        Number of files.
    seed : int
        Files are the same for the same seed.
    kept : Path, optional
        Folder for the files that ended in a fault.

    Returns
    -------
    Counts
    """
    random, counts, kinds = Random(seed), Counts(), set[str]()
    signal.signal(signal.SIGALRM, _hang)
    with TemporaryDirectory() as name:
        for contents in reader.folders():
            reader.write(Path(name, "valid"), contents)
            with suppress(an.Error):  # the archive's reader refuses all but the official ones
                reader.read(Path(name, "valid"))  # the memory of valid files is not counted, nor that of imports
        before = _peak()
        for number in range(inputs):
            folder = Path(name, str(number))
            content = reader.write_damaged(folder, random)
            fault = _give(reader, folder, counts)
            if fault is not None and kept is not None:
                kept.mkdir(parents=True, exist_ok=True)
                (kept / f"{seed}-{number}").write_bytes(content)
            if fault is not None and fault.splitlines()[-1][:60] not in kinds:
                kinds.add(fault.splitlines()[-1][:60])
                counts.faults.append(f"input {number}: {fault}")
            shutil.rmtree(folder)
        counts.megabytes = (_peak() - before) / 1024
    return counts


def check_refusal(reader: Reader, folder: Path) -> str:
    """Let a reader read a folder, and return "read" or the class of the error that refused it.

    Raises
    ------
    AssertionError
        If the message is not one line that names the file.
    Exception
        If the error is none of the package.
    """
    try:
        with redirect_stderr(StringIO()):
            reader.read(folder)
    except (an.Error, FileNotFoundError) as error:
        if not str(error).isprintable() or str(folder) not in str(error):
            raise AssertionError(f"the message is not one line that names the file: {error!r}") from error
        return type(error).__name__
    return "read"


def _give(reader: Reader, folder: Path, counts: Counts) -> str | None:
    """Count what becomes of a folder, and return the traceback if that is a fault."""
    counts.inputs += 1
    began = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS * (SLOW if reader.slow else 1))
    try:
        end = check_refusal(reader, folder)
    except HangError:
        counts.hangs += 1
        return traceback.format_exc()
    except Exception:
        counts.tracebacks += 1
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        counts.slowest = max(counts.slowest, time.perf_counter() - began)
    if end == "read":
        counts.read += 1
    else:
        counts.refused[end] = counts.refused.get(end, 0) + 1
    return None


def fuzz_apart(name: str, inputs: int, seed: int, kept: Path) -> Counts:
    """Return what `fuzz` finds in a process of its own; one that dies is a traceback."""
    command = [sys.executable, "-m", "benchmarks.faults.fuzz", name, str(inputs), str(seed), str(kept)]
    end = subprocess.run(command, capture_output=True, text=True, check=False)
    if end.returncode:
        return Counts(tracebacks=1, faults=[f"the process ended with {end.returncode}: {end.stderr[-2000:]}"])
    return Counts(**json.loads(end.stdout.splitlines()[-1]))


def _hang(signum: int, frame: FrameType | None) -> NoReturn:
    raise HangError


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    reader_name, number_of_inputs, first_seed, where = sys.argv[1:]
    found = fuzz(READERS[reader_name], int(number_of_inputs), int(first_seed), Path(where))
    print(json.dumps(asdict(found)))
