"""What a run leaves on disk."""

import pytest

from anynet import plots
from anynet.app.config import Config
from anynet.app.experiment import run

pytestmark = pytest.mark.usefixtures("few_pictures")


@pytest.mark.parametrize(("val", "name"), [("test_batch", "test"), ("100", "validation")])
def test_curves_on_test_images_say_so(tmp_path, monkeypatch, val, name):
    draw, drawn = plots.curves, []

    def curves(*arguments):
        drawn.append(draw(*arguments))
        return drawn[-1]

    monkeypatch.setattr(plots, "curves", curves)
    run(Config(train="200", val=val, hidden="5", epochs=1), tmp_path / "out")
    (figure,) = drawn
    assert [[text.get_text() for text in axes.get_legend().texts] for axes in figure.axes] == [["training", name]] * 3
