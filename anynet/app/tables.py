"""Tables of results, printed at the end of a command."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rich.table import Table

SHOWN = 10
"""Number of rows that a table of results shows."""

Result = TypeVar("Result")


def best_table(
    dataset: str, kind: str, results: Sequence[Result], columns: Sequence[str], cells: Callable[[Result], Sequence[str]]
) -> Table:
    """Return a table of the best results.

    Parameters
    ----------
    dataset : str
        Name of the data set, for the title.
    kind : str
        Plural noun for the results, for the title.
    results : sequence
        Results, the best first; the first `SHOWN` become rows.
    columns : sequence of str
        Headers. The first columns may be folded, columns headed "members" or by a percentage are not.
    cells : callable
        Returns the texts of a result's row.

    Returns
    -------
    rich.table.Table
    """
    table = Table(title=f"{dataset}: the best {min(SHOWN, len(results))} of {len(results)} {kind}")
    for name in columns:
        fixed: dict[str, Any] = {"no_wrap": True} if name == "members" or name.endswith("%") else {"overflow": "fold"}
        table.add_column(name, **fixed)
    for result in results[:SHOWN]:
        table.add_row(*cells(result))
    return table
