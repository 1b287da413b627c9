"""Results of a run as files: ``result.json``, and ``divergence.json`` of one that diverged."""

import json
from pathlib import Path
from typing import Any

from anynet.core.atomic import write_text_whole
from anynet.training import DivergedError, Run
from anynet.training.environment import environment
from anynet.training.load import DIVERGENCE


def write_failure(path: Path, dataset: str, error: DivergedError) -> Path | None:
    """Write a ``result.json`` with the reason why a run diverged, and the report, if there is one.

    Parameters
    ----------
    path : Path
        Run folder.
    dataset : str
        Name of the data set.
    error : DivergedError

    Returns
    -------
    Path or None
        The file that has the report alone.
    """
    file = None if error.report is None else path / DIVERGENCE
    if file is not None:
        write_text_whole(file, json.dumps(error.report, indent=2) + "\n")
    write_result(path, {"dataset": dataset, "diverged": str(error), "report": error.report})  # last: the run is over
    return file


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """Write ``result.json`` into a folder."""
    write_text_whole(folder / "result.json", json.dumps(result, indent=2) + "\n")


def run_result(run: Run, *, official: bool) -> dict[str, Any]:
    """Return results and environment of a run, the content of ``result.json``: what was measured."""
    results = {
        **experiment_environment(run, official=official),
        "seed": run.seed,
        "epochs": len(run.history),
        "interrupted": run.interrupted,
        "stopped_early": run.stopped_early,
        "train_accuracy": run.history[-1].train_accuracy,
        "val_accuracy": run.history[-1].val_accuracy,
        "test_loss": run.test and run.test.loss,
        "test_accuracy": run.test and run.test.accuracy,
        "best_epoch": run.best.epoch,
        "best_val_accuracy": run.history.best.val_accuracy,
        "best_test_accuracy": run.best_test and run.best_test.accuracy,
        "seconds": round(run.seconds, 3),
        "seconds_of": {name: round(seconds, 3) for name, seconds in run.seconds_of.items()} or None,
    }
    return {name: value for name, value in results.items() if value is not None}


def experiment_environment(run: Run, *, official: bool) -> dict[str, Any]:
    """Return data set, backend, device, how steps ran, versions and machine of a run."""
    return {
        "dataset": run.dataset,
        "official": official,
        "dtype": run.dtype,
        "execution": run.execution,
        **environment(run.backend),
    }
