"""Loss functions of numbers, with their gradients: regression, and labels that do not exclude each other."""

import math
from dataclasses import dataclass

from array_api_compat import array_namespace

from anynet.core.checks import real_number, store
from anynet.core.typing import Array
from anynet.nn.loss_arguments import check_probabilities, check_targets, flag


def mean_squared_error(outputs: Array, targets: Array) -> tuple[Array, Array]:
    r"""Mean squared error and its gradient.

    .. math:: L = \frac{1}{N m} \sum_{ij} (s_{ij} - t_{ij})^2, \quad
              \frac{\partial L}{\partial s_{ij}} = \frac{2 (s_{ij} - t_{ij})}{N m}

    Parameters
    ----------
    outputs : array, shape (..., N, m)
        Real floating-point numbers s.
    targets : array, shape (N, m) or (..., N, m)
        Numbers t of the same dtype.

    Returns
    -------
    loss : array, shape (...)
        Mean over the batch and the m numbers of a sample.
    grad : array, shape (..., N, m)
        Gradient of `loss` with respect to `outputs`.

    Raises
    ------
    TypeError, ValueError
        If dtypes, libraries, devices or shapes do not match.

    References
    ----------
    Goodfellow, Bengio, Courville (2016), Deep learning, section 5.1.4. https://www.deeplearningbook.org

    Examples
    --------
    >>> import numpy as np
    >>> mean_squared_error(np.asarray([[1.0, 4.0]]), np.asarray([[0.0, 1.0]]))
    (np.float64(5.0), array([[1., 3.]]))
    """
    check_targets(outputs, targets)
    residuals = outputs - targets
    return _mean(residuals * residuals), (2 / _size(outputs)) * residuals


@dataclass(frozen=True)
class Huber:
    r"""Mean Huber loss: half the squared error up to a distance of delta, linear beyond.

    .. math:: L = \frac{1}{N m} \sum_{ij} h(s_{ij} - t_{ij}), \quad
              h(r) = \begin{cases} r^2 / 2 & |r| \le \delta \\ \delta (|r| - \delta / 2) & |r| > \delta \end{cases}

    The gradient is that of half the squared error, with residuals cut off at :math:`\pm \delta`.

    Parameters
    ----------
    delta : float
        Distance :math:`\delta`, above 0 and finite.

    Raises
    ------
    TypeError, ValueError
        If `delta` is of another type or out of range.

    References
    ----------
    Huber (1964), Robust estimation of a location parameter. https://doi.org/10.1214/aoms/1177703732

    Examples
    --------
    >>> import numpy as np
    >>> Huber(2.0)(np.asarray([[1.0, 4.0]]), np.asarray([[0.0, 1.0]]))
    (np.float64(2.25), array([[0.5, 1. ]]))
    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        store(self, "delta", real_number(f"{self}: delta", self.delta))
        if not 0 < self.delta < math.inf:
            raise ValueError(f"{self}: expected delta finite, above 0")

    def __call__(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return the mean loss and its gradient with respect to the outputs; see `mean_squared_error`."""
        check_targets(outputs, targets)
        xp, residuals = array_namespace(outputs), outputs - targets
        distance = xp.abs(residuals)
        near = xp.minimum(distance, self.delta)
        gradient = xp.maximum(xp.minimum(residuals, self.delta), -self.delta) / _size(outputs)
        return _mean(near * (distance - 0.5 * near)), gradient


def binary_cross_entropy(logits: Array, targets: Array) -> tuple[Array, Array]:
    r"""Mean logistic cross-entropy and its gradient, for m labels of which a sample may have any number.

    .. math:: L = -\frac{1}{N m} \sum_{ij} t_{ij} \log \sigma(s_{ij}) + (1 - t_{ij}) \log (1 - \sigma(s_{ij})), \quad
              \sigma(s) = \frac{1}{1 + e^{-s}}, \quad
              \frac{\partial L}{\partial s_{ij}} = \frac{\sigma(s_{ij}) - t_{ij}}{N m}

    Parameters
    ----------
    logits : array, shape (..., N, m)
        Real floating-point scores s of any size.
    targets : array, shape (N, m) or (..., N, m)
        Probabilities t of the same dtype, such as 0 and 1.

    Returns
    -------
    loss : array, shape (...)
        Mean over the batch and the m labels of a sample.
    grad : array, shape (..., N, m)
        Gradient of `loss` with respect to `logits`.

    Raises
    ------
    TypeError, ValueError
        If dtypes, libraries, devices or shapes do not match, or a target is not in [0, 1].

    References
    ----------
    Goodfellow, Bengio, Courville (2016), Deep learning, section 6.2.2.2. https://www.deeplearningbook.org

    Examples
    --------
    >>> import numpy as np
    >>> binary_cross_entropy(np.zeros((1, 2)), np.asarray([[1.0, 0.0]]))  # log 2
    (np.float64(0.6931471805599453), array([[-0.25,  0.25]]))
    """
    check_targets(logits, targets, "logits")
    wrong, xp = check_probabilities(targets), array_namespace(logits)
    losses = xp.maximum(logits, 0.0) - logits * targets + xp.log1p(xp.exp(-xp.abs(logits)))
    probabilities = 0.5 * (xp.tanh(0.5 * logits) + 1.0)
    return flag(_mean(losses), wrong, axes=2), (probabilities - targets) / _size(logits)


def _mean(losses: Array) -> Array:
    """Return the mean over the last two axes, of samples and of the numbers of each."""
    xp = array_namespace(losses)
    return xp.mean(xp.mean(losses, axis=-1), axis=-1)


def _size(outputs: Array) -> int:
    return outputs.shape[-2] * outputs.shape[-1]
