"""The files of a run folder that a report page is made of."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anynet.app.config_file import read_settings
from anynet.app.result_file import read_known
from anynet.app.run_report.analysis_file import read_analysis
from anynet.app.run_report.analyzed import ClassAnalysis, NumberAnalysis
from anynet.core.epoch import costs_are_losses
from anynet.core.errors import FileError
from anynet.core.history import History
from anynet.core.text_files import read_json
from anynet.training.errors import is_report
from anynet.training.load import DIVERGENCE

ADVICE = "mend the file, or make the run again"
MOST_REPORT = 1_000_000
"""Largest size of a report of divergence in bytes."""


@dataclass(frozen=True)
class RunFiles:
    """Contents of the files of a run.

    Parameters
    ----------
    path : Path
        The folder.
    name : str
        Short name on the page.
    settings : dict
        Content of ``config.toml``.
    history : History
        Empty if no epoch ended.
    result : dict
        Content of ``result.json``; empty if the run has not ended.
    analysis : ClassAnalysis, NumberAnalysis or None
        Content of ``analysis.json``.
    divergence : dict or None
        Content of ``divergence.json``.
    """

    path: Path
    name: str
    settings: dict[str, Any]
    history: History = field(default_factory=History)
    result: dict[str, Any] = field(default_factory=dict)
    analysis: ClassAnalysis | NumberAnalysis | None = None
    divergence: dict[str, Any] | None = None

    @property
    def dataset(self) -> str:
        """Name of the data set, or of its source if the run has not ended."""
        return str(self.result.get("dataset", self.settings.get("data", "unknown data")))

    @property
    def diverged(self) -> bool:
        """True if the cost stopped being finite."""
        return "diverged" in self.result or self.divergence is not None

    @property
    def columns(self) -> list[str]:
        """Names of what was measured after each epoch; without costs that are the losses."""
        equal = costs_are_losses(self.history)
        return [name for name in self.history.columns if not (equal and name.endswith("_cost"))]

    @property
    def val_name(self) -> str:
        """Name of the validation images."""
        return "test" if self.settings.get("val") == "test_batch" else "validation"


def read_run(folder: Path, name: str, own: dict[str, Any] | None = None) -> RunFiles:
    """Read the files of a run.

    Parameters
    ----------
    folder : Path
        Folder of a run.
    name : str
        Short name on the page.
    own : dict, optional
        Settings if the folder has no file of them, as that of a sweep's member that did not begin.

    Returns
    -------
    RunFiles

    Raises
    ------
    FileError
        If a file is damaged; the message names it.
    OSError
        If a file cannot be read.
    """
    settings, history = folder / "config.toml", folder / "history.csv"
    result, divergence = folder / "result.json", folder / DIVERGENCE
    return RunFiles(
        path=folder,
        name=name,
        settings=read_settings(settings) if own is None or settings.exists() else own,
        history=History.read_csv(history) if history.exists() else History(),
        result=read_known(result) if result.exists() else {},
        analysis=read_analysis(folder),
        divergence=_read_divergence(divergence) if divergence.exists() else None,
    )


def _read_divergence(path: Path) -> dict[str, Any]:
    report = read_json(path, MOST_REPORT, ADVICE)
    steps = report.get("steps_before", [])
    if not is_report(report) or not isinstance(steps, list) or not all(map(_is_step, steps)):
        raise FileError(path, "", "a report of a run that diverged", "something else", ADVICE)
    return report


def _is_step(row: Any) -> bool:
    return isinstance(row, dict) and {"step", "lr", "loss", "gradient_norm", "parameter_norm"} <= row.keys()
