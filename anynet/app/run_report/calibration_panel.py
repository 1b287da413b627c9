"""Reliability diagrams, and predicted against true numbers."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from anynet.app.run_report.analyzed import Calibration, NumberAnalysis
from anynet.app.run_report.curve_panels import DASHES, WIDTH, Panel
from anynet.app.run_report.inline_svg import InlinePictures
from anynet.plots.style import COLORS, figure, styled


def calibration_panels(pictures: InlinePictures, runs: Mapping[str, Calibration]) -> list[Panel]:
    """Draw accuracy against confidence, and how many samples have each confidence.

    Parameters
    ----------
    pictures : InlinePictures
    runs : mapping of str to Calibration
        By name, as many as there are colors at most.

    Returns
    -------
    list of Panel
    """

    @styled()
    def reliability() -> Figure:
        made = figure(WIDTH, 0.85 * WIDTH)
        axes = made.subplots()
        axes.plot([0, 100], [0, 100], color="0.45", linewidth=1, linestyle=":")
        for i, calibration in enumerate(runs.values()):
            points = zip(calibration.confidence, calibration.accuracy, strict=True)
            there = [(100 * x, 100 * y) for x, y in points if x is not None and y is not None]
            if there:
                axes.plot(*zip(*there, strict=True), color=COLORS[i], linestyle=DASHES[i], marker="o", markersize=4)
        axes.set(xlabel="confidence (%)", ylabel="accuracy (%)", xlim=(0, 100), ylim=(0, 100))
        return made

    @styled()
    def counts() -> Figure:
        made = figure(WIDTH, 0.85 * WIDTH)
        axes = made.subplots()
        for i, calibration in enumerate(runs.values()):
            edges, share = 100 * np.asarray(calibration.edges, float), 100 * np.asarray(calibration.count)
            axes.stairs(
                share / max(sum(calibration.count), 1), edges, color=COLORS[i], linestyle=DASHES[i], linewidth=1.5
            )
        axes.set(xlabel="confidence (%)", ylabel="share of samples (%)", xlim=(0, 100), ylim=(0, None))
        return made

    errors = ", ".join(f"{name}: {each.error:.4f}".removeprefix(": ") for name, each in runs.items())
    return [
        Panel(
            "accuracy by confidence; on the dotted line both are equal",
            pictures.add(reliability(), f"reliability diagram; expected calibration error {errors}"),
        ),
        Panel("confidence of the predictions", pictures.add(counts(), "histogram of the confidence of predictions")),
    ]


def scatter_panels(pictures: InlinePictures, analysis: NumberAnalysis, name: str = "") -> list[Panel]:
    """Draw predicted against true numbers, a panel for each of the first four targets.

    Parameters
    ----------
    pictures : InlinePictures
    analysis : NumberAnalysis
    name : str
        Of the run, if the page has several.

    Returns
    -------
    list of Panel
    """
    return [_scatter(pictures, analysis, target, name and f"{name}: ") for target in range(min(analysis.targets, 4))]


@styled()
def _scatter(pictures: InlinePictures, analysis: NumberAnalysis, target: int, before: str) -> Panel:
    pairs = np.asarray([(true[target], predicted[target]) for true, predicted in analysis.sample], float).reshape(-1, 2)
    made = figure(WIDTH, 0.85 * WIDTH)
    axes = made.subplots()
    if len(pairs):
        ends = pairs.min(), pairs.max()
        axes.plot(ends, ends, color="0.45", linewidth=1, linestyle=":")
        axes.plot(*pairs.T, ".", color=COLORS[0], markersize=4, alpha=0.6)
    axes.set(xlabel="true", ylabel="predicted")
    of = f" of target {target + 1}" if analysis.targets > 1 else ""
    caption = f"{before}{len(pairs)} predictions{of}; on the dotted line they are right"
    return Panel(caption, pictures.add(made, f"{before}predicted against true numbers{of}"))
