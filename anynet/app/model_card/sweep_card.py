"""Model card of a sweep."""

import shlex
from pathlib import Path

from anynet.app.model_card.card_parts import load_net, plain, table
from anynet.app.model_card.whole_card import card_text, known_settings
from anynet.app.run_report.make_again import is_product, sweep_command
from anynet.app.run_report.run_summary import sweep_sentence
from anynet.app.run_report.sweep_files import SweepFiles, read_sweep
from anynet.core.formatting import format_percent

MOST_ROWS = 20
"""Number of combinations of settings that are listed."""


def sweep_card(folder: Path) -> str:
    """Return the model card of a sweep.

    Parameters
    ----------
    folder : Path
        Folder of a sweep that has ended.

    Returns
    -------
    str
        Markdown, with metadata in YAML at its beginning.

    Raises
    ------
    FileError, OSError
        If a file is damaged or cannot be read.
    """
    sweep, key = read_sweep(folder), "ensemble_test_accuracy"
    result, best = sweep.result, sweep.result["best_member"]
    nets = f"{len(sweep.members)} nets trained with anynet on the same batches."
    settings = known_settings(sweep.settings, result)
    return card_text(
        sweep,
        load_net(folder / f"member-{best}"),
        about=f"{nets} {plain(sweep_sentence(sweep), 500)}",
        results=_results(sweep),
        tested={"Test accuracy of the ensemble": result[key]} if key in result else {},
        pictures={
            "curves.png": "cost, loss and accuracy by epoch: means and deviations",
            "accuracy.png": "accuracy by setting",
            "templates.png": "class templates",
        },
        use=_use(folder, best),
        command=sweep_command(settings, sweep.points) if is_product(sweep.points) else None,
        shared="Shared settings; `members.csv` has those of each net.\n\n",
    )


def _results(sweep: SweepFiles) -> str:
    rows = []
    for each in sweep.combinations[:MOST_ROWS]:
        values = [each.accuracies.get(f"best_{split}_accuracy") for split in ("val", "test")]
        accuracies = ["" if value is None else f"{format_percent(**value)} %" for value in values]
        rows.append([each.name or "all", f"{len(each.members) - len(each.diverged)}", *accuracies])
    header = ["settings", "nets", "validation accuracy", "test accuracy"]
    below = "Means and deviations (with n - 1) over the nets, each after its best epoch; the best first."
    left_out = len(sweep.combinations) - len(rows)
    return f"{table(header, rows)}\n\n{below}" + (f" {left_out} more are in `result.json`." if left_out else "")


def _use(folder: Path, best: int) -> str:
    name = folder.resolve().name
    return (
        f"```python\nimport anynet as an\n\nrun = an.load({f'{name}/member-{best}'!r})  # the best in validation\n"
        "run.predict(images)\n```\n\n"
        f"    python -m anynet predict {shlex.quote(name)} image.png\n\n"
        "The command averages the probabilities of all nets."
    )
