"""Pictures of nets that were trained at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from anynet.app.sweep.points import Point
from anynet.app.wording import described, shown
from anynet.core.atomic import write_whole
from anynet.nn import Linear
from anynet.training import Run, Runs


def draw(path: Path, points: Sequence[Point], runs: Runs, rows: Sequence[Mapping[str, Any]], val_name: str) -> None:
    """Into a folder: curves.png, with a band over the seeds for each combination of other settings; templates.png of
    nets of one layer; accuracy.png, a map, where two or three settings were swept over several values.

    points: what the members differ in. rows: as from ``over_seeds``.
    """
    from anynet import plots  # here, for Matplotlib takes longer to import than everything else

    dataset = runs[0].dataset
    sound = [(row, [k for k in row["members"] if k not in row["diverged"]]) for row in rows]
    histories = {described(row["settings"]): [runs[k].history for k in members] for row, members in sound if members}
    seeds = max(len(row["members"]) for row in rows)
    title = f"{dataset}: {f'mean and deviation over {seeds} seeds' if seeds > 1 else f'{len(runs)} members'}"
    if runs.diverged:
        title += f", without {len(runs.diverged)} of {len(runs)} members that diverged"
    write_whole(path / "curves.png", plots.curves_of_members(histories, title, val_name).savefig)
    if len(runs[0].net.layers) == 1 and isinstance(runs[0].net.layers[0], Linear):
        members = [k for _, members in sound for k in members]
        figure = plots.templates_of_members(
            [_weights(runs[k]) for k in members],
            [
                "\n".join([f"member {k}", *(described({name: value}) for name, value in points[k].items())])
                for k in members
            ],
            f"{dataset}: class templates after each member's best epoch{', best settings first' * (len(rows) > 1)}",
            runs[0].classes,
        )
        write_whole(path / "templates.png", figure.savefig)
    swept = [name for name in rows[0]["settings"] if len({row["settings"][name] for row in rows}) > 1]
    if len(swept) in (2, 3):
        # The shortest values along the foot, where they stand side by side.
        swept.sort(key=lambda name: max(len(shown(row["settings"][name])) for row in rows))
        found = [(row["settings"], row.get("best_val_accuracy", {}).get("mean")) for row in rows]
        title = f"{dataset}: best {val_name} accuracy" + (f", mean over {seeds} seeds" if seeds > 1 else "")
        write_whole(path / "accuracy.png", plots.grid_map(found, swept, title, shown).savefig)


def _weights(run: Run) -> Any:
    return run.backend.to_host(run.net.layout.split(run.best.params)["0.W"])
