"""Result of a gradient check: numbers, a table, a file, an error."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anynet.core.csv_files import write_rows
from anynet.core.errors import Error
from anynet.core.formatting import format_count
from anynet.core.html_table import html_block, html_table
from anynet.core.settings_text import in_lines
from anynet.gradcheck.compared_array import Entry
from anynet.gradcheck.differences import Direction, FloatArray

HEADER = (
    ("", "", "", "", "largest", "relative", "", "", "", ""),
    ("array", "probes", "kinks", "step", "error", "error", "at", "analytic", "numeric", ""),
)
LEFT_ALIGNED = ("array", "at")
WIDTH = 80
"""Number of characters of a line in the text below a table."""


class GradientError(Error, AssertionError):
    """Error for a gradient that is not the derivative."""


@dataclass(frozen=True)
class Result:
    """Result of a gradient check. Printing it gives a table.

    Parameters
    ----------
    entries : mapping of str to Entry
        By the names of the arrays.
    method : str
        Method of the differences.
    tolerance : float
        Largest relative error that passes.
    headings : mapping of str to str
        Headings of the table, by the name of the entry below.
    point : mapping of str to ndarray
        The inputs.
    """

    entries: Mapping[str, Entry]
    method: str
    tolerance: float
    headings: Mapping[str, str]
    point: Mapping[str, FloatArray]

    @property
    def passed(self) -> bool:
        """True if every gradient is right."""
        return not self._failed

    def require(self) -> None:
        """Raise an error unless every gradient is right.

        Raises
        ------
        GradientError
            With the largest error of each array that failed, and its first and last numbers: direction, both gradients
            and inputs. The result has all numbers.
        """
        if self._failed:
            inputs = "\n".join(f"input {name}, shape {x.shape}:\n{_short(x)}" for name, x in self.point.items())
            raise GradientError("\n\n".join([self._verdict(), *map(self._describe, self._failed), inputs]))

    def __repr__(self) -> str:
        entries = self._worst_first()
        worst = f"largest relative error {entries[0].relative[entries[0].worst]:.1e} in {entries[0].name}"
        arrays = f"{format_count(len(entries), 'array')}, {self.method} differences"
        return in_lines(f"Result({'passed' if self.passed else 'failed'}, {arrays}, {worst})")

    def _repr_html_(self) -> str:
        header = ["layer", *(f"{above} {name}".strip() for above, name in zip(*HEADER, strict=True))]
        layers, layer = dict[str, str](), ""
        for name in self.entries:
            layers[name] = layer = self.headings.get(name, layer)
        rows = [(layers[entry.name], *_cells(entry)) for entry in self._worst_first()]
        return html_block(f"Gradients and {self.method} differences", self._verdict(), html_table(header, rows))

    def _worst_first(self) -> list[Entry]:
        """Return the entries that failed, then the others, each sorted by their largest relative error."""
        return sorted(self.entries.values(), key=lambda entry: (entry.passed, -float(entry.relative.max())))

    def write_csv(self, path: Path) -> None:
        """Write a CSV file with a row for each array.

        Parameters
        ----------
        path : Path
            File to write or replace.
        """
        rows = [entry.row() for entry in self.entries.values()]
        write_rows(path, list(rows[0]), rows)

    def __str__(self) -> str:
        rows = {name: _cells(entry) for name, entry in self.entries.items()}
        widths = [max(map(len, column)) for column in zip(*HEADER, *rows.values(), strict=True)]
        ruler = "─" * (sum(widths) + len(widths) - 1)
        lines = [f"Gradients and {self.method} differences".center(len(ruler)).rstrip()]
        lines += [*(_align(cells, widths) for cells in HEADER), ruler]
        for name, cells in rows.items():
            if name in self.headings:
                lines.append(self.headings[name])
            lines.append(_align(cells, widths))
        return "\n".join([*lines, textwrap.fill(self._verdict(), WIDTH)])

    @property
    def _failed(self) -> list[Entry]:
        return [entry for entry in self.entries.values() if not entry.passed]

    def _verdict(self) -> str:
        if not self._failed:
            zero = [entry.name for entry in self.entries.values() if entry.unresolved]
            too_small = f"; 0: smaller than rounding errors: {', '.join(zero)}" if zero else ""
            return f"all gradients agree to {self.tolerance:g}{too_small}"
        wrong = [entry.name for entry in self._failed if not entry.kinks.all()]
        unseen = [entry.name for entry in self._failed if entry.kinks.all()]
        parts = [f"wrong gradient with respect to {', '.join(wrong)}"] if wrong else []
        if unseen:
            single = ', or single elements, method="central"' if self.method == "directional" else ""
            parts.append(
                f"nothing could be compared with respect to {', '.join(unseen)}, because every probe is at a kink, as "
                "where max-pooling sees equal pixels; add some noise to the input, or use another point or another "
                f"seed{single}"
            )
        return "; ".join(parts)

    def _describe(self, entry: Entry) -> str:
        """Return everything that is known of an array that failed."""
        settings = f"{entry.name}, {self.method} differences with step {entry.step:g}"
        slopes = f"analytical:\n{_short(entry.analytical)}\nnumerical:\n{_short(entry.numerical)}"
        if entry.kinks.all():
            return f"{settings}: {len(entry.lines)} probes, all at kinks\n{slopes}"
        line, i = entry.lines[entry.worst], entry.worst
        direction = f"\ndirection:\n{_short(line.unit)}" if isinstance(line, Direction) else ""
        return (
            f"{settings}: {len(entry.lines)} probes, {int(entry.kinks.sum())} left out at kinks\n"
            f"largest relative error {entry.relative[i]:.3e}, more than {entry.tolerance:g}, at {line}: "
            f"analytical {entry.analytical[i]:.12e}, numerical {entry.numerical[i]:.12e}{direction}\n{slopes}"
        )


def _short(array: FloatArray) -> str:
    """Return the first and the last numbers of each axis."""
    return np.array2string(array, max_line_width=WIDTH, precision=6, threshold=12, edgeitems=2)


def _cells(entry: Entry) -> tuple[str, ...]:
    row = entry.row()
    return (
        entry.name,
        f"{row['probes']:,}",
        f"{row['kinks']:,}",
        f"{row['step']:.0e}",
        f"{row['largest absolute error']:.1e}",
        f"{row['largest relative error']:.1e}",
        str(row["at"]),
        f"{row['analytical']:.2e}",
        f"{row['numerical']:.2e}",
        "✗" if not entry.passed else "0" if entry.unresolved else "✓",
    )


def _align(cells: Sequence[str], widths: Sequence[int]) -> str:
    columns = zip(HEADER[-1], cells, widths, strict=True)
    return " ".join(
        cell.ljust(width) if title in LEFT_ALIGNED else cell.rjust(width) for title, cell, width in columns
    ).rstrip()
