"""Parts of model cards: front matter, tables, and what cards of runs and of sweeps say alike."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from anynet.app.run_report.analyzed import ClassAnalysis, NumberAnalysis
from anynet.core.errors import FileError
from anynet.core.formatting import format_value, printable
from anynet.core.text_table import shortened
from anynet.training import Run
from anynet.training.load import load

HUB = {
    "cifar10": ("uoft-cs/cifar10", "CIFAR-10"),
    "cifar100": ("uoft-cs/cifar100", "CIFAR-100"),
    "mnist": ("ylecun/mnist", "MNIST"),
    "fashion-mnist": ("zalando-datasets/fashion_mnist", "Fashion-MNIST"),
}
"""Identifier on the Hugging Face Hub, and name, of public data sets."""
TASK = "image-classification"
WEAKEST = 3
"""Number of classes with the lowest recall that a card names."""
SPECIAL, SPECIAL_IN_TABLES = re.compile(r"[\\`*_\[\]<>&~]"), re.compile("[|<]")
"""Characters that Markdown takes for more than text."""
ESCAPED = r"\\\g<0>"
LICENSE = "unknown"
"""License of the parameters, which is for their owner to choose."""


def front_matter(name: str, dataset: str, accuracies: Mapping[str, float]) -> str:
    """Return the metadata of a card as YAML between lines of dashes.

    Parameters
    ----------
    name : str
        Name of the model.
    dataset : str
        Name of the data set.
    accuracies : mapping of str to float
        Test accuracies by their names; none if it was not tested.

    Returns
    -------
    str

    References
    ----------
    Specification: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
    """
    hub, pretty = HUB.get(dataset, (None, dataset))
    metrics = [{"type": "accuracy", "value": value, "name": text} for text, value in accuracies.items()]
    result = {
        "task": {"type": TASK, "name": "Image classification"},
        "dataset": {"type": hub or dataset, "name": pretty, "split": "test"},
        "metrics": metrics,
    }
    matter: dict[str, Any] = {
        "license": LICENSE,
        "library_name": "anynet",
        "pipeline_tag": TASK,
        "tags": ["anynet", TASK],
        **({"datasets": [hub]} if hub else {}),
        "metrics": ["accuracy"],
        **({"model-index": [{"name": name, "results": [result]}]} if metrics else {}),
    }
    return f"---\n{yaml.safe_dump(matter, sort_keys=False, allow_unicode=True)}---\n"


def plain(text: str, most: int = 60) -> str:
    r"""Return a name in one line of Markdown, in which no character has a meaning.

    Examples
    --------
    >>> plain("<b>*a*")
    '\\<b\\>\\*a\\*'
    """
    return SPECIAL.sub(ESCAPED, shortened(printable(text), most))


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(SPECIAL_IN_TABLES.sub(ESCAPED, cell) for cell in line)} |" for line in lines)


def settings_table(settings: Mapping[str, Any]) -> str:
    """Return a table of settings."""
    return table(["setting", "value"], [[name, format_value(value)] for name, value in settings.items()])


def environment_table(result: Mapping[str, Any]) -> str:
    """Return a table of backend, device, versions and machine, of the content of ``result.json``."""
    names = ("backend", "device", "precision", "dtype", "execution", "machine")
    rows = [[name, str(result[name])] for name in names if name in result]
    rows += [[f"version of {name}", str(version)] for name, version in result.get("versions", {}).items()]
    return table(["", "value"], rows)


def load_net(folder: Path) -> Run | None:
    """Return the run in a folder; None if its layers are of others, whose code is not run for a card."""
    try:
        return load(folder, backend="numpy")
    except FileError as error:
        if not error.place.startswith("layer "):
            raise
        return None


def net_section(run: Run | None) -> str:
    """Return the section about the net."""
    if run is None:
        return "## Net\n\nIts layers are of others than anynet: the settings name the module that makes them."
    return f"## Net\n\n{run.net.n_parameters:,} parameters.\n\n```text\n{run.net.summary()}\n```"


def input_sentence(run: Run | None) -> str:
    """Return what the net takes and gives."""
    if run is None:
        return "It takes images as it was trained on."
    labels, shape = [plain(str(label)) for label in run.classes], ", ".join(map(str, run.shape))
    named = ", ".join(labels if len(labels) <= 20 else [*labels[:10], "...", labels[-1]])
    return (
        f"It takes images of shape ({shape}), {run.input_dtype}, which it normalizes itself, and gives the "
        f"probabilities of {len(labels)} classes: {named}."
    )


def limitations(dataset: str, analysis: ClassAnalysis | NumberAnalysis | None, *, biased: bool) -> str:
    """Return a list of what a user should know.

    Parameters
    ----------
    dataset : str
    analysis : ClassAnalysis, NumberAnalysis or None
        Content of ``analysis.json``.
    biased : bool
        True if the best epoch was chosen on the test images.

    Returns
    -------
    str
    """
    items = [
        "It assigns one of its classes to every image, whatever the image shows.",
        f"It knows the images of {plain(dataset)} alone; images from elsewhere may be classified much worse.",
    ]
    if dataset == "synthetic":
        items.append("Its data are generated drawings of shapes, not photographs.")
    if biased:
        items.append("The best epoch was chosen on the test images, so its test accuracy is too high.")
    if isinstance(analysis, ClassAnalysis):
        counted = enumerate(zip(analysis.confusion, analysis.classes, strict=True))
        rows = [(row[k] / sum(row), name) for k, (row, name) in counted if sum(row)]
        weakest = ", ".join(f"{plain(name)} ({share:.1%})" for share, name in sorted(rows)[:WEAKEST])
        items.append(f"Classes with the lowest recall: {weakest}.")
        items.append(
            f"Its probabilities are off by {analysis.calibration.error:.1%} on average (expected calibration error)."
        )
    return "\n".join(f"* {item}" for item in items)


def figures(folder: Path, pictures: Mapping[str, str]) -> str:
    """Return the pictures that are there, with their texts."""
    there = [f"![{text}]({name})" for name, text in pictures.items() if (folder / name).exists()]
    return "\n\n".join(there)
