"""Results of a training in HTML, for notebooks, and parts of their text."""

import io
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from anynet.core.formatting import format_count
from anynet.core.history import History
from anynet.core.html_table import Html, html_image
from anynet.nn import Sequential
from anynet.training.evaluate import Metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST = 60
"""Number of characters of a net that the text of a result shows."""

DPI = 100
FINISHED = "finished"
"""Status of a run that neither diverged nor ended before its last epoch."""


def net_text(net: Sequential) -> str:
    """Return a net as text; of a large one, the number of layers."""
    text = str(net)
    return text if len(text) <= LONGEST else f"{type(net).__name__} of {format_count(len(net), 'layer')}"


def test_text(test: Metrics | None, best_test: Metrics | None) -> list[str]:
    """Return the results on the test samples as texts, one if they are the same; none if there are none."""
    if test is None or best_test is None:
        return []
    if test.accuracy is None or best_test.accuracy is None:
        texts = [f"test loss {test.loss:.4g}", f"best epoch's {best_test.loss:.4g}"]
    else:
        texts = [f"test accuracy {test.accuracy:.2%}", f"best epoch's {best_test.accuracy:.2%}"]
    return texts[: 1 + (test != best_test)]


def best_text(history: History) -> list[str]:
    """Return the result of the best epoch on the validation samples as a text; none if nothing was validated."""
    best = history.best if history else None
    if best is None or best.val_loss is None:
        return []
    score = f"loss {best.val_loss:.4g}" if best.val_accuracy is None else f"accuracy {best.val_accuracy:.2%}"
    return [f"best epoch's validation {score}"]


def html_plot(plot: Callable[[], "Figure"], text: str) -> Html:
    """Return a picture; nothing without Matplotlib.

    Parameters
    ----------
    plot : callable
        Draws the figure.
    text : str
        What it shows, for readers who do not see it.

    Returns
    -------
    Html
    """
    if find_spec("matplotlib") is None:
        return Html()
    file = io.BytesIO()
    plot().savefig(file, format="png", dpi=DPI)
    return html_image(file.getvalue(), text)
