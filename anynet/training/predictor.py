"""Predictions of a trained net, or the mean of several, for arrays of any library."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import add
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from anynet.backends import Backend, to_library_of, to_numpy
from anynet.core.array_checks import check_finite
from anynet.core.checks import store
from anynet.core.formatting import format_count
from anynet.core.pixels import IMAGES, from_pixels
from anynet.core.typing import Array, ConcreteArray
from anynet.data.dataset import Label
from anynet.data.views import Views
from anynet.nn import Sequential
from anynet.nn.layer_output import layer_output
from anynet.training.given import as_samples
from anynet.training.score import score
from anynet.training.trained_net import NetOutputs, TrainedNet

BLOCK = 1 << 22
"""Largest number of values that one layer gives at once, so that predictions need little memory."""


@dataclass(frozen=True, eq=False)
class Predictor:
    """Predictions of a trained net, or the mean of several that were trained on the same data.

    Parameters
    ----------
    nets : tuple of TrainedNet
        One or more.
    shape : tuple of int
        Shape of a sample.
    input_dtype : {"uint8", "float"}
        Kind of the samples that the nets were trained on: uint8, or other numbers.
    classes : tuple of str, int or bool
        Labels of the classes; empty if the nets predict numbers.
    dataset : str
        Name of the training data set.
    dtype : {"float32", "float64"}
        Dtype of the parameters.
    backend : Backend
        Library and device of the nets.
    logistic : bool
        True if the sigmoid of the nets' outputs is predicted, as for binary cross-entropy.
    tta : {"none", "mirror", "shift"}
        Test-time augmentation; see `Views`.
    compile : {"auto", "on", "off"}
        As for `Backend.loop`, for nets of images; others run as they are.
    """

    nets: tuple[TrainedNet, ...]
    shape: tuple[int, ...]
    input_dtype: str
    classes: tuple[Label, ...]
    dataset: str
    dtype: str
    backend: Backend
    logistic: bool = False
    tta: str = "none"
    compile: str = "auto"

    def __repr__(self) -> str:
        return f"Predictor({format_count(len(self.nets), 'net')}, {self.dataset!r}, {self.backend})"

    def predict_proba(self, x: Any) -> ConcreteArray:
        """Return the probabilities of the classes; see `Predictions.predict_proba`."""
        if not self.classes and not self.logistic:
            raise ValueError("predict_proba: expected a net of classes, got one that predicts numbers; see predict")
        samples = self._samples(x)
        with self._computing():
            answer = self._outputs(samples)
        return to_library_of(answer, x)

    def predict(self, x: Any) -> ConcreteArray:
        """Return labels, or the numbers that the nets predict; see `Predictions.predict`."""
        samples, labels = self._samples(x), np.asarray(self.classes)
        with self._computing():
            if not self.classes:
                answer = self._outputs(samples)
                answer = answer[:, 0] if answer.shape[1] == 1 else answer
            else:
                xp = self.backend.xp
                numbers = xp.argmax(self._outputs(samples), axis=-1)
                if labels.dtype.kind not in "biu":
                    return labels[to_numpy(numbers)]
                answer = xp.take(self.backend.put(labels), numbers, axis=0)
        return to_library_of(answer, x)

    def score(self, x: Any, y: Any) -> float:
        """Return the score of `predict`; see `anynet.training.score.score`."""
        return score(self.predict(x), y, self.classes)

    def layer_output(self, x: Any, layer: str) -> NDArray[Any]:
        """Return the output of a layer of the net, one net, for a few samples.

        Parameters
        ----------
        x : array_like, shape (N, values) or (N, *shape)
            As for `predict_proba`.
        layer : str
            Dotted name of the layer.

        Returns
        -------
        ndarray, shape (N, channels, rows, columns) or (N, features)

        Raises
        ------
        TypeError, ValueError
            If the samples are of another dtype or shape or are not finite, or if there is no such layer.
        """
        (net,), samples = self.nets, self._samples(x)
        with self._computing():
            given = net.normalization(self._on_device(samples, samples))
            y, image = layer_output(net.net, net.params, net.state, given, layer)
            if image is not None:
                y = from_pixels(y, (y.shape[-1], *image), IMAGES)
            return np.asarray(self.backend.to_host(y))

    def each(self) -> Iterator["Predictor"]:
        """Return a predictor of each net alone, all of which share what is compiled."""
        for net in self.nets:
            alone = replace(self, nets=(net,))
            store(alone, "_outputs_of", self._outputs_of)
            yield alone

    def _finish(self, outputs: Array) -> Array:
        if self.classes:
            return _softmax(outputs)
        return 0.5 * (array_namespace(outputs).tanh(0.5 * outputs) + 1.0) if self.logistic else outputs

    def _samples(self, x: Any) -> Array:
        return as_samples(x, self.shape, self.input_dtype)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        with self.backend.current(), self.backend.matmul_precision(), np.errstate(all="ignore"):  # exp may underflow
            yield

    @cached_property
    def _rows(self) -> int:
        """Number of samples that are predicted at once, a power of two."""
        widest = max(math.prod(self.shape), *(given.values for each in self.nets for given in each.net.outputs()))
        return 1 << (max(1, BLOCK // widest).bit_length() - 1)

    @cached_property
    def _outputs_of(self) -> dict[Sequential, NetOutputs]:
        """Functions of trained nets and samples, one for all nets with the same layers."""
        views = Views(self.tta, self.shape)
        return {each.net: NetOutputs(each.net, views, self.backend, self.compile) for each in self.nets}

    def _outputs(self, x: Array) -> Array:
        """Return the mean of what is made of each net's outputs, on the backend's device."""
        starts = range(0, max(x.shape[0], 1), self._rows)  # with one part of no samples
        blocks = [self._block(x, start) for start in starts]
        return blocks[0] if len(blocks) == 1 else self.backend.xp.concat(blocks, axis=0)

    def _block(self, x: Array, start: int) -> Array:
        here = self._on_device(x[start : min(start + self._rows, x.shape[0]), ...], x)
        total = reduce(add, (self._finish(self._outputs_of[each.net](each, here)) for each in self.nets))
        return total if len(self.nets) == 1 else total / len(self.nets)

    def _on_device(self, block: Array, x: Array) -> Array:
        """Return a block of x on the device; an error message counts the samples of x."""
        uint8, xp = self.input_dtype == "uint8", self.backend.xp
        here: Array = self.backend.put(block, None if uint8 else self.dtype)
        if not uint8 and not bool(xp.all(xp.isfinite(here))):
            check_finite("x", x)
            raise ValueError(f"x: expected numbers that {self.dtype} has, got larger ones")
        return here


def mean_of(predictors: Sequence[Predictor]) -> Predictor:
    """Return the mean of predictors, one or more, of nets that were trained on the same data.

    Parameters
    ----------
    predictors : sequence of Predictor

    Returns
    -------
    Predictor
    """
    return replace(predictors[0], nets=tuple(net for each in predictors for net in each.nets))


def _softmax(logits: Array) -> Array:
    xp = array_namespace(logits)
    exp = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    return exp / xp.sum(exp, axis=-1, keepdims=True)
