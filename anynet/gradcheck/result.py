"""What a gradient check found, to be read, kept and raised."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from anynet.gradcheck.differences import Direction, Host, Line


class GradientError(AssertionError):
    """A gradient that is not the derivative."""


@dataclass(frozen=True)
class Entry:
    """What was found of the gradient by one array.

    name: of the array. size: how many elements it has.
    lines: the elements, or directions, that were compared.
    analytical, numerical: the slopes along them, by the gradient and by differences, float64, shape (n,).
    kinks: those that lie at a kink and are left out, bool, shape (n,).
    step: h of the differences. noise: what rounding may make of a slope at that step.
    tolerance: the largest relative error that passes.
    """

    name: str
    size: int
    lines: Sequence[Line]
    analytical: NDArray[np.float64]
    numerical: NDArray[np.float64]
    kinks: NDArray[np.bool_]
    step: float
    noise: float
    tolerance: float

    @property
    def relative(self) -> NDArray[np.float64]:
        """|a - n| / max(|a|, |n|, noise / tolerance); where the last is the largest, rounding explains an error that
        passes. Zero at kinks."""
        a, n = self.analytical, self.numerical
        scale = np.maximum(np.maximum(np.abs(a), np.abs(n)), self.noise / self.tolerance)
        return np.divide(self.absolute, scale, out=np.zeros_like(scale), where=scale > 0)

    @property
    def absolute(self) -> NDArray[np.float64]:
        """|a - n|, zero at kinks."""
        return np.where(self.kinks, 0.0, np.abs(self.analytical - self.numerical))

    @property
    def worst(self) -> int:
        """Which of the lines has the largest relative error."""
        return int(np.argmax(self.relative))

    @property
    def passed(self) -> bool:
        """Whether the two agree wherever there is no kink, and there is such a place."""
        return not bool(self.kinks.all()) and float(self.relative.max()) <= self.tolerance

    @property
    def unresolved(self) -> bool:
        """Whether every slope is smaller than what rounding may make of one: it cannot be told from zero."""
        return float(np.max(np.abs(self.analytical))) <= self.noise

    def row(self) -> dict[str, str | int | float | bool]:
        """Everything in one line, by column."""
        i = self.worst
        return {
            "array": self.name,
            "size": self.size,
            "tried": len(self.lines),
            "kinks": int(self.kinks.sum()),
            "step": self.step,
            "rounding": self.noise,
            "largest absolute error": float(self.absolute.max()),
            "largest relative error": float(self.relative[i]),
            "at": str(self.lines[i]),
            "analytical": float(self.analytical[i]),
            "numerical": float(self.numerical[i]),
            "tolerance": self.tolerance,
            "passed": self.passed,
        }


@dataclass(frozen=True)
class Result:
    """What was found of all arrays: ``print`` it, ``require()`` it, or look into ``entries``.

    entries: by the arrays' names. method: which differences. tolerance: the largest relative error that passes.
    headings: what to write above entries, by name. point: the inputs, float arrays by name.
    """

    entries: Mapping[str, Entry]
    method: str
    tolerance: float
    headings: Mapping[str, str]
    point: Mapping[str, Host]

    @property
    def passed(self) -> bool:
        """Whether every array's gradient is right."""
        return all(entry.passed for entry in self.entries.values())

    def require(self) -> None:
        """Raises GradientError, with inputs, direction and both gradients, unless every gradient is right."""
        if not self.passed:
            failed = [entry for entry in self.entries.values() if not entry.passed]
            inputs = "\n".join(f"input {name}, shape {x.shape}:\n{x}" for name, x in self.point.items())
            raise GradientError("\n\n".join([_summary(failed), *map(self._report, failed), inputs]))

    def write_csv(self, path: Path) -> None:
        """Write a line for each array."""
        rows = [entry.row() for entry in self.entries.values()]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    def __rich__(self) -> Table:
        table = Table(
            title=f"Gradients against {self.method} differences",
            caption=self._verdict(),
            box=box.SIMPLE_HEAD,
            padding=0,
            show_edge=False,
        )
        left = ("array", "at")
        for column in (
            "array",
            "tried",
            "kinks",
            "step",
            "largest\nerror",
            "relative\nerror",
            "at",
            "analytic",
            "numeric",
            "",
        ):
            table.add_column(column, justify="left" if column in left else "right", no_wrap=True)
        for entry in self.entries.values():
            if entry.name in self.headings:
                table.add_row(f"[bold]{self.headings[entry.name]}[/]")
            row = entry.row()
            table.add_row(
                entry.name,
                f"{row['tried']:,}",
                f"{row['kinks']:,}",
                f"{row['step']:.0e}",
                f"{row['largest absolute error']:.1e}",
                f"{row['largest relative error']:.1e}",
                str(row["at"]),
                f"{row['analytical']:.2e}",
                f"{row['numerical']:.2e}",
                "[red]✗[/]" if not entry.passed else "0" if entry.unresolved else "[green]✓[/]",
            )
        return table

    def __str__(self) -> str:
        text = StringIO()
        Console(file=text, width=100).print(self)
        return text.getvalue()

    def _verdict(self) -> str:
        failed = [entry for entry in self.entries.values() if not entry.passed]
        if failed:
            return _summary(failed)
        zero = [entry.name for entry in self.entries.values() if entry.unresolved]
        too_small = f"; 0: too small to tell from rounding, by {', '.join(zero)}" if zero else ""
        return f"all gradients agree to {self.tolerance:g}{too_small}"

    def _report(self, entry: Entry) -> str:
        line, row = entry.lines[entry.worst], entry.row()
        direction = f"\ndirection:\n{line.unit}" if isinstance(line, Direction) else ""
        return (
            f"{entry.name}, {self.method} differences with step {entry.step:g}: {row['tried']} tried, "
            f"{row['kinks']} left out at kinks\n"
            f"largest relative error {row['largest relative error']:.3e}, more than {entry.tolerance:g}, at {line}: "
            f"analytical {row['analytical']:.12e}, numerical {row['numerical']:.12e}{direction}\n"
            f"analytical, where tried:\n{entry.analytical}\nnumerical:\n{entry.numerical}"
        )


def _summary(failed: Sequence[Entry]) -> str:
    wrong = [entry.name for entry in failed if not entry.kinks.all()]
    unseen = [entry.name for entry in failed if entry.kinks.all()]
    said = [f"the gradient is not the derivative by {', '.join(wrong)}"] if wrong else []
    if unseen:
        said.append(
            f"nothing could be compared by {', '.join(unseen)}, at kinks throughout; move the point, or its seed"
        )
    return "; ".join(said)
