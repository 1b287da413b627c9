"""Values for the template of a page: texts, numbers, and pictures that are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from anynet.app.run_report import calibration_panel, confusion_tables, curve_panels
from anynet.app.run_report.analyzed import ClassAnalysis, NumberAnalysis
from anynet.app.run_report.confusion_tables import ClassScore, Pair
from anynet.app.run_report.curve_panels import Legend, Panel
from anynet.app.run_report.inline_svg import InlinePictures
from anynet.app.run_report.make_again import train_command
from anynet.app.run_report.net_facts import NetFacts, net_facts
from anynet.app.run_report.run_files import RunFiles
from anynet.app.run_report.time_parts import Part, seconds_per_epoch, time_parts


@dataclass(frozen=True)
class Predictions:
    """Analysis of a net's predictions, ready to be shown.

    Parameters
    ----------
    name : str
        Of the run.
    of : ClassAnalysis
    accuracy : float or None
    scores : list of ClassScore
    pairs : list of Pair
        The most frequent confusions.
    shares : list of list of float
        Cells of the matrix as fractions of their rows.
    picture : Markup or None
        The matrix, if it has too many cells for a table.
    """

    name: str
    of: ClassAnalysis
    accuracy: float | None
    scores: list[ClassScore]
    pairs: list[Pair]
    shares: list[list[float]]
    picture: Markup | None


@dataclass(frozen=True)
class RunPart:
    """A run on the page.

    Parameters
    ----------
    files : RunFiles
    net : NetFacts
    predictions : Predictions or None
    numbers : NumberAnalysis or None
    times : list of Part
    per_epoch : float or None
        Seconds.
    command : str
        Makes the run again.
    """

    files: RunFiles
    net: NetFacts
    predictions: Predictions | None
    numbers: NumberAnalysis | None
    times: list[Part]
    per_epoch: float | None
    command: str


@dataclass(frozen=True)
class Curves:
    """Panels with a legend."""

    legend: Legend
    panels: list[Panel] = field(default_factory=list)


def run_part(pictures: InlinePictures, files: RunFiles) -> RunPart:
    """Return what is shown of a run."""
    analysis = files.analysis
    return RunPart(
        files,
        net_facts(pictures, files),
        predictions(pictures, files.name, analysis) if isinstance(analysis, ClassAnalysis) else None,
        analysis if isinstance(analysis, NumberAnalysis) else None,
        time_parts(files.result),
        seconds_per_epoch(files.history),
        train_command(files.settings),
    )


def predictions(pictures: InlinePictures, name: str, analysis: ClassAnalysis) -> Predictions:
    """Return what is shown of a net's predictions."""
    large = len(analysis.classes) > confusion_tables.MOST_CELLS
    return Predictions(
        name,
        analysis,
        confusion_tables.accuracy(analysis),
        confusion_tables.class_scores(analysis),
        confusion_tables.most_confused(analysis),
        confusion_tables.shares(analysis),
        confusion_tables.matrix_picture(pictures, analysis) if large else None,
    )


def curves(pictures: InlinePictures, runs: Sequence[RunFiles]) -> Curves | None:
    """Draw the curves of one run or several; None if none has ended an epoch."""
    there = {run.name: [run.history] for run in runs if run.history}
    if not there:
        return None
    if len(runs) == 1:
        return Curves(*curve_panels.run_curves(pictures, runs[0].history, runs[0].val_name))
    return Curves(*curve_panels.overlaid_curves(pictures, there, runs[0].val_name))


def calibration(pictures: InlinePictures, parts: Sequence[Predictions]) -> Curves | None:
    """Draw the calibration of one net or several; None if none is known."""
    found = {part.name: part.of.calibration for part in parts[: curve_panels.MOST_LINES]}
    if not found:
        return None
    legend = Legend(list(found) if len(parts) > 1 else [], len(parts) - len(found))
    return Curves(legend, calibration_panel.calibration_panels(pictures, found))


def environment(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return names and texts of the environment in ``result.json``."""
    names = {"backend": "backend", "device": "device", "precision": "matmul precision", "dtype": "dtype"}
    names |= {"execution": "steps ran as", "machine": "machine", "seed": "seed"}
    found = [(text, str(result[name])) for name, text in names.items() if name in result]
    return found + [(f"{name} version", text) for name, text in result.get("versions", {}).items()]
