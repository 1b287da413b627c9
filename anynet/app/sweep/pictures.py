"""Pictures of a sweep."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anynet.app.keeping import Picture
from anynet.app.run_folder import best_weights
from anynet.app.space import Point
from anynet.core.formatting import format_count, format_settings, format_value
from anynet.data.samples import is_picture
from anynet.nn import Linear
from anynet.training import Runs
from anynet.training.run_text import net_in_short
from anynet.training.runs_html import left_out

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sweep_pictures(
    path: Path, points: Sequence[Point], runs: Runs, rows: Sequence[Mapping[str, Any]], val_name: str, shared: str
) -> list[Picture]:
    """Return the pictures of a sweep, to be drawn.

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
    shared : str
        Main settings that the members share, for the note below the curves.

    Returns
    -------
    list of Picture
    """
    dataset, seeds = runs[0].dataset, max(len(row["members"]) for row in rows)
    finished = [(row, [k for k in row["members"] if k not in row["diverged"]]) for row in rows]
    swept = [name for name in rows[0]["settings"] if len({row["settings"][name] for row in rows}) > 1]

    def curves() -> "Figure":
        from anynet import plots  # here, because Matplotlib is slow to import

        histories = {
            format_settings(row["settings"]): [runs[k].history for k in members] for row, members in finished if members
        }
        over = f"mean and deviation over {seeds} seeds" if seeds > 1 else format_count(len(runs), "member")
        nets = {net_in_short(run.net) for run in runs}
        title = f"{dataset}: {nets.pop() if len(nets) == 1 else f'{len(nets)} different nets'}\n{over}{left_out(runs)}"
        return plots.curves_of_members(histories, title, val_name, shared)

    def templates() -> "Figure":
        from anynet import plots

        members = [k for _, members in finished for k in members]
        return plots.templates_of_members(
            [best_weights(runs[k]) for k in members],
            runs[0].shape,
            [
                "\n".join([f"member {k}", *(format_settings({name: value}) for name, value in points[k].items())])
                for k in members
            ],
            f"{dataset}: class templates after each member's best epoch{', best settings first' * (len(rows) > 1)}",
            tuple(map(str, runs[0].classes)),
        )

    def accuracy() -> "Figure":
        from anynet import plots

        # The setting with the shortest values goes on the x axis, where they stand side by side.
        names = sorted(swept, key=lambda name: max(len(format_value(row["settings"][name])) for row in rows))
        accuracies = [(row["settings"], row.get("best_val_accuracy", {}).get("mean")) for row in rows]
        title = f"{dataset}: best {val_name} accuracy" + (f", mean over {seeds} seeds" if seeds > 1 else "")
        return plots.grid_map(accuracies, names, title, format_value)

    pictures = [Picture(path / "curves.png", curves)]
    if len(runs[0].net.layers) == 1 and isinstance(runs[0].net.layers[0], Linear) and is_picture(runs[0].shape):
        pictures.append(Picture(path / "templates.png", templates))
    if len(swept) in (2, 3) and any("best_val_accuracy" in row for row in rows):
        pictures.append(Picture(path / "accuracy.png", accuracy))
    return pictures
