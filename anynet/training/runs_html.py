"""Results of several nets as text, and as tables in HTML for notebooks."""

from collections import Counter
from collections.abc import Sequence

from anynet.core.epoch import Epoch, rank
from anynet.core.formatting import format_count
from anynet.core.history import mean_and_deviation
from anynet.core.html_table import Html, html_table
from anynet.training.evaluate import Metrics
from anynet.training.run import Run
from anynet.training.run_html import FINISHED

SHOWN = 10
"""Number of runs that a table has."""

HEADER = ("net", "seed", "epochs", "best epoch", "its validation", "its test", "test of the last", "")


def counts(run: Run) -> bool:
    """Return True if a run counts in means: it neither diverged nor was dropped."""
    return run.diverged is None and not run.dropped


def left_out(runs: Sequence[Run]) -> str:
    """Return the end of a title that says which runs do not count in means; an empty text if all do."""
    ends = Counter(run.status for run in runs if not counts(run))
    return f"; left out: {', '.join(f'{n} {status}' for status, n in ends.items())}" if ends else ""


def outcome(runs: Sequence[Run]) -> str:
    """Return in one line the number of nets, their mean result on the test samples, and how many ended early.

    Parameters
    ----------
    runs : sequence of Run

    Returns
    -------
    str
    """
    ends = Counter(run.status for run in runs if run.status != FINISHED)
    tests = [f"best epochs' test {text}" for text in _mean_test(runs)]
    return ", ".join([*_nets(runs), *tests, *(f"{n} {status}" for status, n in ends.items())])


def outcome_of_ensemble(runs: Sequence[Run], accuracy: float | None) -> str:
    """Return in one line the number of nets, the result of their ensemble, and the mean of their own results.

    Parameters
    ----------
    runs : sequence of Run
    accuracy : float or None
        Of the ensemble on the test samples, if it is known.

    Returns
    -------
    str
    """
    own = [] if accuracy is None else [f"test accuracy {accuracy:.2%}"]
    return ", ".join([*_nets(runs), *own, *(f"mean of the nets' own test {text}" for text in _mean_test(runs))])


def _nets(runs: Sequence[Run]) -> list[str]:
    return [format_count(len(runs), "net"), *([repr(runs[0].dataset)] if runs else [])]


def _mean_test(runs: Sequence[Run]) -> list[str]:
    """Return mean and deviation of the results of the best epochs on the test samples; nothing if there are none."""
    tests = [run.best_test for run in runs if counts(run) and run.best_test is not None]
    if not tests:
        return []
    name = "loss" if any(test.accuracy is None for test in tests) else "accuracy"
    both = mean_and_deviation([getattr(test, name) for test in tests])
    shown = [f"{value:.2%}" if name == "accuracy" else f"{value:.4g}" for value in both]
    return [f"{name} {' ± '.join(shown[: len(tests)])}"]


def html_runs(runs: Sequence[Run]) -> Html:
    """Return a table of the best runs, the best first.

    Parameters
    ----------
    runs : sequence of Run
        One or more.

    Returns
    -------
    Html
    """
    ranked = sorted(range(len(runs)), key=lambda k: _rank(runs[k]), reverse=True)
    rows = [_cells(k, runs[k]) for k in ranked[:SHOWN]]
    return html_table(HEADER, rows, caption=f"the best {SHOWN} of {len(runs)}" if len(runs) > SHOWN else "")


def _rank(run: Run) -> tuple[bool, tuple[float, float]]:
    """Return what is highest for the best run; lowest for one that diverged, was dropped or has no epoch."""
    return bool(run.history) and counts(run), rank(run.history.best) if run.history else (0.0, 0.0)


def _cells(k: int, run: Run) -> tuple[str, ...]:
    best = run.history.best if run.history else None
    ends = "" if run.status == FINISHED else run.status
    epochs = f"{run.last.epoch}", f"{run.best.epoch}"
    return f"{k}", f"{run.seed}", *epochs, _validated(best), _tested(run.best_test), _tested(run.test), ends


def _validated(best: Epoch | None) -> str:
    if best is None or best.val_loss is None:
        return ""
    return _tested(Metrics(0.0, best.val_loss, best.val_accuracy))


def _tested(metrics: Metrics | None) -> str:
    """Return the accuracy, or the loss of numbers; nothing without samples."""
    if metrics is None:
        return ""
    return f"loss {metrics.loss:.4g}" if metrics.accuracy is None else f"{metrics.accuracy:.2%}"
