"""The nets whose gradients the reports checked, with the cost that each has on images of a batch."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from anynet.app.build_net import make_net
from anynet.app.config import Config
from anynet.app.reports.overfitting import WIDTHS
from anynet.data.normalization import Normalization, normalization
from anynet.data.samples import Split
from anynet.gradcheck import Subject, of_net
from anynet.nn import BatchNorm, Linear, Sequential
from anynet.nn.initializers import Normal

CLASSES, SAMPLES = 10, 20


def one_layer(batch: Split, rows: NDArray[np.int64], normalize: str, l2: float, seed: int) -> Subject:
    """Return the cost of a net of one layer on some images of a batch, with parameters of deviation 0.01.

    Parameters
    ----------
    batch : Split
        Images and labels.
    rows : ndarray of int
        Indices of the images.
    normalize : str
        As for ``--normalize``.
    l2 : float
        L2 penalty.
    seed : int
        Seed of the parameters.

    Returns
    -------
    Subject
    """
    net = Sequential(Linear(batch.x.shape[1], CLASSES, Normal(0.01), Normal(0.01)))
    images = Normalization(*normalization(normalize, batch.x.reshape(-1, *batch.shape)))(batch.x[rows])
    return of_net(net, images, batch.y[rows], l2=l2, seed=seed, backend="numpy")


def deep(batch: Split, depth: int, l2: float, *, batch_norm: bool) -> Subject:
    """Return the cost of a deep net on the first images of a batch, with He initialization.

    Parameters
    ----------
    batch : Split
        Images and labels.
    depth : int
        Number of layers, 2 to 4.
    l2 : float
        L2 penalty.
    batch_norm : bool
        Batch normalization before every activation.

    Returns
    -------
    Subject
    """
    net, images, labels = _deep(batch, depth, batch_norm=batch_norm)
    return of_net(net, images, labels, l2=l2, backend="numpy")


def constant_statistics(batch: Split, depth: int) -> Subject:
    """Return `deep` with batch normalization, but a cost that takes the batch's mean and variance as constants.

    The gradients are still the right ones, so cost and gradients disagree.

    Parameters
    ----------
    batch, depth
        As for `deep`.

    Returns
    -------
    Subject
    """
    net, images, labels = _deep(batch, depth, batch_norm=True)
    params, state = net.init(42, like=np.zeros(1))
    _, _, moved = net.forward(params, state, images, train=True)
    momentum, unbiased = BatchNorm(1).momentum, SAMPLES / (SAMPLES - 1)
    constants: dict[str, Any] = {
        name: (moved[name] - (1 - momentum) * state[name]) / momentum / (unbiased if name.endswith("var") else 1)
        for name in state
    }
    cost = of_net(net, images, labels, state=constants, train=False, backend="numpy")
    return of_net(net, images, labels, backend="numpy")._replace(value=cost.value)


def _deep(batch: Split, depth: int, *, batch_norm: bool) -> tuple[Sequential, NDArray[Any], NDArray[np.int64]]:
    norm: Literal["batch", "none"] = "batch" if batch_norm else "none"
    net = make_net(Config(hidden=WIDTHS[depth], norm=norm), batch.shape, CLASSES)
    images = Normalization(*normalization("standardize", batch.x))(batch.x[:SAMPLES])
    return net, images, batch.y[:SAMPLES]
