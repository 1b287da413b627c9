"""What a sweep came to, for people to read."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from anynet.app.wording import shown

SHOWN = 10


def table(result: Mapping[str, Any]) -> Table:
    """The best ten combinations in a sweep's result.json: mean and deviation over their seeds, in percent."""
    rows: Sequence[Mapping[str, Any]] = result["over_seeds"]
    title = f"{result['dataset']}: the best {min(SHOWN, len(rows))} of {len(rows)} combinations, after the best epochs"
    columns = Table(title=title)
    for name in rows[0]["settings"]:
        columns.add_column(name, overflow="fold")
    for name in ("members", "validation, %", "test, %"):
        columns.add_column(name, no_wrap=True)
    for row in rows[:SHOWN]:
        members = row["members"]
        consecutive = len(members) > 1 and members == list(range(members[0], members[-1] + 1))
        columns.add_row(
            *map(shown, row["settings"].values()),
            (f"{members[0]}-{members[-1]}" if consecutive else ", ".join(map(str, members)))
            + (f": {len(row['diverged'])} diverged" if row["diverged"] else ""),
            *(_figure(row.get(name)) for name in ("best_val_accuracy", "best_test_accuracy")),
        )
    return columns


def summary(result: Mapping[str, Any]) -> str:
    """A sweep's result.json in a line."""
    diverged = f", {len(result['diverged_members'])} diverged" if result["diverged_members"] else ""
    first, *others = result["over_seeds"]
    said = [
        f"{result['best_test_accuracy']:.2%} of member {result['best_member']}, the best in validation",
        f"{result['ensemble_test_accuracy']:.2%} of the ensemble",
    ]
    if not others:
        last, best = (_figure(first[name]) for name in ("test_accuracy", "best_test_accuracy"))
        said = [f"{last} % after the last epoch", f"{best} % after each one's best in validation", *said]
    return f"{result['members']} members{diverged}: test accuracy {', '.join(said)}"


def _figure(over_seeds: Mapping[str, float] | None) -> str:
    """Mean and deviation, in percent; nothing where all diverged."""
    return "" if over_seeds is None else f"{100 * over_seeds['mean']:.2f} ± {100 * over_seeds['deviation']:.2f}"
