"""The page of mathematics has a place for everything public that has a formula, with a link to its code."""

import inspect
import re
from pathlib import Path

import pytest

import anynet as an
from anynet import nn, optim

PAGE = (Path(__file__).parents[2] / "docs" / "mathematics.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))
ROWS = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)

LAYERS = [kind for name in nn.__all__ if issubclass(kind := getattr(nn, name), nn.Layer) and kind is not nn.Layer]
LOSSES = [getattr(an.losses, name) for name in an.losses.__all__ if name not in ("Loss", "correct")]
DERIVED = [kind for kind in (*LAYERS, *LOSSES, *optim.OPTIMIZERS.values(), an.Groups) if kind is not an.ImageLayer]


@pytest.mark.parametrize("kind", DERIVED, ids=lambda kind: kind.__name__)
def test_a_section_defines_it_and_links_to_its_code(kind):
    assert f"](../{kind.__module__.replace('.', '/')}.py)" in SECTIONS[kind.__name__]


def test_tables_have_the_schedules_and_the_initializers():
    schedules = [kind for kind in vars(an.schedules).values() if inspect.isclass(kind)]
    public = {kind.__name__ for kind in schedules if kind.__module__.startswith("anynet.optim")}
    for name in an.__all__:
        if getattr(getattr(an, name), "__module__", None) == "anynet.nn.initializers":
            public.add(name)
    assert public == set(ROWS)
