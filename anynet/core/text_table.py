"""Tables of results that show themselves: as text in a terminal, as HTML in a notebook."""

from collections.abc import Sequence
from typing import NamedTuple

from anynet.core.html_table import Html, html_block, html_table, html_text

WIDTH = 80
"""Number of columns of a terminal that tables fit."""


class Cells(NamedTuple):
    """Texts of a table.

    Attributes
    ----------
    title : str
    header : sequence of str
        Heading of each column; none for no table below the title.
    rows : sequence of sequence of str
    below : str
        Lines below the table, or "".
    """

    title: str
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    below: str = ""


class Tabular:
    """Base class of results that show themselves as a table."""

    def _cells(self) -> Cells:
        """Return the texts of the table."""
        raise NotImplementedError

    def __repr__(self) -> str:
        title, header, rows, below = self._cells()
        return "\n".join([title, *(text_rows(header, rows) if header else ()), *([below] if below else ())])

    def _repr_html_(self) -> str:
        title, header, rows, below = self._cells()
        end = Html(f"<pre>{html_text(below)}</pre>") if below else ""
        return html_block(title, html_table(header, rows) if header else "", end)


def shortened(text: str, width: int) -> str:
    """Return a text of so many characters at most; what is left out at its end is marked.

    Parameters
    ----------
    text : str
    width : int

    Returns
    -------
    str

    Examples
    --------
    >>> shortened("golden retriever", 8), shortened("cat", 8)
    ('golden …', 'cat')
    """
    return text if len(text) <= width else f"{text[: width - 1]}…"


def text_rows(header: Sequence[str], rows: Sequence[Sequence[str]], gap: int = 2) -> list[str]:
    """Return the lines of a table: the first column to the left, numbers in the others to the right.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequence of str
    gap : int
        Number of spaces between columns.

    Returns
    -------
    list of str

    Examples
    --------
    >>> text_rows(["class", "recall"], [["cat", "0.5"], ["horse", "0.75"]])
    ['class  recall', 'cat       0.5', 'horse    0.75']
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    first, *others = widths
    return [
        (" " * gap).join([row[0].ljust(first), *(cell.rjust(n) for cell, n in zip(row[1:], others, strict=True))])
        for row in (header, *rows)
    ]
