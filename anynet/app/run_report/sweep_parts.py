"""Tables and curves of a sweep."""

from typing import Any, NamedTuple

from anynet.app.run_report.curve_panels import overlaid_curves
from anynet.app.run_report.inline_svg import InlinePictures
from anynet.app.run_report.page_parts import Curves
from anynet.app.run_report.run_files import RunFiles
from anynet.app.run_report.sweep_files import SweepFiles
from anynet.app.space import Point

TEXTS = {
    "best_val_accuracy": "validation, best epoch",
    "best_test_accuracy": "test, best epoch",
    "val_accuracy": "validation, last epoch",
    "test_accuracy": "test, last epoch",
    "train_accuracy": "training, last epoch",
}
"""Headers of accuracies."""


class MemberRow(NamedTuple):
    """A member's row in the table."""

    number: int
    settings: Point
    files: RunFiles
    is_best: bool


def sweep_parts(pictures: InlinePictures, sweep: SweepFiles) -> dict[str, Any]:
    """Return what the template shows of a sweep: accuracies that were measured, members, curves of combinations."""
    measured = [name for name in TEXTS if any(name in each.accuracies for each in sweep.combinations)]
    measured_alone = [name for name in TEXTS if any(name in member.result for member in sweep.members)]
    rows = [
        MemberRow(k, point, member, member is sweep.best)
        for k, (point, member) in enumerate(zip(sweep.points, sweep.members, strict=True))
    ]
    groups = {
        each.name or "all members": [
            sweep.members[k].history for k in each.members if k not in each.diverged and sweep.members[k].history
        ]
        for each in sweep.combinations
    }
    there = {name: histories for name, histories in groups.items() if histories}
    return {
        "accuracies": {name: TEXTS[name] for name in measured},
        "member_accuracies": {name: TEXTS[name] for name in measured_alone},
        "members": rows,
        "seeds": max(len(each.members) for each in sweep.combinations),
        "curves": Curves(*overlaid_curves(pictures, there, sweep.members[0].val_name)) if there else None,
    }
