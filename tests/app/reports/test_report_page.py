"""What stands on a report's page."""

import pytest
from matplotlib.figure import Figure

from anynet import plots
from anynet.app.reports import parse_report
from anynet.app.reports.compare import compare_all
from anynet.app.reports.report_page import report_page
from anynet.app.reports.tasks import Outcome
from anynet.training import Epoch, History

pytestmark = pytest.mark.usefixtures("blank_plots")

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
HISTORY = History([Epoch(1, 0.1, 3.0, 2.5, 0.2, 3.0, 2.6, 0.1, 1.0), Epoch(2, 0.1, 2.0, 1.5, 0.6, 2.0, 1.6, 0.4, 2.0)])


def page(folder, text, *, weights=True):
    """The page of a report all of whose runs came out alike."""
    report = parse_report("mine", text)
    points = [f"{name}/lr={lr},l2={l2}" for name in report.searches for lr in (0.1, 0.2) for l2 in (0.0, 0.1)]
    outcomes = {name: [Outcome(folder, RESULT, HISTORY)] for name in [*report.configurations, *points]}
    if weights:
        Figure().savefig(folder / "weights.png")
    report_page(report, folder, outcomes, compare_all(report, outcomes), heading="", note="drawn pictures")
    return (folder / "README.md").read_text(encoding="utf-8")


def test_settings_are_for_people_to_read(tmp_path):
    text = page(tmp_path, REPORT)
    assert "All with hidden none, momentum 0.\n" in text
    assert "| configuration | lr | flip | optimizer |\n| --- | --- | --- | --- |\n" in text
    assert "| one | 0.5 | yes | sgd |\n| two | 0.1 | no | adam |\n" in text
    assert "The best in validation of 4 combinations. All with hidden none, momentum 0, norm none.\n" in text


def test_pictures_that_were_not_drawn_are_left_out(tmp_path):
    assert "(one-weights.png)" in page(tmp_path, REPORT)
    (tmp_path / "weights.png").unlink()
    text = page(tmp_path, REPORT, weights=False)
    assert "one-weights.png" not in text
    assert "(one-curves.png)" in text


FIGURE = """
[figures.band]
title = "Band"
of = [{of}]
"""


@pytest.mark.parametrize(
    ("of", "images"), [('"one"', "test"), ('"two"', "validation"), ('"one", "two"', "test or validation")]
)
def test_test_images_are_called_so(tmp_path, monkeypatch, of, images):
    drawn = {"bands": [], "curves": []}

    def keep(name, draw):
        def kept(*arguments):
            drawn[name].append(draw(*arguments))
            return drawn[name][-1]

        monkeypatch.setattr(plots, name, kept)

    keep("bands", plots.bands)
    keep("curves", plots.curves)
    text = page(tmp_path, REPORT.replace("lr = 0.5", 'lr = 0.5\nval = "test_batch"') + FIGURE.format(of=of))
    assert f"Mean over the repeated runs, on the {images} images, and a band of one standard deviation (n - 1)." in text
    (band,) = drawn["bands"]
    assert [axes.get_title() for axes in band.axes] == [f"{images} loss", f"{images} accuracy (%)"]
    assert [figure.legends[0].texts[1].get_text() for figure in drawn["curves"]] == ["test", "validation"]
    assert "configuration one\nended after epoch 2, the best: test accuracy" in drawn["curves"][0].get_suptitle()
