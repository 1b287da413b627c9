"""Epochs of a training as a table in HTML."""

from collections.abc import Sequence

from anynet.core.epoch import Epoch, costs_are_losses
from anynet.core.formatting import format_count
from anynet.core.html_table import Html, html_table

SHOWN = 5
"""Number of epochs at the end that are shown, besides the best."""

PARTS = {"train": "training", "val": "validation"}


def html_epochs(rows: Sequence[Epoch], columns: Sequence[str], best: Epoch) -> Html:
    """Return a table of the last epochs and the best one.

    Parameters
    ----------
    rows : sequence of Epoch
        One or more.
    columns : sequence of str
        Names of what was measured. Costs that are equal to the losses are left out.
    best : Epoch
        One of the rows.

    Returns
    -------
    Html
    """
    last = rows[-SHOWN:]
    shown = last if best in last else [best, *last]
    names = [name for name in columns if not (name.endswith("_cost") and costs_are_losses(rows))]
    cells = [[_cell(name, row, best=row is best) for name in names] for row in shown]
    many = f"the best and the last {len(last)} of {format_count(len(rows), 'epoch')}" if len(rows) > len(shown) else ""
    return html_table([_title(name) for name in names], cells, caption=many)


def _title(name: str) -> str:
    part, _, quantity = name.partition("_")
    return f"{PARTS[part]} {quantity}" if part in PARTS else {"lr": "learning rate"}.get(name, name)


def _cell(name: str, row: Epoch, *, best: bool) -> str:
    value = getattr(row, name)
    if name == "epoch":
        return f"{value} (best)" if best else f"{value}"
    if value is None:
        return ""
    number = f"{value:.4f}" if 0.01 <= abs(value) < 1000 and name != "lr" else f"{value:.4g}"
    return {"accuracy": f"{value:.2%}", "seconds": f"{value:.1f}"}.get(name.rpartition("_")[2], number)
