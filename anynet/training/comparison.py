"""Comparison of runs: what differs between them, and what they have come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from anynet.core.formatting import format_count, format_percent, format_settings, format_value, wrapped
from anynet.core.text_table import WIDTH, Cells, Tabular, shortened, text_rows
from anynet.training.compared_results import Result, finished, result_of
from anynet.training.environment import environment
from anynet.training.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME, VALUE = 20, 14
"""Largest number of characters of a run's name, and of a setting that is a column of the table."""
MEASURED = ("train", "val", "test")
"""Samples that results were measured on."""
UNKNOWN = "unknown"
"""Text for the settings of a net whose file is of an earlier version of anynet."""


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Tabular):
    """Runs on one data set, side by side.

    Parameters
    ----------
    groups : dict of str to tuple of Run
        Runs by name; several are one row.
    """

    groups: dict[str, tuple[Run, ...]]

    @cached_property
    def differing(self) -> dict[str, tuple[str, ...]]:
        """Values of the settings that are not the same in all rows, as text, by the name of the setting."""
        every = [[_settings(run) for run in runs] for runs in self.groups.values()]
        names = dict.fromkeys(name for group in every for each in group for name in each)
        table = {name: tuple(_joined([each.get(name) for each in group]) for group in every) for name in names}
        return {name: texts for name, texts in table.items() if len(set(texts)) > 1}

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """Results, one for each row."""
        return tuple(result_of(name, runs) for name, runs in self.groups.items())

    def plot(self) -> "Figure":
        """Draw cost, loss and accuracy by epoch, a curve for each row: the mean, and a band of one deviation.

        Short values of the settings that differ stand beside the names.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ValueError
            If no run finished.
        """
        from anynet.plots import curves_of_members  # here, so that training without plots does not import Matplotlib

        curves = {
            self._label(k): [run.history for run in finished(runs)] for k, runs in enumerate(self.groups.values())
        }
        drawn = {name: histories for name, histories in curves.items() if histories}
        if not drawn:
            raise ValueError("plot: expected a run that has finished, got none; all diverged or were dropped")
        return curves_of_members(drawn, f"{self._first.dataset}: {format_count(len(drawn), 'run')} compared")

    def _label(self, k: int) -> str:
        """Return the name of a row with its short values of the settings that differ."""
        own = {name: texts[k] for name, texts in self.differing.items() if max(map(len, texts)) <= VALUE}
        return ": ".join([[*self.groups][k], *([format_settings(own)] if own else [])])

    @property
    def _first(self) -> Run:
        return next(iter(self.groups.values()))[0]

    def _cells(self) -> Cells:
        results, names = self.results, [shortened(name, NAME) for name in self.groups]
        kind = "%" if self._first.classes else "loss"
        numbers = {
            "runs": [str(each.members) for each in results],
            "best epoch": [_epoch(each) for each in results],
            **{f"{name} {kind}": [_measured(each, name, percent=kind == "%") for each in results] for name in MEASURED},
            "seconds": [f"{each.seconds:.1f}" for each in results],
        }
        left_out = [] if any(each.members > 1 for each in results) else ["runs"]
        columns = {name: texts for name, texts in numbers.items() if any(texts) and name not in left_out}
        room = WIDTH - max(map(len, ["run", *names]))
        if sum(map(_width, columns.items())) > room:
            columns.pop(f"train {kind}", None)
        settings, others = dict[str, Sequence[str]](), dict[str, Sequence[str]]()
        for name, texts in self.differing.items():
            fits = sum(map(_width, [*settings.items(), *columns.items(), (name, texts)])) <= room
            (settings if fits and max(map(len, texts)) <= VALUE else others)[name] = texts
        title = (
            f"{self._first.dataset}: {format_count(len(names), 'run')} compared, with the parameters of the best epoch"
        )
        header = ["run", *settings, *columns]
        rows = [[*row] for row in zip(names, *settings.values(), *columns.values(), strict=True)]
        return Cells(title, header, rows, "\n".join(_listed(names, others)))


def _settings(run: Run) -> dict[str, Any]:
    """Return what is known of how a net was trained."""
    known = run.settings or {"optimizer": UNKNOWN, "lr": UNKNOWN}
    where = run.environment or environment(run.backend)
    own = {"net": str(run.net), "seed": run.seed, "dtype": run.dtype, "tta": run.tta}
    return own | known | {name: where[name] for name in ("backend", "device", "precision") if name in where}


def _listed(names: Sequence[str], settings: Mapping[str, Sequence[str]]) -> list[str]:
    """Return lines that list values of settings: a table if it is narrow enough, otherwise a line for each value."""
    if not settings:
        return []
    lines = text_rows(["setting", *names], [[name, *texts] for name, texts in settings.items()])
    if len(lines[0]) <= WIDTH:
        return lines
    return [line for name, texts in settings.items() for line in (name, *_broken(names, texts))]


def _broken(names: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return lines that list a value for each run; long values are broken behind commas."""
    pairs = zip(names, texts, strict=True)
    return [line for run, text in pairs for line in wrapped(f"  {run}: {text}", WIDTH, indent=4 * " ")]


def _width(column: tuple[str, Sequence[str]]) -> int:
    """Return the width of a column of a table."""
    name, texts = column
    return 2 + max(map(len, [name, *texts]))


def _joined(values: Sequence[Any]) -> str:
    texts = [*dict.fromkeys("none" if value is None else format_value(value) for value in values)]
    return ", ".join(texts) if len(texts) <= 3 else f"{texts[0]}, ..., {texts[-1]}"


def _epoch(result: Result) -> str:
    return f"{result.best_epoch:.4g} of {result.epochs}" if result.members else "diverged"


def _measured(result: Result, name: str, *, percent: bool) -> str:
    value: tuple[float, float] | None = getattr(result, name)
    if value is None:
        return ""
    mean, deviation = value
    if percent:
        return format_percent(mean, deviation if result.members > 1 else None)
    return f"{mean:.4g} ± {deviation:.2g}" if result.members > 1 else f"{mean:.4g}"
