"""Samples in HTML, for notebooks: shapes, classes with counts, and some pictures."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from anynet.backends import to_numpy
from anynet.core.html_table import Html, html_block, html_details, html_image, html_table
from anynet.core.picture_bytes import pictures, png
from anynet.core.typing import ConcreteArray

SHOWN = 10
"""Number of classes, and of columns of numbers, that are shown at once."""

SIZE = 64
"""Height of a picture on the page, in pixels."""


class Samples(Protocol):
    """Attributes of a `Split` that are shown."""

    @property
    def x(self) -> ConcreteArray:
        """Samples, shape (N, values)."""

    @property
    def y(self) -> ConcreteArray:
        """Class numbers, shape (N,), or numbers to predict, shape (N, m)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a sample."""

    def __len__(self) -> int: ...


def html_samples(title: str, parts: Mapping[str, Samples], classes: Sequence[object] | None = None) -> Html:
    """Return parts of a data set: a table of them, pictures of classes, and a table of targets.

    Parameters
    ----------
    title : str
    parts : mapping of str to Split
        One or more, by name. The pictures are of the first.
    classes : sequence, optional
        Labels of the classes; empty if targets are numbers. Default: class numbers, as far as there are samples.

    Returns
    -------
    Html
    """
    targets = {name: to_numpy(part.y) for name, part in parts.items()}
    first = next(iter(parts.values()))
    rows = [(name, f"{len(part):,}", str(part.shape), *_dtypes(part)) for name, part in parts.items()]
    table = html_table(("", "samples", "shape of a sample", "values", "targets"), rows)
    if next(iter(targets.values())).ndim == 2:
        return html_block(title, table, _numbers(targets))
    if classes is None:
        classes = range(1 + max((int(y.max()) for y in targets.values() if y.size), default=-1))
    return html_block(title, table, _pictures(first, next(iter(targets.values())), classes), _counts(targets, classes))


def _dtypes(part: Samples) -> tuple[str, str]:
    x, y = (str(array.dtype).rpartition(".")[2] for array in (part.x, part.y))
    return x, y


def _counts(targets: Mapping[str, NDArray[Any]], classes: Sequence[object]) -> Html:
    """Return the number of samples of each class; to be opened if there are many classes."""
    counts = {name: np.bincount(y, minlength=len(classes)) for name, y in targets.items()}
    rows = [(str(label), *(f"{count[k]:,}" for count in counts.values())) for k, label in enumerate(classes)]
    table = html_table(("class", *counts), rows)
    return table if len(classes) <= SHOWN else html_details(f"all {len(classes):,} classes", table)


def _numbers(targets: Mapping[str, NDArray[Any]]) -> Html:
    """Return what the first numbers to predict are like."""
    rows = [
        (f"{name}, target {k}", *(f"{function(y[:, k]):.4g}" for function in (np.mean, np.std, np.min, np.max)))
        for name, y in targets.items()
        for k in range(min(SHOWN, y.shape[1]))
        if len(y)
    ]
    return html_table(("", "mean", "deviation", "smallest", "largest"), rows)


def _pictures(part: Samples, y: NDArray[Any], classes: Sequence[object]) -> Html:
    """Return the first sample of each of the first classes as a picture; nothing of features, or without Pillow."""
    found = [(k, int(np.argmax(y == k))) for k in range(min(SHOWN, len(classes))) if (y == k).any()]
    if len(part.shape) != 3 or not found or find_spec("PIL") is None:
        return Html()
    samples = [to_numpy(part.x[i : i + 1, ...]) for _, i in found]  # a device copies no more than these
    shown = pictures(np.concatenate(samples).reshape(-1, *part.shape))
    size = round(SIZE * shown.shape[2] / shown.shape[1]), SIZE
    cells = [html_image(png(pixels), str(classes[k]), size) for (k, _), pixels in zip(found, shown, strict=True)]
    return html_table([str(classes[k]) for k, _ in found], [cells])
