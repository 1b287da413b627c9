"""The reports' second test of a backward pass: a net that overfits a few images."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from anynet.app.build_net import make_net
from anynet.app.config import Config
from anynet.data import Batches, Dataset, Split
from anynet.optim import SGD
from anynet.optim.schedules import Exponential
from anynet.plots import Figure
from anynet.plots.style import COLORS, figure, legend_below, styled
from anynet.training import fit

IMAGES, EPOCHS = 100, 400
INITS = {"he": "-", "normal:0.01": ":"}
"""Styles of lines, by initial weights."""
WIDTHS = {2: "50", 3: "50,30", 4: "50,30,20"}
"""Hidden layers, by number of layers."""


def overfitting(name: str, batches: Batches) -> tuple[tuple[list[str], list[list[str]]], Figure]:
    """Train nets of 2, 3 and 4 layers, with and without batch normalization, on the first 100 images, for 400 epochs.

    Parameters
    ----------
    name : str
        Name of the data set.
    batches : Batches
        Its images.

    Returns
    -------
    table : tuple
        Header and rows.
    figure : matplotlib.figure.Figure
        Training accuracy over the epochs.
    """
    first = batches.splits["data_batch_1"]
    few = Split(first.x[:IMAGES], first.y[:IMAGES], first.shape)
    rest = Split(first.x[IMAGES : 2 * IMAGES], first.y[IMAGES : 2 * IMAGES], first.shape)
    data = Dataset(name, batches.classes, few, rest, rest, batches.official)
    rows, lines = [], dict[tuple[str, str, str], NDArray[np.float64]]()
    norms: tuple[Literal["none", "batch"], ...] = ("none", "batch")
    for norm in norms:
        normalized = "with" if norm == "batch" else "without"
        for depth in WIDTHS:
            for init in INITS:
                accuracy = _train(data, Config(hidden=WIDTHS[depth], norm=norm, init=init))
                whole = np.flatnonzero(accuracy == 1)
                net, start = f"{depth} layers, {init}", str(whole[0] + 1) if len(whole) else "never"
                lines[normalized, net, INITS[init]] = accuracy
                rows.append([net, normalized, f"{accuracy[-1]:.0%}", start])
    return (
        ["net", "batch normalization", f"training accuracy after {EPOCHS} epochs", "100 % from epoch"],
        rows,
    ), _figure(lines)


@styled()
def _figure(lines: Mapping[tuple[str, str, str], NDArray[np.float64]]) -> Figure:
    """Return the curves of accuracies by batch normalization, net and style of the line."""
    made = figure(8, 2.9, f"Nets that overfit {IMAGES} images")
    panels = dict(zip(("without", "with"), made.subplots(1, 2, sharey=True), strict=True))
    for (normalized, net, line), accuracy in lines.items():
        color = COLORS[int(net[0]) - 2]
        panels[normalized].plot(np.arange(1, len(accuracy) + 1), 100 * accuracy, line, label=net, color=color)
    for normalized, axes in panels.items():
        axes.set(xlabel="epoch", title=f"{normalized} batch normalization")
    panels["without"].set_ylabel("training accuracy (%)")
    legend_below(made)
    return made


def _train(data: Dataset, config: Config) -> NDArray[np.float64]:
    """Return the training accuracy after every epoch, with momentum and a rate that decays by 1% per epoch."""
    net = make_net(config, data.train.shape, len(data.classes))
    optimizer = SGD(Exponential(0.01, 0.99), momentum=0.8)
    run = fit(net, data, optimizer, epochs=EPOCHS, batch_size=10, backend="numpy", progress=False)
    return np.asarray([row.train_accuracy for row in run.history])
