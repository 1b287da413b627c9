"""Plots of a sweep."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from anynet.app.run_folder import best_weights
from anynet.app.space import Point
from anynet.core.atomic import write_whole
from anynet.core.formatting import format_count, format_settings, format_value
from anynet.nn import Linear
from anynet.training import Runs


def save_plots(
    path: Path, points: Sequence[Point], runs: Runs, rows: Sequence[Mapping[str, Any]], val_name: str
) -> None:
    """Save the plots of a sweep into its folder.

    ``curves.png`` shows mean and deviation over the seeds for each combination of the other settings;
    ``templates.png`` the weights of nets of one layer; ``accuracy.png`` the accuracy over two or three swept settings.

    Parameters
    ----------
    path : Path
        Folder of the sweep.
    points : sequence of dict
        Settings in which the members differ.
    runs : Runs
        The trained members.
    rows : sequence of dict
        As returned by `anynet.app.sweep.statistics.over_seeds`.
    val_name : str
        Name of the validation images.
    """
    from anynet import plots  # here, because Matplotlib is slow to import

    dataset = runs[0].dataset
    finished = [(row, [k for k in row["members"] if k not in row["diverged"]]) for row in rows]
    histories = {
        format_settings(row["settings"]): [runs[k].history for k in members] for row, members in finished if members
    }
    seeds = max(len(row["members"]) for row in rows)
    title = f"{dataset}: {f'mean and deviation over {seeds} seeds' if seeds > 1 else format_count(len(runs), 'member')}"
    if runs.diverged:
        title += f", without {len(runs.diverged)} of {len(runs)} members that diverged"
    write_whole(path / "curves.png", plots.curves_of_members(histories, title, val_name).savefig)
    if len(runs[0].net.layers) == 1 and isinstance(runs[0].net.layers[0], Linear):
        members = [k for _, members in finished for k in members]
        figure = plots.templates_of_members(
            [best_weights(runs[k]) for k in members],
            [
                "\n".join([f"member {k}", *(format_settings({name: value}) for name, value in points[k].items())])
                for k in members
            ],
            f"{dataset}: class templates after each member's best epoch{', best settings first' * (len(rows) > 1)}",
            runs[0].classes,
        )
        write_whole(path / "templates.png", figure.savefig)
    swept = [name for name in rows[0]["settings"] if len({row["settings"][name] for row in rows}) > 1]
    if len(swept) in (2, 3):
        # The setting with the shortest values goes on the x axis, where they stand side by side.
        swept.sort(key=lambda name: max(len(format_value(row["settings"][name])) for row in rows))
        accuracies = [(row["settings"], row.get("best_val_accuracy", {}).get("mean")) for row in rows]
        title = f"{dataset}: best {val_name} accuracy" + (f", mean over {seeds} seeds" if seeds > 1 else "")
        write_whole(path / "accuracy.png", plots.grid_map(accuracies, swept, title, format_value).savefig)
