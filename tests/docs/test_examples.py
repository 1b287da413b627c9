"""Examples print anynet's score, which is as good as scikit-learn's, and their documentation says it."""

import ast
import re
import runpy
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

pytest.importorskip("sklearn.base")

from test_downloaded_sets import mirror, publish

__all__ = ["mirror"]  # a fixture

FOLDER = Path(__file__).parents[2] / "docs" / "examples"
FASHION = "fashion_mnist"
LINE = re.compile(r"(.+), accuracy on ([\d,]+) test (\w+): anynet ([\d.]+)(%?), scikit-learn ([\d.]+)(%?)")
ROW = re.compile(r"\| \[(\w+)\.py\]\(\w+\.py\) \|.*\| *([\d.]*%?) \| *([\d.]*%?) \|")


class Expected(NamedTuple):
    """Lowest score of anynet, and a margin: scikit-learn's, or the documented ones, may differ by so much."""

    lowest: float
    margin: float


EXPECTED = {  # margins are about four test samples
    "digits": Expected(96.0, 1.4),
    FASHION: Expected(85.0, 1.0),
    "jax_arrays": Expected(92.0, 2.8),
    "labels_of_text": Expected(91.0, 4.5),
    "torch_arrays": Expected(96.0, 0.9),
}

SLOW = ("jax_arrays",)


class Result(NamedTuple):
    """A line that an example prints: its words, and the scores."""

    words: tuple[str, ...]
    ours: float
    theirs: float

    @classmethod
    def of(cls, line: str) -> "Result":
        found = LINE.fullmatch(line)
        assert found, line
        *words, ours, unit, theirs, other_unit = found.groups()
        return cls((*words, unit, other_unit), float(ours), float(theirs))


def documented(name: str) -> str:
    """Return what an example says under the first line of its docstring."""
    text = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8")))
    return text.partition("\n\n")[2]


def run(name: str, capsys: pytest.CaptureFixture) -> Result:
    """Run an example, and compare its scores with those expected."""
    runpy.run_path(f"{FOLDER / name}.py", run_name="__main__")
    result = Result.of(capsys.readouterr().out.removesuffix("\n"))
    assert result.ours >= EXPECTED[name].lowest
    assert result.ours >= result.theirs - EXPECTED[name].margin
    return result


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in EXPECTED if name != FASHION],
)
def test_anynet_is_as_good_as_scikit_learn(name, capsys):
    if name in ("torch_arrays", "jax_arrays"):
        pytest.importorskip(name.partition("_")[0])
    result, expected = run(name, capsys), Result.of(documented(name))
    assert result.words == expected.words
    np.testing.assert_allclose(result[1:], expected[1:], rtol=0, atol=EXPECTED[name].margin)


@pytest.fixture
def clothes(mirror, monkeypatch):
    """A mirror of a small set under Fashion-MNIST's name: a coarse pattern for each class, under noise."""
    rng = np.random.default_rng(0)
    patterns = np.kron(rng.uniform(60, 200, (10, 7, 7)), np.ones((4, 4)))

    def draw(n):
        labels = rng.integers(0, 10, n, np.uint8)
        return (patterns[labels] + rng.normal(0, 250, (n, 28, 28))).clip(0, 255).astype(np.uint8), labels

    publish(monkeypatch, mirror.folder / "fashion-mnist", "fashion-mnist", *draw(4000), *draw(1000))


@pytest.mark.usefixtures("clothes")
def test_anynet_is_as_good_as_scikit_learn_on_images_of_a_mirror(capsys):
    result = run(FASHION, capsys)
    assert result.words == ("Fashion-MNIST", "1,000", "images", "%", "%")


def test_every_example_is_run():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(EXPECTED)


def test_the_index_has_the_scores_of_every_example():
    rows = ROW.findall((FOLDER / "README.md").read_text(encoding="utf-8"))
    lines = {name: documented(name) for name in EXPECTED}
    scores = {name: re.findall(r"(?:anynet|scikit-learn) ([\d.]+%?)", line) for name, line in lines.items()}
    assert {name: [ours, theirs] for name, ours, theirs in rows} == scores | {FASHION: ["", ""]}
