"""Function that puts runs on one data set side by side."""

import os
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from anynet.core.checks import describe
from anynet.core.formatting import printable
from anynet.core.text_table import shortened
from anynet.training.comparison import Comparison
from anynet.training.load import NET_FILE
from anynet.training.run import Run
from anynet.training.runs import Runs


def compare(runs: Mapping[str, Run | Runs] | Sequence[Run | Runs]) -> Comparison:
    """Compare runs on one data set: which settings differ, best epochs, accuracies, time, and curves.

    Parameters
    ----------
    runs : sequence or dict of str to Run or Runs
        Results of ``anynet.fit``, or runs that ``anynet.load`` loaded, of several run folders. A `Runs` among others is
        one row, with mean and deviation; a `Runs` alone has a row for each of its members. In a sequence, rows have the
        names of the folders or files that runs were loaded from; the others are numbered from 0.

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
    >>> slow = an.fit(net, (x, y), an.SGD(0.01), epochs=2, progress=False)
    >>> fast = an.fit(net, (x, y), an.SGD(1.0), epochs=2, progress=False)
    >>> an.compare({"slow": slow, "fast": fast}).differing
    {'lr': ('0.01', '1')}
    """
    if isinstance(runs, Run) or not isinstance(runs, Mapping | Sequence) or isinstance(runs, str):
        raise TypeError(f"runs: expected a list of runs, or a dict of runs by name, got {describe(runs)}")
    named = runs.items() if isinstance(runs, Mapping) else zip(_names(runs), runs, strict=True)
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


def _names(runs: Sequence[Any]) -> list[str]:
    """Return the ends of the paths of loaded runs, as long as they must be to differ, and numbers of the others."""
    paths = [_place(run.path) if isinstance(run, Run) and run.path is not None else None for run in runs]
    for length in range(1, 1 + max((len(path.parts) for path in paths if path is not None), default=1)):
        names = [f"{k}" if path is None else str(Path(*path.parts[-length:])) for k, path in enumerate(paths)]
        if len({*names}) == len(names):
            return names
    return [f"{k}" for k in range(len(paths))]


def _place(file: Path) -> Path:
    """Return the folder of a run, or the file of a net by itself."""
    path = Path(os.path.normpath(file))
    return path.parent if path.name == NET_FILE else path


def _group(name: str, value: Any) -> tuple[Run, ...]:
    if isinstance(value, Run):
        return (value,)
    if not isinstance(value, Runs):
        raise TypeError(f"runs, {name}: expected a Run or Runs, got {describe(value)}; anynet.load(path) loads a Run")
    if not value:
        raise ValueError(f"runs, {name}: expected one run or more, got none")
    return value.runs
