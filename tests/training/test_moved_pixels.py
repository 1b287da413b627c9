"""The warning about pixels that are divided by the deviations of others, on setups that train nothing."""

import warnings

import numpy as np
import pytest

import anynet as an
from anynet.training import TrainingWarning

CONV = an.Sequential(an.Conv2d(2), an.GlobalPool(), an.Linear(10))
FLAT = an.Sequential(an.Linear(2 * 4 * 4, 10))


def warned(net=CONV, deviations=((0, 0, 100.0),), kind="uint8", **settings):
    """Return the warnings of images whose pixels vary by 100, others by what is given for (row, column)."""
    size = np.full((2, 4, 4), 100.0)
    for row, column, deviation in deviations:
        size[1, row, column] = deviation
    signs = np.where(np.arange(20) % 2, 1.0, -1.0)[:, None, None, None]
    x = (127 + signs * size).astype(kind) if kind == "uint8" else signs * size / 50
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", TrainingWarning)
        an.setup(net, (x, np.arange(20) % 10), an.SGD(), **{"normalize": "standardize"} | settings)
    return [str(each.message) for each in found]


EDGE = ((0, 0, 4.0),)
MOVES = {
    "crop": {"crop": 1},
    'tta="shift"': {"tta": "shift"},
    "flip": {"flip": True},
    'tta="mirror"': {"tta": "mirror"},
}


@pytest.mark.parametrize("kind", ["uint8", "float32"])
@pytest.mark.parametrize("net", [CONV, FLAT], ids=["images", "features"])
@pytest.mark.parametrize("name", MOVES)
def test_a_pixel_that_hardly_varies(name, net, kind):
    (message,) = warned(net, EDGE, kind, **MOVES[name])
    assert message.startswith(f"{name} moves pixels to others whose deviations are up to 25 times as small")
    assert message.endswith('give normalize="standardize:channel"')


@pytest.mark.parametrize(
    ("deviations", "settings"),
    [
        (EDGE, {}),
        (EDGE, {"cutout": 2}),
        (EDGE, {"crop": 1, "normalize": "standardize:channel"}),
        (EDGE, {"crop": 1, "normalize": "center"}),
        (((0, 0, 6.0),), {"crop": 1}),
        (((0, 0, 0.0),), {"crop": 1, "flip": True}),
        ((*EDGE, (0, 3, 5.0)), {"flip": True}),
    ],
    ids=["none", "cutout", "by channel", "centered", "17 times", "a constant pixel", "its mirror hardly varies either"],
)
def test_pixels_that_do_no_harm(deviations, settings):
    assert warned(CONV, deviations, **settings) == []


def test_constant_floats_are_not_divided():
    assert warned(CONV, ((0, 0, 0.0),), "float32", crop=1) == []
