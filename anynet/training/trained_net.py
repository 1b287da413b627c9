"""A net with its parameters, and its outputs for samples."""

from threading import Lock
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from anynet.backends import Backend
from anynet.core.process_lock import ProcessLock
from anynet.core.typing import Array, Arrays
from anynet.data.normalization import Normalization
from anynet.data.views import Views
from anynet.nn import Sequential


class TrainedNet(NamedTuple):
    """A net with its parameters.

    Attributes
    ----------
    net : Sequential
    params : array, shape (P,)
        On the device, like the two after it.
    state : dict of arrays
        Running statistics.
    normalization : Normalization
        Applied to samples before the net.
    """

    net: Sequential
    params: Array
    state: Arrays
    normalization: Normalization

    def __call__(self, x: Array) -> Array:
        """Return the outputs, shape (N, n_out)."""
        return self.net.forward(self.params, self.state, self.normalization(x), train=False)[0]


class NetOutputs:
    """Outputs of trained nets with the same layers, the mean over views of each sample.

    Those of nets of images are computed by the backend's loop, which convolves much faster than the definition of a
    convolution does. It is compiled for numbers of samples that are powers of two; other batches are filled up.

    Parameters
    ----------
    net : Sequential
    views : Views
        Test-time augmentation.
    backend : Backend
    compile : {"auto", "on", "off"}
        As for `Backend.loop`.
    """

    def __init__(self, net: Sequential, views: Views, backend: Backend, compile: str) -> None:
        def step(outputs: Array, trained: tuple[Any, ...], x: Array) -> Array:
            return views.mean(TrainedNet(net, *trained).__call__, x)

        self._arguments = net, views, backend, compile
        self._views = views
        self._loop = None if net.image_shape is None or compile == "off" else backend.loop(step, compile)
        self._lock = ProcessLock(Lock)  # a loop runs in arrays of its own

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._arguments

    def __call__(self, trained: TrainedNet, x: Array) -> Array:
        """Return the outputs, shape (N, n_out).

        Parameters
        ----------
        trained : TrainedNet
        x : array, shape (N, values)
        """
        n = x.shape[0]
        if self._loop is None or n == 0:
            return self._views.mean(trained.__call__, x)
        xp, on, filled = array_namespace(x), device(x), 1 << (n - 1).bit_length()
        if n < filled:
            x = xp.concat([x, xp.zeros((filled - n, x.shape[1]), dtype=x.dtype, device=on)], axis=0)
        first = xp.zeros((filled, trained.net.n_out), dtype=trained.params.dtype, device=on)
        with self._lock():  # step 0 each time, so that outputs round in the same way
            outputs: Array = self._loop(first, trained[1:], x[None, ...], lambda n: None, before=0)
        return outputs[:n, ...]
