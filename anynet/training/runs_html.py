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


def outcome(runs: Sequence[Run]) -> str:
    """Return in one line the number of nets, their mean result on the test samples, and how many ended early.

    Parameters
    ----------
    runs : sequence of Run

    Returns
    -------
    str
    """
    texts = [format_count(len(runs), "net"), *([repr(runs[0].dataset)] if runs else [])]
    tests = [run.best_test for run in runs if run.best_test is not None and run.diverged is None]
    name = "loss" if any(test.accuracy is None for test in tests) else "accuracy"
    if tests:
        both = mean_and_deviation([getattr(test, name) for test in tests])
        shown = [f"{value:.2%}" if name == "accuracy" else f"{value:.4g}" for value in both]
        texts.append(f"best epochs' test {name} {' ± '.join(shown[: len(tests)])}")
    ends = Counter(run.status for run in runs if run.status != FINISHED)
    return ", ".join([*texts, *(f"{n} {status}" for status, n in ends.items())])


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
    """Return what is highest for the best run; lowest for one that diverged or has no epoch."""
    return bool(run.history) and run.diverged is None, rank(run.history.best) if run.history else (0.0, 0.0)


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
