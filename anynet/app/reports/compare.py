"""What a report claims beside what was measured."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from anynet.app.reports.report import Configuration, Report
from anynet.app.reports.runs import Outcome
from anynet.core.history import mean_and_deviation

MARGIN = 0.015
"""How far from a claimed accuracy a measured one agrees."""


class Row(NamedTuple):
    """A figure of a configuration: the report's, where it has one, and the mean and deviation of ours."""

    configuration: str
    figure: str
    claimed: float | None
    mean: float
    deviation: float | None
    remark: str

    def cells(self) -> list[str]:
        """For a table, in percent."""
        if np.isnan(self.mean):
            here, difference = "diverged", ""
        else:
            here = f"{100 * self.mean:.2f}" + ("" if self.deviation is None else f" ± {100 * self.deviation:.2f}")
            difference = "" if self.claimed is None else f"{100 * (self.mean - self.claimed):+.2f}"
        claimed = "" if self.claimed is None else f"{100 * self.claimed:.2f}"
        return [self.configuration, self.figure.replace("_", " "), claimed, here, difference, self.remark]


HEADER = ["configuration", "figure, %", "report", "here", "difference", ""]


def compare_all(report: Report, outcomes: Mapping[str, Sequence[Outcome]]) -> list[Row]:
    """The rows of all of a report's configurations."""
    return [row for name, each in report.configurations.items() for row in compare(name, each, outcomes[name])]


def compare(name: str, configuration: Configuration, outcomes: Sequence[Outcome]) -> list[Row]:
    """A row for each of the claims; where there are none, one for the test accuracy."""
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
    words = "agrees" if abs(mean - claimed) <= MARGIN else "above" if mean > claimed else "below"
    return words if words == "agrees" or not why else f"{words}: {why}"
