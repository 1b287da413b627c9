"""The text of a model card, of a run or of a sweep."""

from collections.abc import Mapping
from typing import Any

from anynet.app.config import Config
from anynet.app.model_card.card_parts import (
    environment_table,
    figures,
    front_matter,
    input_sentence,
    limitations,
    net_section,
    plain,
    settings_table,
)
from anynet.app.run_report.run_files import RunFiles
from anynet.app.run_report.sweep_files import SweepFiles
from anynet.training import Run


def card_text(
    files: RunFiles | SweepFiles,
    run: Run | None,
    about: str,
    results: str,
    tested: Mapping[str, float],
    pictures: Mapping[str, str],
    use: str,
    command: str | None,
    shared: str = "",
) -> str:
    """Return a card as Markdown, with metadata in YAML at its beginning.

    Parameters
    ----------
    files : RunFiles or SweepFiles
        Of a run or a sweep that has ended.
    run : Run or None
        The net; None if it has layers of the user.
    about, results, use : str
        What was trained, in sentences, and sections.
    tested : mapping of str to float
        Test accuracies by their names; none if it was not tested.
    pictures : mapping of str to str
        What each file shows.
    command : str or None
        Command that makes it again; None if there is none.
    shared : str
        What is said ahead of the settings.

    Returns
    -------
    str
    """
    dataset, name = files.dataset, files.path.resolve().name
    sections = [
        f"# {plain(dataset)}: {plain(name)}",
        f"{about} {input_sentence(run)}",
        f"## Results\n\n{results}",
        figures(files.path, pictures),
        f"## Data\n\n{_data(dataset, files.settings)}",
        net_section(run),
        f"## Training\n\n{shared}{settings_table(files.settings)}",
        f"## Use\n\n{use}",
        f"## Make it again\n\n{_again(command, files.result)}",
        f"## Limitations\n\n{limitations(dataset, files.analysis, biased=is_biased(files.settings))}",
        f"## Environment\n\n{environment_table(files.result)}",
    ]
    matter = front_matter(f"{dataset}-{name}", dataset, tested)
    return matter + "\n" + "\n\n".join(section for section in sections if section) + "\n"


def _data(dataset: str, settings: Mapping[str, Any]) -> str:
    """Return where the samples are from, and which were used for what."""
    default = Config()
    training, validation = (str(settings.get(name, getattr(default, name))) for name in ("train", "val"))
    return (
        f"{plain(dataset)}. Validation images: {'a tenth' if validation == 'auto' else validation}; training images: "
        f"{'the rest' if training == 'auto' else training}; test images: {settings.get('test', 'all')}. They are "
        f"normalized by `{settings.get('normalize', default.normalize)}`, which is a part of the net's file."
    )


def _again(command: str | None, result: Mapping[str, Any]) -> str:
    """Return the command, and what to know of a repetition."""
    if command is None:
        return "Each net by its own card: no command has these combinations alone."
    ends = ", ".join(map(str, result.get("planned_epochs") or ()))
    resumed = f" It was resumed with other numbers of epochs ({ends}), so a new run is not the same." if ends else ""
    return (
        f"    {command}\n\nin a checkout of anynet. On the same machine, with the same versions, the numbers are the "
        f"same to the last bit; elsewhere they differ by rounding, which grows from step to step.{resumed}"
    )


def is_biased(settings: Mapping[str, Any]) -> bool:
    """Return True if the best epoch was chosen by the test images."""
    return settings.get("val") == "test_batch"


def known_settings(settings: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the data set and the backend that were used, where they were left to the environment."""
    found = dict(settings)
    if found.get("data") == "auto":
        found["data"] = result["dataset"]
    if "backend" not in found and result.get("backend", "numpy") != "numpy":
        found["backend"] = result["backend"]
    return found
