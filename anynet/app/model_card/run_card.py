"""Model card of a run."""

import shlex
from pathlib import Path
from typing import Any

from anynet.app.config import Config
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
from anynet.app.run_report.make_again import train_command
from anynet.app.run_report.run_files import RunFiles, read_run
from anynet.app.run_report.run_summary import run_sentence
from anynet.core.formatting import format_percent

SPLITS = {"train": "training", "val": "validation", "test": "test"}


def run_card(folder: Path) -> str:
    """Return the model card of a run.

    Parameters
    ----------
    folder : Path
        Run folder with a net.

    Returns
    -------
    str
        Markdown, with metadata in YAML at its beginning.

    Raises
    ------
    FileError, OSError
        If a file is damaged or cannot be read.
    """
    name = folder.resolve().name
    files, run = read_run(folder, name), load_net(folder)
    result, biased = files.result, files.settings.get("val") == "test_batch"
    key = "test_accuracy" if biased else "best_test_accuracy"  # the unbiased one
    tested = {"Test accuracy": result[key]} if key in result else {}
    command = train_command(known_settings(files.settings, result))
    shown = {"curves.png": "cost, loss and accuracy by epoch", "weights.png": "weights of the first layer"}
    sections = [
        f"# {plain(files.dataset)}: {plain(name)}",
        f"A net trained with anynet. {plain(run_sentence(files), 500)} {input_sentence(run)}",
        f"## Results\n\n{_results(files)}",
        figures(folder, shown),
        f"## Data\n\n{data_sentence(files.dataset, files.settings)}",
        net_section(run),
        f"## Training\n\n{settings_table(files.settings)}",
        f"## Use\n\n{_use(folder, run is None)}",
        f"## Make it again\n\n    {command}\n\n{again_sentence(result)}",
        f"## Limitations\n\n{limitations(files.dataset, files.analysis, biased=biased)}",
        f"## Environment\n\n{environment_table(result)}",
    ]
    matter = front_matter(f"{files.dataset}-{name}", files.dataset, tested)
    return matter + "\n" + "\n\n".join(section for section in sections if section) + "\n"


def known_settings(settings: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """Return settings with the data set and the backend that were used, where they were left to the environment."""
    found = dict(settings)
    if found.get("data") == "auto":
        found["data"] = result["dataset"]
    if "backend" not in found and result.get("backend", "numpy") != "numpy":
        found["backend"] = result["backend"]
    return found


def data_sentence(dataset: str, settings: dict[str, Any]) -> str:
    """Return where the samples are from, and which were used for what."""
    default, test = Config(), settings.get("test")
    training, validation = (str(settings.get(name, getattr(default, name))) for name in ("train", "val"))
    words = {"auto": "the rest"}
    return (
        f"{plain(dataset)}. Validation images: {'a tenth' if validation == 'auto' else validation}; training images: "
        f"{words.get(training, training)}; test images: {'all' if test is None else test}. "
        f"They are normalized by `{settings.get('normalize', default.normalize)}`, which is a part of the net's file."
    )


def again_sentence(result: dict[str, Any]) -> str:
    """Return what to know of a repetition."""
    planned = result.get("planned_epochs")
    ends = ", ".join(map(str, planned or ()))
    resumed = f" It was resumed with other numbers of epochs ({ends}), so a new run is not the same." if planned else ""
    return (
        "in a checkout of anynet. On the same machine, with the same versions, the numbers are the same to the last "
        f"bit; elsewhere they differ by rounding, which grows from step to step.{resumed}"
    )


def _results(files: RunFiles) -> str:
    result, best = files.result, files.history.best if files.history else None
    rows = []
    for split, word in SPLITS.items():
        at_best = result.get(f"best_{split}_accuracy")
        if split == "train" and best is not None:
            at_best = best.train_accuracy
        values = at_best, result.get(f"{split}_accuracy")
        if any(value is not None for value in values):
            rows.append([word, *("" if value is None else f"{format_percent(value)} %" for value in values)])
    epochs = f"accuracy after the best epoch, {result.get('best_epoch')}", f"after the last, {result.get('epochs')}"
    return table(["images", *epochs], rows) + "\n\nPredictions are those after the best epoch."


def _use(folder: Path, own_layers: bool) -> str:
    path = shlex.quote(folder.resolve().name)
    net = ", net=net" if own_layers else ""
    return (
        f"```python\nimport anynet as an\n\nrun = an.load({folder.resolve().name!r}{net})  # this folder\n"
        "run.predict(images)  # the most probable class of each\nrun.predict_proba(images)\n```\n\n"
        f"    python -m anynet predict {path} image.png"
    )
