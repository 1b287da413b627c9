"""What a search leaves on disk."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anynet import plots
from anynet.app.config import Config
from anynet.app.search.fine import Fine
from anynet.app.search.space import Space
from anynet.app.search.trial import Trial
from anynet.app.wording import shown
from anynet.core.atomic import PARTIAL, write_whole
from anynet.core.checks import differences

SETTINGS, JOURNAL, TABLE, PICTURE, WORKERS = "search.json", "journal.log", "trials.csv", "accuracy.png", "workers"

# The same numbers come out whatever these are, so processes with other ones can share a search.
WHERE = ("backend", "memory_budget")


def settings(
    bases: tuple[Config, Config], space: Space, trials: int | None, fine: Fine | None, prune: bool, seed: int
) -> dict[str, Any]:
    """Everything that two processes must agree on to share a search, as it comes back from JSON.

    bases: of the coarse and of the fine stage.
    """
    coarse, finer = (_fixed(base, space) for base in bases)
    content = {
        "base": coarse,
        "space": {name: asdict(part) for name, part in space.items()},
        "trials": trials,
        "fine": None if fine is None else fine._asdict() | {"base": finer},
        "prune": prune,
        "seed": seed,
    }
    there: dict[str, Any] = json.loads(json.dumps(content))
    return there


def is_new(folder: Path, wanted: dict[str, Any]) -> bool:
    """Whether a search has yet to be begun in a folder.

    Raises FileExistsError where there is something else, and ValueError, naming the differences, where there is a
    search with other settings.
    """
    own = (f"{JOURNAL}.lock", PARTIAL + SETTINGS)  # what one that was killed, or is just being begun, may have made
    others = [path.name for path in folder.iterdir() if path.name not in own] if folder.exists() else []
    if not (folder / SETTINGS).exists():
        if others:
            raise FileExistsError(f"{folder} is there already, and no search; choose another folder")
        return True
    try:
        there = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{folder / SETTINGS}: expected the settings of a search ({error})") from None
    different = differences(_flat(there), _flat(wanted))
    if different:
        raise ValueError(f"{folder} holds another search: {different}. Give the settings it has, or another folder")
    return False


def begin(folder: Path, wanted: dict[str, Any]) -> None:
    """Write the settings down, unless they are. To be called under the lock; raises what ``is_new`` raises."""
    if is_new(folder, wanted):
        text = json.dumps(wanted, indent=2) + "\n"
        write_whole(folder / SETTINGS, lambda path: path.write_text(text, encoding="utf-8"))


def write_table(folder: Path, trials: Sequence[Trial]) -> None:
    """Write the trials, in their order, as a table with a header. To be called under the lock."""
    columns = [name for name in Trial._fields if name != "settings"]
    fields = list(trials[0].settings) if trials else []
    at = columns.index("best_val_accuracy")

    def write(path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*columns[:at], *fields, *columns[at:]], extrasaction="ignore")
            writer.writeheader()
            writer.writerows(trial._asdict() | trial.settings for trial in trials)

    write_whole(folder / TABLE, write)


def draw(folder: Path, trials: Sequence[Trial]) -> None:
    """Draw the trials' accuracy over what was searched. To be called under the lock."""
    title = f"{trials[0].dataset}: best validation accuracy of {len(trials)} trials"
    scores = [(trial.settings, trial.best_val_accuracy) for trial in trials]
    write_whole(folder / PICTURE, plots.trials(scores, title, shown).savefig)


def _fixed(config: Config, space: Space) -> dict[str, Any]:
    return {name: value for name, value in asdict(config).items() if name not in WHERE and name not in space}


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"a": {"b": 1}} as {"a.b": 1}."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat
