"""Run a training in a process of its own, and note when it reaches which accuracy."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import Any, NamedTuple

SOURCE = Path(__file__).resolve().parents[2]

FINISHED, CAP, ENOUGH = OUTCOMES = "finished", "cap", "enough"
"""Ends of runs that did not fail: all epochs, time is up, an accuracy is reached."""


class Point(NamedTuple):
    """An evaluation.

    Attributes
    ----------
    seconds : float
        Since the process was started.
    epochs : float
        Number of passes over the training images.
    accuracy : float
        Fraction of images that are classified correctly.
    """

    seconds: float
    epochs: float
    accuracy: float


def follow(command: Sequence[str], cap: float, enough: float) -> tuple[list[Point], str]:
    """Run a command that prints ``[epochs, accuracy]`` after each evaluation.

    It is ended at `cap` seconds, and as soon as it prints an accuracy of `enough`.

    Returns
    -------
    points : list of Point
    outcome : str
        One of `OUTCOMES`, or the last line on stderr of a command that failed.
    """
    points: list[Point] = []
    began = time.perf_counter()
    with (
        TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(command, cwd=SOURCE, stdout=subprocess.PIPE, stderr=errors, text=True) as child,
    ):
        timer = Timer(cap, child.kill)
        timer.start()
        try:
            for line in child.stdout or ():
                points.append(Point(time.perf_counter() - began, *json.loads(line)))
                if points[-1].accuracy >= enough:
                    return points, ENOUGH
            if not child.wait():
                return points, FINISHED
            if time.perf_counter() - began >= cap:
                return points, CAP
            errors.seek(0)
            return points, (errors.read().strip().splitlines() or [f"exit code {child.returncode}"])[-1]
        finally:
            timer.cancel()
            child.kill()


def train(peer: str, recipe: dict[str, Any], seed: int, source: Sequence[Any], **limits: float) -> dict[str, Any]:
    """Train a recipe by a peer in a process of its own; return "outcome" and "curve", a list of `Point`."""
    order = json.dumps({"peer": peer, "recipe": recipe, "seed": seed, "source": source})
    command = [sys.executable, "-m", "benchmarks.time_to_accuracy.child", order]
    points, outcome = follow(command, **limits)
    return {"outcome": outcome, "curve": [[round(p.seconds, 3), round(p.epochs, 3), p.accuracy] for p in points]}
