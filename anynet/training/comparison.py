"""Comparison of runs: what differs between them, and what they have come to."""

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from anynet.core.checks import describe
from anynet.core.formatting import format_count, format_percent, format_value, printable, wrapped
from anynet.core.history import mean_and_deviation
from anynet.core.text_table import WIDTH, Cells, Tabular, shortened, text_rows
from anynet.training.environment import environment
from anynet.training.run import Run
from anynet.training.runs import Runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME, VALUE = 20, 14
"""Largest number of characters of a run's name, and of a setting that is a column of the table."""
MEASURED = ("train", "val", "test")
"""Samples that results were measured on."""
UNKNOWN = "unknown"
"""Text for the settings of a net whose file is of an earlier version of anynet."""


class Result(NamedTuple):
    """Results of a run, or of several that are one row.

    Attributes
    ----------
    name : str
    members : int
        Number of the runs that neither diverged nor were dropped.
    epochs : int
        Largest number of epochs.
    best_epoch : float
        Mean of the best epochs.
    train, val, test : tuple of float, or None
        Mean and deviation of accuracies with the best parameters, or of losses if targets are numbers; None if they
        were not measured. Deviations divide by n - 1 and are 0 for one run.
    seconds : float
        Time of training and evaluation of all.
    """

    name: str
    members: int
    epochs: int
    best_epoch: float
    train: tuple[float, float] | None
    val: tuple[float, float] | None
    test: tuple[float, float] | None
    seconds: float


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
        return tuple(_result(name, runs) for name, runs in self.groups.items())

    def plot(self) -> "Figure":
        """Draw cost, loss and accuracy by epoch, a curve for each row: the mean, and a band of one deviation.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ValueError
            If no run finished.
        """
        from anynet.plots import curves_of_members  # here, so that training without plots does not import Matplotlib

        curves = {name: [run.history for run in _finished(runs)] for name, runs in self.groups.items()}
        drawn = {name: histories for name, histories in curves.items() if histories}
        if not drawn:
            raise ValueError("plot: expected a run that has finished, got none; all diverged or were dropped")
        return curves_of_members(drawn, f"{self._first.dataset}: {format_count(len(drawn), 'run')} compared")

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


def compare(runs: Mapping[str, Run | Runs] | Sequence[Run | Runs]) -> Comparison:
    """Compare runs on one data set: which settings differ, best epochs, accuracies, time, and curves.

    Parameters
    ----------
    runs : sequence or dict of str to Run or Runs
        Results of ``anynet.fit``, or runs that ``anynet.load`` loaded, of several run folders. A `Runs` among others is
        one row, with mean and deviation; a `Runs` alone has a row for each of its members.

    Returns
    -------
    Comparison
        It shows itself as a table; ``plot`` draws the curves.

    Raises
    ------
    TypeError
        If something is no run.
    ValueError
        If there are none, or they are of several data sets.

    Examples
    --------
    >>> import numpy as np
    >>> import anynet as an
    >>> x, y = np.arange(20.0)[:, None], np.arange(20) // 10
    >>> net = an.Sequential(an.Linear(1, 2))
    >>> slow, fast = (an.fit(net, (x, y), an.SGD(lr), epochs=2, progress=False) for lr in (0.01, 1.0))
    >>> an.compare({"slow": slow, "fast": fast}).differing
    {'lr': ('0.01', '1')}
    """
    if isinstance(runs, Run) or not isinstance(runs, Mapping | Sequence) or isinstance(runs, str):
        raise TypeError(f"runs: expected a list of runs, or a dict of runs by name, got {describe(runs)}")
    named = runs.items() if isinstance(runs, Mapping) else enumerate(runs)
    groups = {text: _group(text, each) for name, each in named for text in (printable(str(name)),)}
    if len(groups) < len(runs):
        raise ValueError(f"runs: expected names that differ as texts, got {reprlib.repr([*runs])}")
    if not groups:
        raise ValueError("runs: expected one run or more, got none")
    (first, (one, *_)), *others = groups.items()
    for name, (other, *_) in others:
        for what in ("dataset", "classes", "shape"):
            there, here = getattr(one, what), getattr(other, what)
            if there != here:
                kind = {"dataset": "data set", "shape": "shape of a sample"}.get(what, what)
                raise ValueError(
                    f"runs: expected runs of one data set, got {kind} {shortened(str(there), 100)} of {first} and "
                    f"{shortened(str(here), 100)} of {name}; compare those of each data set by themselves"
                )
    return Comparison(groups)


def _group(name: str, value: Any) -> tuple[Run, ...]:
    if isinstance(value, Run):
        return (value,)
    if not isinstance(value, Runs):
        raise TypeError(f"runs, {name}: expected a Run or Runs, got {describe(value)}; anynet.load(path) loads a Run")
    if not value:
        raise ValueError(f"runs, {name}: expected one run or more, got none")
    return value.runs


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


def _finished(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run.diverged is None and not run.dropped and run.history]


def _result(name: str, runs: Sequence[Run]) -> Result:
    ended = _finished(runs)
    bests = [run.history.best for run in ended]
    accuracy = bool(runs[0].classes)
    tests = [run.best_test and (run.best_test.accuracy if accuracy else run.best_test.loss) for run in ended]
    trains = [row.train_accuracy if accuracy else row.train_loss for row in bests]
    vals = [row.val_accuracy if accuracy else row.val_loss for row in bests]
    best = float(mean_and_deviation([row.epoch for row in bests])[0]) if bests else 0.0
    epochs, seconds = max(len(run.history) for run in runs), max(run.seconds for run in runs)
    return Result(name, len(ended), epochs, best, _mean(trains), _mean(vals), _mean(tests), seconds)


def _mean(values: Sequence[float | None]) -> tuple[float, float] | None:
    there = [value for value in values if value is not None]
    if not there or len(there) < len(values):
        return None
    mean, deviation = mean_and_deviation(there)
    return float(mean), float(deviation)


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
