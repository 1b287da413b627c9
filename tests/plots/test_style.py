"""Appearance of all figures."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest

from anynet.plots import style

MACHADO = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
"""Matrices of Machado, Oliveira, Fernandes (2009), table 1, severity 1: linear RGB to what is seen."""
TO_XYZ = np.asarray([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(rgb):
    """CIELAB of linear RGB, shape (n, 3), under D65."""
    xyz = np.clip(rgb, 0, 1) @ TO_XYZ.T
    f = np.cbrt(xyz / TO_XYZ.sum(axis=1))
    f = np.where(f > 6 / 29, f, (xyz / TO_XYZ.sum(axis=1)) * 841 / 108 + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@pytest.mark.parametrize("seen", MACHADO)
def test_color_blind_readers_can_tell_colors_apart(seen):
    rgb = np.asarray([matplotlib.colors.to_rgb(color) for color in (*style.COLORS, "white")])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    colors = lab(linear @ np.asarray(MACHADO[seen]).T)
    apart = [np.linalg.norm(a - b) for a, b in itertools.combinations(colors, 2)]
    assert min(apart) > 15


@style.styled()
def drawn():
    figure = style.figure(4, 2, "title", "note")
    axes = figure.subplots()
    axes.plot([1, 2], label="line")
    axes.legend()
    return figure._repr_png_()


def test_users_settings_change_no_figure_and_are_kept():
    plain = drawn()
    own = {"font.size": 20, "axes.facecolor": "black", "text.color": "white", "lines.linewidth": 9, "savefig.dpi": 30}
    with matplotlib.rc_context(own):
        before = dict(matplotlib.rcParams)
        with ThreadPoolExecutor(4) as threads:
            pictures = list(threads.map(lambda _: drawn(), range(4)))
        assert dict(matplotlib.rcParams) == before
    assert pictures == [plain] * 4
    assert plain.startswith(b"\x89PNG")


def test_fonts_of_a_user_are_for_letters_that_others_lack():
    with matplotlib.rc_context({"font.family": ["Own"], "font.sans-serif": ["Another"]}), style.styled():
        assert matplotlib.rcParams["font.family"] == [style.FONT, "Own"]
        assert matplotlib.rcParams["font.sans-serif"] == ["Another"]


@pytest.mark.parametrize("text", ["words of a title " * 20, "x" * 300, "wide W$ " * 40 + "i" * 100, ""])
def test_texts_are_wrapped_inside_a_figure(text):
    figure = style.figure(4, 2, text, text)
    figure.subplots().set(xlabel="x", title="panel")
    figure.draw_without_rendering()
    assert "".join(figure.get_suptitle().split()) == "".join(text.split())
    for shown in figure.texts:
        box = shown.get_window_extent()
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1


def test_title_and_note_leave_panels_their_height():
    heights = []
    for text in ("", "one line", "many lines of a long title and a long note, none of which may become a panel's " * 4):
        figure = style.figure(4, 2, text, text)
        axes = figure.subplots()
        figure.draw_without_rendering()
        heights.append(axes.get_window_extent().height)
    assert heights == pytest.approx([heights[0]] * 3, rel=0.1)
