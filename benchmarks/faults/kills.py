"""Processes that are killed at random moments and writes, and go on: the results must be those of undisturbed ones."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from benchmarks.faults import anynet as child
from benchmarks.faults.server import Server
from benchmarks.faults.victims import Victim, archive_of, contents, download_victim, victims, write_images

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
CODES = {
    signal.SIGKILL: (-signal.SIGKILL,),
    signal.SIGTERM: (-signal.SIGTERM, 128 + signal.SIGTERM, 130, 0),
    signal.SIGINT: (130, 0),
}
"""Exit codes after each signal: 0 if the command keeps what it has."""
NAMES = ("train", "seeds", "sweep", "search", "reproduce", "download")
MOMENTS = ("half", "before", "after")
PER_BATCH = 300
SECONDS = 1.0
"""Time of the download."""
MOST_SECONDS = 300
"""Time after which a process hangs."""
FIRST_SECONDS = 0.02
"""Time before the earliest signal, so that Python itself has started."""


class Life(NamedTuple):
    """One process.

    Attributes
    ----------
    code : int
        Exit code.
    said : str
        What it wrote to stdout and stderr.
    seconds : float
        Time from its beginning to its end.
    writes : int
        Number of files that it has written.
    killed : bool
        True if a signal was sent.
    """

    code: int
    said: str
    seconds: float
    writes: int
    killed: bool


@dataclass
class Kills:
    """Kills of one command by one signal.

    Parameters
    ----------
    kills, right, lost, tracebacks : int
        Number of kills, of those after which everything ended right and not, and of tracebacks printed.
    writes : int
        Number of those kills that were at a write.
    faults : list of str
        What was lost, with the number of the case.
    """

    kills: int = 0
    writes: int = 0
    right: int = 0
    lost: int = 0
    tracebacks: int = 0
    faults: list[str] = field(default_factory=list)


def live(victim: Victim, folder: Path, kill: tuple[signal.Signals, float | str] | None = None) -> Life:
    """Run a command in a process.

    Parameters
    ----------
    victim : Victim
    folder : Path
        Of its results.
    kill : tuple, optional
        Signal, and the seconds after which it is sent, or number and moment of a write, such as "3 half".

    Returns
    -------
    Life
    """
    events = folder.with_name(f"{folder.name}.events")
    events.unlink(missing_ok=True)
    environment = os.environ | victim.environment | {child.EVENTS: str(events)}
    number, when = kill or (signal.SIGKILL, float("inf"))
    if isinstance(when, str):
        environment[child.AT] = f"{when} {int(number)}"
    command = [sys.executable, "-P", child.__file__, *victim.next_call(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as it:
        while not events.exists() and it.poll() is None:
            time.sleep(0.002)
        began, killed = time.perf_counter(), False
        if kill and not isinstance(when, str):
            try:
                it.wait(when)
            except subprocess.TimeoutExpired:
                it.send_signal(number)
                killed = True
        try:
            said, _ = it.communicate(timeout=MOST_SECONDS)
        except subprocess.TimeoutExpired:
            it.kill()
            said = f"{it.communicate()[0]}\nhung for {MOST_SECONDS} seconds"
        seconds = time.perf_counter() - began
    writes = events.stat().st_size - 1
    killed |= isinstance(when, str) and writes >= int(when.split()[0])
    return Life(it.returncode, said, seconds, writes, killed)


class Trials:
    """Cases of one command, each compared with the undisturbed result.

    Parameters
    ----------
    victim : Victim
    folder : Path
        Folder for the results of one case at a time.
    """

    def __init__(self, victim: Victim, folder: Path) -> None:
        self._victim, self._folder = victim, folder
        whole = live(victim, folder)
        if whole.code:
            raise ValueError(f"{' '.join(victim.options)} ended with {whole.code}: {whole.said}")
        self._expected = contents(folder)
        self._seconds, self._writes = whole.seconds, whole.writes

    def case(self, seed: str, number: signal.Signals, counts: Kills, most: int) -> None:
        """Kill a process, often kill also those that go on, let the last one end, and count.

        Parameters
        ----------
        seed : str
            Moments are the same for the same seed, as far as the machine is as fast.
        number : signal.Signals
            The signal.
        counts : Kills
            Counts to add to.
        most : int
            Largest number of kills.
        """
        random, faults, killed = Random(seed), list[str](), 0
        shutil.rmtree(self._folder, ignore_errors=True)
        told = []
        while killed < most and not faults and (not killed or random.random() < 0.4):
            when = self._moment(random, MOMENTS if number == signal.SIGKILL else MOMENTS[1:])
            life = live(self._victim, self._folder, (number, when))
            if not life.killed:  # it had less to do than the undisturbed one
                faults += self._check(life, (0,))
                break
            killed += 1
            counts.writes += isinstance(when, str)
            told.append(when if isinstance(when, str) else f"{when:.2f} s")
            faults += self._check(life, CODES[number])
            counts.tracebacks += "Traceback" in life.said
        if not faults:
            faults += self._check(live(self._victim, self._folder), (0,))
        if not faults:
            faults += _differences(contents(self._folder), self._expected)
        counts.kills += killed
        counts.right += 0 if faults else killed
        counts.lost += killed if faults else 0
        if faults:
            counts.faults.append(f"{seed}, {number.name} at {', '.join(told)}: {'; '.join(faults)}")

    def _moment(self, random: Random, moments: Sequence[str]) -> float | str:
        """Return a time or, in two of five cases, a write."""
        if self._writes and random.random() < 0.4:
            return f"{random.randint(1, self._writes)} {random.choice(moments)}"
        return random.uniform(FIRST_SECONDS, self._seconds)

    def _check(self, life: Life, codes: tuple[int, ...]) -> list[str]:
        """Return what is wrong after a process has ended."""
        faults = []
        if life.code not in codes or "Traceback" in life.said:
            faults.append(f"ended with {life.code}: {life.said[-1500:]}")
        try:
            if self._folder.exists():
                contents(self._folder)
        except ValueError as error:
            faults.append(str(error))
        return faults


def kill(name: str, kills: int, seed: int, folder: Path, backend: str = "numpy") -> dict[str, Kills]:
    """Kill processes of a command.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    kills : int
        Number of kills, by the signals in turn.
    seed : int
        Seed of their moments.
    folder : Path
        New folder to work in.
    backend : str
        Backend that the commands train on.

    Returns
    -------
    dict of str to Kills
        By signal.
    """
    counts = {each.name: Kills() for each in SIGNALS}
    write_images(folder / "images", PER_BATCH)
    with ExitStack() as stack:
        if name == "download":
            archive = archive_of(folder / "images")
            server = stack.enter_context(Server(archive, SECONDS))
            victim = download_victim(server.address, archive, folder / "out")
        else:
            victim = victims(folder / "images", backend)[name]
        trials = Trials(victim, folder / "out")
        tries = 0
        while (left := kills - sum(each.kills for each in counts.values())) > 0:
            number = SIGNALS[tries % len(SIGNALS)]
            trials.case(f"{name}-{seed}-{tries}", number, counts[number.name], left)
            tries += 1
    return counts


def _differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    return [
        f"{name}: " + ("missing" if name not in found else "more than expected" if name not in expected else "differs")
        for name in sorted({*found, *expected})
        if found.get(name) != expected.get(name)
    ]
