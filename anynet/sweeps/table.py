"""What a sweep came to, for people to read."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from anynet.wording import shown

SHOWN = 10


def table(result: Mapping[str, Any]) -> Table:
    """The best ten combinations in a sweep's result.json: accuracies, means and deviations over their seeds."""
    rows: Sequence[Mapping[str, Any]] = result["over_seeds"]
    title = f"{result['dataset']}: the best {min(SHOWN, len(rows))} of {len(rows)} combinations"
    columns = Table(*rows[0]["settings"], "members", "validation, best", "test then", "test, last", "", title=title)
    for row in rows[:SHOWN]:
        columns.add_row(
            *map(shown, row["settings"].values()),
            ", ".join(map(str, row["members"])),
            *(_percent(row.get(name)) for name in ("best_val_accuracy", "best_test_accuracy", "test_accuracy")),
            f"{len(row['diverged'])} diverged" if row["diverged"] else "",
        )
    return columns


def summary(result: Mapping[str, Any]) -> str:
    """A sweep's result.json in a line."""
    said = [f"{result['members']} members"]
    if result["diverged_members"]:
        said.append(f"{len(result['diverged_members'])} diverged")
    first, *others = result["over_seeds"]
    if not others:
        said.append(f"test accuracy {_percent(first['test_accuracy'])} after the last epoch")
        said.append(f"{_percent(first['best_test_accuracy'])} after the best in validation of each")
    said.append(f"member {result['best_member']}, the best in validation, {result['best_test_accuracy']:.2%}")
    return ", ".join(said) + f"; the ensemble {result['ensemble_test_accuracy']:.2%}"


def _percent(figure: Mapping[str, float] | None) -> str:
    return "" if figure is None else f"{figure['mean']:.2%} ± {figure['deviation']:.2%}"
