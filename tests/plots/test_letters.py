"""Letters that the usual font lacks: other fonts, or escapes, without warnings."""

import matplotlib
import numpy as np
import pytest
from matplotlib.font_manager import FontProperties, findfont, get_font

from anynet import plots
from anynet.plots import letters
from anynet.plots.style import FONT, styled

pytestmark = pytest.mark.filterwarnings("error")
OTHER = "STIXGeneral"  # which comes with Matplotlib


def known(family):
    """The letters of a font."""
    return {chr(code) for code in get_font(findfont(FontProperties(family=[family]))).get_charmap()}


@pytest.fixture(autouse=True)
def two_fonts(monkeypatch):
    """Only these fonts are installed, and none was needed yet."""
    installed = [
        entry for entry in letters.fontManager.ttflist if entry.name in (FONT, OTHER, "Last Resort High-Efficiency")
    ]
    monkeypatch.setattr(letters.fontManager, "ttflist", installed)
    monkeypatch.setattr(letters, "_added", [])
    monkeypatch.setattr(letters, "_nowhere", set())


def test_another_font_has_the_letters_that_the_usual_one_lacks(caplog):
    letter = min(c for c in known(OTHER) - known(FONT) if c.isprintable())
    names = ["cat", f"{letter}{letter}"]
    figure = plots.confusion_matrix(np.eye(2, dtype=int), names, letter)
    figure._repr_png_()
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == names
    assert OTHER in figure.axes[0].get_yticklabels()[1].get_fontfamily()
    assert OTHER not in matplotlib.rcParams["font.family"]
    assert not caplog.records
    with styled():
        assert letters.drawable("é") == "é"
        assert matplotlib.rcParams["font.family"][0] == FONT


def test_letters_of_no_font_are_escaped(caplog):
    cat, dog = "\N{CJK UNIFIED IDEOGRAPH-732B}", "\N{CJK UNIFIED IDEOGRAPH-72D7}"
    assert not {cat, dog} & (known(FONT) | known(OTHER))
    half = np.full(2, 0.5)
    images = np.zeros((2, 3, 8, 8), np.uint8)
    made = [
        plots.class_bars([cat, dog], half, half, half, cat),
        plots.mistake_tiles(images, np.arange(2), [cat, dog], [dog, cat], half, half, cat),
        plots.confused_images(images, np.full((2, 2), 0.5), np.arange(2), [cat, dog], cat),
        plots.weights(np.ones((192, 2)), (3, 8, 8), cat, [cat, dog]),
    ]
    for figure in made:
        figure._repr_png_()
        assert figure.get_suptitle().startswith("\\u732b")
        assert any("\\u72d7" in text.get_text() for text in figure.findobj(matplotlib.text.Text))
    assert not caplog.records
