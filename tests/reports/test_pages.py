"""What stands on a report's page."""

from anynet.reports import read
from anynet.reports.compare import compare_all
from anynet.reports.pages import report_page
from anynet.reports.runs import Outcome

REPORT = """
title = "A title"
author = "Somebody"
about = "What it is."
[common]
hidden = ""
momentum = 0.0
[configurations.one]
lr = 0.5
flip = true
[configurations.two]
lr = 0.1
optimizer = "adam"
[searches.grid]
title = "Search"
batch_norm = false
over = { lr = [0.1, 0.2], l2 = [0.0, 0.1] }
"""
RESULT = {
    "dataset": "drawn", "official": False, "backend": "numpy", "device": "cpu", "dtype": "float32", "seconds": 1.0,
    "versions": {"anynet": "0"}, "train_accuracy": 0.5, "val_accuracy": 0.4, "test_accuracy": 0.3,
}  # fmt: skip


def page(folder, text):
    """The page of a report all of whose runs came out alike."""
    report = read("mine", text)
    points = [f"{name}/lr={lr},l2={l2}" for name in report.searches for lr in (0.1, 0.2) for l2 in (0.0, 0.1)]
    outcomes = {name: [Outcome(folder / name, RESULT, {})] for name in [*report.configurations, *points]}
    report_page(report, folder, outcomes, compare_all(report, outcomes), heading="", note="drawn pictures")
    return (folder / "README.md").read_text(encoding="utf-8")


def test_settings_are_for_people_to_read(tmp_path):
    text = page(tmp_path, REPORT)
    assert "All with hidden none, momentum 0.\n" in text
    assert "| configuration | lr | flip | optimizer |\n| --- | --- | --- | --- |\n" in text
    assert "| one | 0.5 | yes | sgd |\n| two | 0.1 | no | adam |\n" in text
    assert "The best in validation of 4 combinations. All with hidden none, momentum 0, batch_norm no.\n" in text
