"""Tables of results, printed at the end of a command."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from rich import box
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
        Headers. No cell is folded, so that numbers stay whole.
    cells : callable
        Returns the texts of a result's row.

    Returns
    -------
    rich.table.Table
    """
    title = f"{dataset}: the best {min(SHOWN, len(results))} of {len(results)} {kind}"
    rows = [cells(result) for result in results[:SHOWN]]
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    for name, *texts in zip(columns, *rows, strict=True):
        table.add_column(name, min_width=max(map(len, [name, *texts])))
    for row in rows:
        table.add_row(*row)
    return table
