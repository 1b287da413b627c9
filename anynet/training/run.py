"""What training gives back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.backends import Backend
from anynet.core.history import History
from anynet.core.typing import Array, Arrays
from anynet.data.normalization import Normalization
from anynet.nn import Sequential
from anynet.training.divergence import DivergedError
from anynet.training.measure import Measured

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Snapshot(NamedTuple):
    """A net after an epoch, counted from 1: its parameters and running statistics, on the device."""

    epoch: int
    params: Array
    state: Arrays


@dataclass(frozen=True, kw_only=True)
class Run:
    """A trained net and how it came about.

    net, backend, dtype, seed: as trained with. dataset, classes: the data set's name and its classes'.
    history: one ``Epoch`` an epoch; see ``anynet.core.history``.
    last, best: after the last epoch, and after the first with the highest validation accuracy.
    normalization: what images go through on their way to the net, on the device.
    test, best_test: measured on the test images, with the last and with the best parameters.
    seconds: of training and measuring, without reading the data.
    interrupted: whether training was stopped by hand before its last epoch.
    dropped: whether ``on_epoch`` dropped it from among the others before its last epoch.
    diverged: why a net that was trained with others stopped before its last epoch, where its cost was no longer finite.
    """

    net: Sequential
    backend: Backend
    dtype: str
    seed: int
    dataset: str
    classes: tuple[str, ...]
    history: History
    last: Snapshot
    best: Snapshot
    normalization: Normalization
    test: Measured
    best_test: Measured
    seconds: float
    interrupted: bool = False
    dropped: bool = False
    diverged: DivergedError | None = None

    @property
    def params(self) -> Array:
        """The last parameters, one vector on the device."""
        return self.last.params

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Probabilities of the classes, after the softmax of the best parameters' logits.

        images: uint8, shape (N, 3072). Returns shape (N, C).
        """
        return probabilities(self.net, self.best.params, self.best.state, self.normalization, images, self.backend)

    def plot(self) -> "Figure":
        """Cost, loss and accuracy over the epochs, as a Matplotlib figure."""
        from anynet.plots import curves  # here, so that training without pictures never imports Matplotlib

        return curves(self.history, self.dataset)


def probabilities(
    net: Sequential,
    params: Array,
    state: Arrays,
    normalization: Normalization,
    images: NDArray[np.uint8],
    backend: Backend,
) -> NDArray[np.floating]:
    """Probabilities of the classes: images of shape (N, 3072), uint8, give shape (N, C)."""
    with backend.matmul_precision():
        logits, _, _ = net.forward(params, state, normalization(backend.asarray(images)), train=False)
    xp = array_namespace(logits)
    exp = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    return backend.to_host(exp / xp.sum(exp, axis=-1, keepdims=True))
