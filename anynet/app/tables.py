"""Tables of results, which fit the width they are printed at."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from anynet.core.formatting import format_count, printable, wrapped

SHOWN = 10
"""Number of rows that a table of results shows."""

Result = TypeVar("Result")


class FittingTable:
    """A table or, where that is too wide, a paragraph for each row. No number is cut off.

    Parameters
    ----------
    title : str
    columns : sequence of str
        Headers, maybe of several lines. Columns without any text in their rows are left out.
    rows : sequence of sequence of str
        Texts of each row.
    breaking : str, optional
        Header of a column whose texts may be broken behind commas.
    optional : sequence of str
        Headers of columns that a table which is too wide does without, the first first; paragraphs have them.
    """

    def __init__(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        breaking: str | None = None,
        optional: Sequence[str] = (),
    ) -> None:
        there = [i for i in range(len(columns)) if not rows or any(row[i] for row in rows)]
        self._title, self._columns = _printable(title), [columns[i] for i in there]
        self._rows = [[_printable(row[i]) for i in there] for row in rows]
        self._breaking = self._columns.index(breaking) if breaking in self._columns else None
        self._narrower = None
        if optional:
            kept = [i for i, name in enumerate(columns) if name != optional[0]]
            self._narrower = FittingTable(
                title, [columns[i] for i in kept], [[row[i] for i in kept] for row in rows], breaking, optional[1:]
            )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        table = self._table(options.max_width)
        yield Text(self._title, style="italic", no_wrap=True, overflow="ignore")
        if table is None:
            yield from self._paragraphs(options.max_width)
        else:
            yield table

    def _table(self, width: int) -> Table | None:
        """Return the table, without optional columns if necessary; None if it is too wide."""
        rows = self._broken(width)
        if self._width(rows) > width:
            return None if self._narrower is None else self._narrower._table(width)
        table = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False)
        for name in self._columns:
            table.add_column(name, no_wrap=True)
        for row in rows:
            table.add_row(*map(Text, row))  # as it is: rich would take [b] in a name for a command
        return table

    def _width(self, rows: Sequence[Sequence[str]]) -> int:
        """Return the width of the table, with a space between columns."""
        widths = [max(map(_widest, column)) for column in zip(self._columns, *rows, strict=True)]
        return sum(widths) + len(widths) - 1

    def _broken(self, width: int) -> list[list[str]]:
        """Return the rows, the column that may be broken as wide as the others leave room for it."""
        at = self._breaking
        if at is None:
            return self._rows
        room = width - self._width([[*row[:at], "", *row[at + 1 :]] for row in self._rows]) + _widest(self._columns[at])
        room = max(room, _widest(self._columns[at]))
        return [[*row[:at], "\n".join(wrapped(row[at], room)), *row[at + 1 :]] for row in self._rows]

    def _paragraphs(self, width: int) -> Iterator[RenderableType]:
        for row in self._rows:
            first, *items = (
                text if i == self._breaking or (i == 0 and not text.isdecimal()) else f"{name} {text}".strip()
                for i, (name, text) in enumerate(zip(self._columns, row, strict=True))
                if text
            )
            for line in wrapped(f"{first}: {', '.join(items)}".replace("\n", " "), width, "  "):
                yield Text(line, no_wrap=True, overflow="ignore")


def best_table(
    dataset: str,
    kind: str,
    results: Sequence[Result],
    columns: Sequence[str],
    cells: Callable[[Result], Sequence[str]],
    which: str = "",
) -> FittingTable:
    """Return a table of the best results.

    Parameters
    ----------
    dataset : str
        Name of the data set, for the title.
    kind : str
        Plural noun for the results, for the title; its s is left out of one result.
    results : sequence
        Results, the best first; the first `SHOWN` become rows.
    columns : sequence of str
        Headers.
    cells : callable
        Returns the texts of a result's row.
    which : str
        End of the title.

    Returns
    -------
    FittingTable
    """
    number = f"the best {SHOWN} of " * (len(results) > SHOWN) + format_count(len(results), kind.removesuffix("s"))
    return FittingTable(f"{dataset}: {number}{which}", columns, [cells(result) for result in results[:SHOWN]])


def print_table(table: RenderableType) -> None:
    """Print a table on stdout. Too wide is better than cut off."""
    Console().print(table, crop=False)  # of this width: the console that rich shares keeps the first one


def _printable(text: str) -> str:
    """Return a text, such as the name of a folder, without characters that could command a terminal."""
    return "\n".join(printable(line, len(line)) for line in text.split("\n"))


def _widest(text: str) -> int:
    return max(map(len, text.split("\n")))
