"""Model card of a run."""

import shlex
from pathlib import Path

from anynet.app.model_card.card_parts import load_net, plain, table
from anynet.app.model_card.whole_card import card_text, is_biased, known_settings
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
    files, run = read_run(folder, folder.resolve().name), load_net(folder)
    key = "test_accuracy" if is_biased(files.settings) else "best_test_accuracy"  # the unbiased one
    return card_text(
        files,
        run,
        about=f"A net trained with anynet. {plain(run_sentence(files), 500)}",
        results=_results(files),
        tested={"Test accuracy": files.result[key]} if key in files.result else {},
        pictures={"curves.png": "cost, loss and accuracy by epoch", "weights.png": "weights of the first layer"},
        use=_use(folder, run is None),
        command=train_command(known_settings(files.settings, files.result)),
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
