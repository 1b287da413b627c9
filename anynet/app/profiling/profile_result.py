"""Result of profiling, and its table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table

from anynet.app.profiling.parts import Label, Part

COLUMNS = [(direction, products) for direction in ("forward", "backward") for products in (True, False)]


@dataclass(frozen=True)
class Profile:
    """Time of a training step by layer and part; ``print`` shows a table.

    Parameters
    ----------
    rows : sequence of str
        Names of the table's rows.
    parts : mapping of Part to float
        Seconds per step.
    total : float
        Seconds of a whole step as training runs it.
    batch_size : int
        Images per step.
    where : str
        Backend, device and dtype.
    """

    rows: Sequence[str]
    parts: Mapping[Part, float]
    total: float
    batch_size: int
    where: str

    @property
    def rest(self) -> float:
        """Seconds of a step in none of the parts; negative if a step takes less time than the sum of its parts."""
        return self.total - sum(self.parts.values())

    def row(self, name: str) -> float:
        """Return the seconds of all parts of a row.

        Parameters
        ----------
        name : str
            One of `rows`.

        Returns
        -------
        float
        """
        return sum(seconds for part, seconds in self.parts.items() if part.label.row == name)

    def __rich__(self) -> Table:
        table = Table(
            title=f"Microseconds of a training step: {self.batch_size} images, {self.where}",
            caption=self._caption(),
            box=box.SIMPLE_HEAD,
            padding=0,
            show_edge=False,
        )
        table.add_column("", overflow="fold")  # where it is narrow, names are broken, and numbers stay whole
        for direction, products in COLUMNS:
            header = f"{direction}\n{'products' if products else 'elementwise'}"
            table.add_column(header, justify="right", no_wrap=True)
        table.add_column("sum", justify="right", no_wrap=True)
        table.add_column("share", justify="right", no_wrap=True)
        for name in self.rows:
            cells = [self._cell(Part(Label(name, direction), products)) for direction, products in COLUMNS]
            table.add_row(name, *cells, *self._sum(self.row(name)))
        table.add_row("Python" if self.rest >= 0 else "fused", *[""] * len(COLUMNS), *self._sum(self.rest))
        table.add_section()
        sums = [
            _microseconds(sum(s for p, s in self.parts.items() if (p.label.direction, p.products) == column))
            for column in COLUMNS
        ]
        table.add_row("total", *sums, *self._sum(self.total), style="bold")
        return table

    def __str__(self) -> str:
        text = StringIO()
        Console(file=text, width=80).print(self)
        return text.getvalue()

    def _cell(self, part: Part) -> str:
        return _microseconds(self.parts[part]) if part in self.parts else ""

    def _sum(self, seconds: float) -> tuple[str, str]:
        return _microseconds(seconds), f"{seconds / self.total:.1%}"

    def _caption(self) -> str:
        speed = f"{self.batch_size / self.total:,.0f} images/s in training steps"
        if self.rest >= 0:
            return f"{speed}; Python: between the calls"
        return f"{speed}; fused: what training gains over single operations"


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f}"
