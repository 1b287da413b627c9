"""Folders of runs and of searches, by hand, with numbers that are known; and the pages about them."""

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pages import Element, read_page

from anynet.app.config import Config
from anynet.app.config_file import write_config
from anynet.app.run_report.run_page import write_page
from anynet.core.epoch import Epoch
from anynet.core.history import History

PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CLASSES = ["cat", "<script>alert(1)</script>", "dog & co"]
CONFUSION = [[40, 3, 7], [0, 50, 0], [10, 0, 40]]
ANALYSIS: dict[str, Any] = {
    "split": "test",
    "samples": 150,
    "classes": CLASSES,
    "confusion": CONFUSION,
    "calibration": {
        "edges": [0.0, 0.5, 1.0],
        "count": [0, 150],
        "confidence": [None, 0.91],
        "accuracy": [None, 0.8667],
        "error": 0.0433,
    },
    "mistakes": [
        {"index": 17, "true": 2, "predicted": 0, "probability": 0.93, "true_probability": 0.04, "image": PIXEL},
        {"index": 4, "true": 0, "predicted": 1, "probability": 0.81, "true_probability": 0.11, "image": None},
    ],
}
RESULT: dict[str, Any] = {
    "dataset": "letters",
    "official": False,
    "dtype": "float32",
    "execution": "recorded steps",
    "backend": "numpy",
    "device": "cpu",
    "precision": "float32",
    "versions": {"python": "3.11.7", "numpy": "2.4.6"},
    "machine": "Linux",
    "seed": 42,
    "epochs": 3,
    "interrupted": False,
    "stopped_early": False,
    "train_accuracy": 0.91234,
    "val_accuracy": 0.8123,
    "test_loss": 0.51,
    "test_accuracy": 0.8456,
    "best_epoch": 2,
    "best_val_accuracy": 0.8345,
    "best_test_accuracy": 0.8667,
    "seconds": 75.2,
    "seconds_of": {"start": 4.6, "training": 50.0, "evaluation": 20.0, "test": 5.0},
}
HISTORY = History(
    [
        Epoch(1, 0.1, 1.5, 1.4, 0.6, 1.6, 1.5, 0.61, 30.0),
        Epoch(2, 0.05, 0.8, 0.7, 0.8, 0.9, 0.8, 0.8345, 50.0),
        Epoch(3, 0.01, 0.5, 0.4, 0.91234, 1.0, 0.9, 0.8123, 70.4),
    ]
)


def run_folder(
    path: Path, *, settings=None, history=HISTORY, analysis=ANALYSIS, divergence=None, **result: Any
) -> Path:
    """Write the folder of a run without a net; keywords replace results, None leaves all of them out."""
    path.mkdir(parents=True)
    write_config(Config(**{"epochs": 3, **(settings or {})}), path / "config.toml")
    if history:
        history.write_csv(path / "history.csv", "letters")
    files = {"analysis.json": analysis, "divergence.json": divergence}
    if result.pop("ended", True):
        known = {"dataset", "diverged"} if "diverged" in result else RESULT.keys() | result.keys()
        files["result.json"] = {name: value for name, value in (RESULT | result).items() if name in known}
    for name, content in files.items():
        if content is not None:
            (path / name).write_text(json.dumps(content))
    return path


def search_folder(path: Path) -> Path:
    """Write the folder of a search with three trials."""
    path.mkdir()
    base = {
        name: value for name, value in asdict(Config(epochs=4, data="digits")).items() if name not in ("lr", "hidden")
    }
    space = {"lr": {"low": 0.001, "high": 0.1, "log": True}, "hidden": {"values": ["50,30", ""]}}
    search = {"base": base, "space": space, "trials": 3, "fine": None, "prune": False, "seed": 42}
    (path / "search.json").write_text(json.dumps(search))
    columns = (
        "number,stage,dataset,state,lr,hidden,best_val_accuracy,best_epoch,train_accuracy,val_accuracy,test_accuracy"
    )
    rows = [
        [2, "coarse", "digits", "finished", 0.0123, "50,30", 0.9512, 4, 0.99, 0.95, 0.9433, 1.5, ""],
        [1, "coarse", "digits", "finished", 0.002, "", 0.9012, 3, 0.92, 0.9, 0.8833, 1.5, ""],
        [3, "coarse", "digits", "diverged", 0.09, "", "", "", "", "", "", 0.5, "the cost is <not> finite"],
    ]
    (path / "importances.json").write_text('{"lr": 0.75, "hidden": 0.25}')
    with (path / "trials.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[*columns.split(","), "seconds", "reason"], *rows])
    return path


def page_of(*folders: Path) -> Element:
    """The page about folders."""
    out = folders[0].parent / "page.html"
    write_page(folders, out)
    return read_page(out)


def section(page: Element, name: str) -> Element:
    """A section of a page, by its anchor."""
    (found,) = page.all("section", **{"aria-labelledby": name})
    return found


def notices(page: Element) -> list[str]:
    """Return the texts of the notices of a page."""
    return [each.words() for each in page.all("p") if each.attributes.get("class", "").startswith("notice")]
