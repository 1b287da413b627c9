"""Backgrounds of transparent image files, as `predict` is given them."""

import pytest

from anynet.app.commands.predict import parse_background


@pytest.mark.parametrize(
    ("name", "color"),
    [("white", (255, 255, 255)), ("Black", (0, 0, 0)), ("#c86432", (200, 100, 50)), ("#fff", (255,) * 3)],
)
def test_background_is_a_name_or_three_values(name, color):
    assert parse_background(name) == color


@pytest.mark.parametrize("name", ["", "whit", "#12", "#ffffff80", "transparent", "255"])
def test_other_backgrounds_are_refused(name):
    with pytest.raises(ValueError, match=f'--background: expected a color name or #rrggbb, got "{name}"'):
        parse_background(name)
