"""Model card of a sweep."""

import shlex
from pathlib import Path

from anynet.app.model_card.card_parts import (
    environment_table,
    figures,
    front_matter,
    input_sentence,
    limitations,
    load_net,
    net_section,
    plain,
    settings_table,
    table,
)
from anynet.app.model_card.run_card import again_sentence, data_sentence, known_settings
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
    sweep, name = read_sweep(folder), folder.resolve().name
    result, dataset, best = sweep.result, str(sweep.result["dataset"]), sweep.result["best_member"]
    run, biased = load_net(folder / f"member-{best}"), sweep.settings.get("val") == "test_batch"
    tested = (
        {"Test accuracy of the ensemble": result["ensemble_test_accuracy"]}
        if "ensemble_test_accuracy" in result
        else {}
    )
    shown = {
        "curves.png": "cost, loss and accuracy by epoch: means and deviations",
        "accuracy.png": "accuracy by setting",
        "templates.png": "class templates",
    }
    sections = [
        f"# {plain(dataset)}: {plain(name)}",
        f"{len(sweep.members)} nets trained with anynet on the same batches. "
        f"{plain(sweep_sentence(sweep), 500)} {input_sentence(run)}",
        f"## Results\n\n{_results(sweep)}",
        figures(folder, shown),
        f"## Data\n\n{data_sentence(dataset, sweep.settings)}",
        net_section(run),
        f"## Training\n\nShared settings; `members.csv` has those of each net.\n\n{settings_table(sweep.settings)}",
        f"## Use\n\n{_use(folder, best)}",
        f"## Make it again\n\n{_again(sweep)}",
        f"## Limitations\n\n{limitations(dataset, sweep.analysis, biased=biased)}",
        f"## Environment\n\n{environment_table(result)}",
    ]
    matter = front_matter(f"{dataset}-{name}", dataset, tested)
    return matter + "\n" + "\n\n".join(section for section in sections if section) + "\n"


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


def _again(sweep: SweepFiles) -> str:
    if not is_product(sweep.points):
        return "Each net by its own card: no command has these combinations alone."
    command = sweep_command(known_settings(sweep.settings, sweep.result), sweep.points)
    return f"    {command}\n\n{again_sentence(sweep.result)}"
