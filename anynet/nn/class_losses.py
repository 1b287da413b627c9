"""Loss functions of classes, with their gradients."""

import math
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from array_api_compat import array_namespace, device
from array_api_extra import one_hot

from anynet.core.checks import describe, real_number, store
from anynet.core.typing import Array
from anynet.nn.loss_arguments import check_labels, flag


def softmax_cross_entropy(logits: Array, labels: Array) -> tuple[Array, Array]:
    r"""Mean softmax cross-entropy and its gradient.

    .. math:: L = -\frac{1}{N} \sum_i \log p_{i, y_i}, \quad p_{ij} = \frac{e^{s_{ij}}}{\sum_k e^{s_{ik}}},
              \quad \frac{\partial L}{\partial s_{ij}} = \frac{p_{ij} - [j = y_i]}{N}

    Parameters
    ----------
    logits : array, shape (..., N, C)
        Real floating-point scores s of any size.
    labels : array of int, shape (N,) or (..., N)
        Class indices y in ``0 .. C - 1``.

    Returns
    -------
    loss : array, shape (...)
        Mean over the batch.
    grad : array, shape (..., N, C)
        Gradient of `loss` with respect to `logits`.

    Raises
    ------
    TypeError, ValueError
        If dtypes, libraries, devices or shapes do not match, or a label is out of range.

    References
    ----------
    Goodfellow, Bengio, Courville (2016), Deep learning, section 6.2.2.3. https://www.deeplearningbook.org

    Examples
    --------
    >>> import numpy as np
    >>> softmax_cross_entropy(np.zeros((1, 2)), np.asarray([0]))  # log 2
    (np.float64(0.6931471805599453), array([[-0.5,  0.5]]))
    """
    wrong = check_labels(logits, labels)
    xp, N = array_namespace(logits), logits.shape[-2]
    right = one_hot(labels, logits.shape[-1], dtype=logits.dtype, xp=xp)
    shifted, exp, total = _softmax(logits)
    losses = xp.log(total[..., 0]) - xp.sum(right * shifted, axis=-1)
    return flag(xp.mean(losses, axis=-1), wrong), (exp / total - right) / N


@dataclass(frozen=True)
class CrossEntropy:
    r"""Softmax cross-entropy with smoothed labels and weights of classes.

    .. math:: L = -\frac{1}{\sum_i w_{y_i}} \sum_i \sum_j w_j q_{ij} \log p_{ij}, \quad
              q_{ij} = (1 - \alpha) [j = y_i] + \frac{\alpha}{C}, \quad
              \frac{\partial L}{\partial s_{ij}} = \frac{p_{ij} \sum_k w_k q_{ik} - w_j q_{ij}}{\sum_i w_{y_i}}

    for the probabilities p of `softmax_cross_entropy`, which is the case without settings. As in PyTorch, the mean is
    weighted. The loss of an epoch is the mean over its batches, each counted by its number of samples.

    Parameters
    ----------
    label_smoothing : float
        Part :math:`\alpha` of the probability that is spread over all classes, in [0, 1).
    class_weights : sequence of float, optional
        Weight w of each class, above 0, by class number: in the order of ``Run.classes``. Default: 1 for all.

    Raises
    ------
    TypeError, ValueError
        If a setting is of another type or out of range.

    References
    ----------
    Szegedy, Vanhoucke, Ioffe, Shlens, Wojna (2016), Rethinking the Inception architecture for computer vision,
    section 7. https://arxiv.org/abs/1512.00567

    Examples
    --------
    >>> import numpy as np
    >>> loss = CrossEntropy(label_smoothing=0.2)
    >>> loss(np.zeros((1, 2)), np.asarray([0]))  # log 2
    (np.float64(0.6931471805599453), array([[-0.4,  0.4]]))
    """

    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        store(self, "label_smoothing", real_number(f"{self}: label_smoothing", self.label_smoothing))
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"{self}: expected label_smoothing in [0, 1)")
        if self.class_weights is not None:
            no_list = isinstance(self.class_weights, bytes | str | Mapping | Set)
            if no_list or not isinstance(self.class_weights, Iterable):
                raise TypeError(f"class_weights: expected a number for each class, got {describe(self.class_weights)}")
            weights = tuple(real_number("class_weights", weight) for weight in self.class_weights)
            if not weights or not all(0 < weight < math.inf for weight in weights):
                raise ValueError(f"class_weights: expected finite numbers above 0, one for each class, got {weights}")
            store(self, "class_weights", weights)

    def __call__(self, logits: Array, labels: Array) -> tuple[Array, Array]:
        """Return the mean loss and its gradient with respect to the logits; see `softmax_cross_entropy`."""
        wrong = check_labels(logits, labels)
        xp, (N, C) = array_namespace(logits), logits.shape[-2:]
        right = one_hot(labels, C, dtype=logits.dtype, xp=xp)
        target = (1 - self.label_smoothing) * right + self.label_smoothing / C
        shifted, exp, total = _softmax(logits)
        if self.class_weights is None:
            losses = xp.log(total[..., 0]) - xp.sum(target * shifted, axis=-1)
            return flag(xp.mean(losses, axis=-1), wrong), (exp / total - target) / N
        if len(self.class_weights) != C:
            raise ValueError(f"class_weights: expected {C} weights, one for each class, got {len(self.class_weights)}")
        weights = xp.asarray(self.class_weights, dtype=logits.dtype, device=device(logits))
        target, sum_of_weights = weights * target, xp.sum(xp.sum(weights * right, axis=-1), axis=-1)
        mass = xp.sum(target, axis=-1, keepdims=True)
        losses = mass[..., 0] * xp.log(total[..., 0]) - xp.sum(target * shifted, axis=-1)
        gradient = (mass * exp / total - target) / sum_of_weights[..., None, None]
        return flag(xp.sum(losses, axis=-1) / sum_of_weights, wrong), gradient


def hinge(logits: Array, labels: Array) -> tuple[Array, Array]:
    r"""Mean multi-class hinge loss with margin 1, and its gradient.

    .. math:: L = \frac{1}{N} \sum_i \sum_{j \ne y_i} \max(0, s_{ij} - s_{i, y_i} + 1)

    Parameters
    ----------
    logits : array, shape (..., N, C)
        Real floating-point scores s.
    labels : array of int, shape (N,) or (..., N)
        Class indices y in ``0 .. C - 1``.

    Returns
    -------
    loss : array, shape (...)
        Mean over the batch.
    grad : array, shape (..., N, C)
        Gradient of `loss` with respect to `logits`; at the margin, a kink, that of the flat side.

    Raises
    ------
    TypeError, ValueError
        If dtypes, libraries, devices or shapes do not match, or a label is out of range.

    References
    ----------
    Weston, Watkins (1999), Support vector machines for multi-class pattern recognition.

    Examples
    --------
    >>> import numpy as np
    >>> hinge(np.asarray([[3.0, 2.5, 0.0]]), np.asarray([0]))
    (np.float64(0.5), array([[-1.,  1.,  0.]]))
    """
    wrong = check_labels(logits, labels)
    xp, N = array_namespace(logits), logits.shape[-2]
    right = one_hot(labels, logits.shape[-1], dtype=logits.dtype, xp=xp)
    right_score = xp.sum(right * logits, axis=-1, keepdims=True)
    excess = xp.maximum(logits - right_score + 1.0, 0.0) * (1.0 - right)
    over = xp.astype(excess > 0, logits.dtype)
    gradient = (over - right * xp.sum(over, axis=-1, keepdims=True)) / N
    return flag(xp.mean(xp.sum(excess, axis=-1), axis=-1), wrong), gradient


def correct(logits: Array, labels: Array) -> Array:
    """Count the samples whose largest logit is at their label.

    Parameters
    ----------
    logits : array, shape (..., N, C)
        Real floating-point scores.
    labels : array of int, shape (N,) or (..., N)
        Class indices in ``0 .. C - 1``.

    Returns
    -------
    array of int, shape (...)

    Raises
    ------
    TypeError, ValueError
        If dtypes, libraries, devices or shapes do not match, or a label is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> int(correct(np.asarray([[1.0, 2.0], [3.0, 0.0]]), np.asarray([1, 1])))
    1
    """
    check_labels(logits, labels)
    xp = array_namespace(logits)
    return xp.count_nonzero(xp.argmax(logits, axis=-1) == labels, axis=-1)


def _softmax(logits: Array) -> tuple[Array, Array, Array]:
    """Return scores with the largest at 0, their exponentials, and the sums of these; the quotient is the softmax."""
    xp = array_namespace(logits)
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)  # same probabilities, but exp cannot overflow
    exp = xp.exp(shifted)
    return shifted, exp, xp.sum(exp, axis=-1, keepdims=True)
