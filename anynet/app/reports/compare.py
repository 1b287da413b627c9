"""Claimed and measured results of a report."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from anynet.app.reports.report_contents import Configuration, Report
from anynet.app.reports.tasks import Outcome
from anynet.core.formatting import format_percent
from anynet.core.history import mean_and_deviation

MARGIN = 0.015
"""Largest difference between a claimed and a measured accuracy that agree."""


class Row(NamedTuple):
    """One result of a configuration, claimed and measured.

    Attributes
    ----------
    configuration, figure : str
        Name of the configuration and of the result.
    claimed : float or None
        The report's value.
    mean : float
        Mean of the measured values; NaN if all runs diverged.
    deviation : float or None
        Their standard deviation; None for a single run.
    remark : str
        "agrees", "above" or "below", with a reason.
    """

    configuration: str
    figure: str
    claimed: float | None
    mean: float
    deviation: float | None
    remark: str

    def cells(self) -> list[str]:
        """Return the cells of a table row, in percent."""
        if np.isnan(self.mean):
            here, difference = "diverged", ""
        else:
            here = format_percent(self.mean, self.deviation)
            difference = "" if self.claimed is None else f"{100 * (self.mean - self.claimed):+.2f}"
        claimed = "" if self.claimed is None else format_percent(self.claimed)
        return [self.configuration, self.figure.replace("_", " "), claimed, here, difference, self.remark]


HEADER = ["configuration", "figure, %", "report", "here", "difference", ""]


def compare_all(report: Report, outcomes: Mapping[str, Sequence[Outcome]]) -> list[Row]:
    """Return the rows of all configurations of a report; see `compare`."""
    return [row for name, each in report.configurations.items() for row in compare(name, each, outcomes[name])]


def compare(name: str, configuration: Configuration, outcomes: Sequence[Outcome]) -> list[Row]:
    """Compare the claims for a configuration with its runs.

    Parameters
    ----------
    name : str
        Name of the configuration.
    configuration : Configuration
        With its claims.
    outcomes : sequence of Outcome
        Its runs.

    Returns
    -------
    list of Row
        One for each claim; without claims, one for the test accuracy.
    """
    rows = []
    claims: Mapping[str, float | None] = configuration.claims or {"test_accuracy": None}
    finite = [outcome.result for outcome in outcomes if "diverged" not in outcome.result]
    for figure, claimed in claims.items():
        values = [result[figure] for result in finite]
        mean, deviation = map(float, mean_and_deviation(values)) if values else (np.nan, 0.0)
        remark = _remark(claimed, mean, configuration.why)
        if values and len(finite) < len(outcomes):
            remark = f"{len(outcomes) - len(finite)} of {len(outcomes)} diverged; {remark}"
        rows.append(Row(name, figure, claimed, mean, deviation if len(values) > 1 else None, remark))
    return rows


def _remark(claimed: float | None, mean: float, why: str) -> str:
    if claimed is None:
        return ""
    if np.isnan(mean):
        return why
    verdict = "agrees" if abs(mean - claimed) <= MARGIN else "above" if mean > claimed else "below"
    return verdict if verdict == "agrees" or not why else f"{verdict}: {why}"
