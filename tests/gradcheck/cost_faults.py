"""Losses and penalties with derivatives spoilt on purpose, each of which a check has to find."""

from collections.abc import Callable
from typing import Any

import numpy as np

from anynet.nn.l2 import add_l2_gradient
from anynet.nn.losses import Loss, hinge, softmax_cross_entropy

N, CLASSES = 6, 5

LOSSES: dict[str, Loss] = {"softmax_cross_entropy": softmax_cross_entropy, "hinge": hinge}


def spoilt(loss: Loss, wrong: Callable[[Any, Any, Any], Any]) -> Loss:
    """The loss with another gradient: ``wrong(gradient, logits, hot)``, with ``hot`` 1 at each sample's label."""

    def replaced(logits, labels):
        value, gradient = loss(logits, labels)
        return value, wrong(gradient, logits, np.eye(CLASSES)[labels])

    return replaced


def softmax(logits):
    exp = np.exp(logits)
    return exp / exp.sum(axis=-1, keepdims=True)


def right_score(logits, hot):
    return np.sum(hot * logits, axis=-1, keepdims=True)


_BOTH: dict[str, Callable[[Any, Any, Any], Any]] = {
    "sign": lambda g, logits, hot: -g,
    "factor 2": lambda g, logits, hot: 2 * g,
    "factor 1.001": lambda g, logits, hot: 1.001 * g,
    "missing": lambda g, logits, hot: 0 * g,
    "without 1 / N": lambda g, logits, hot: N * g,
    "1 / C for 1 / N": lambda g, logits, hot: N / CLASSES * g,
    "without the right class": lambda g, logits, hot: np.where(hot, 0, g),
    "the right class alone": lambda g, logits, hot: np.where(hot, g, 0),
    "one sample further": lambda g, logits, hot: np.roll(g, 1, axis=0),
}

LOSS_FAULTS: dict[tuple[str, str], Callable[[Any, Any, Any], Any]] = {
    **{(loss, fault): wrong for loss in LOSSES for fault, wrong in _BOTH.items()},
    ("softmax_cross_entropy", "without the labels"): lambda g, logits, hot: softmax(logits) / N,
    ("softmax_cross_entropy", "labels without 1 / N"): lambda g, logits, hot: softmax(logits) / N - hot,
    ("softmax_cross_entropy", "not normalized"): lambda g, logits, hot: (np.exp(logits) - hot) / N,
    ("softmax_cross_entropy", "over samples"): lambda g, logits, hot: (softmax(logits.T).T - hot) / N,
    ("softmax_cross_entropy", "squared error's"): lambda g, logits, hot: 2 * (logits - hot) / N,
    ("hinge", "the right class counted once"): lambda g, logits, hot: np.where(hot, -1 / N, g),
    ("hinge", "without the margin"): lambda g, logits, hot: g * (logits > right_score(logits, hot)),
    ("hinge", "as if all were over the margin"): lambda g, logits, hot: (1 - CLASSES * hot) / N,
    ("hinge", "squared"): lambda g, logits, hot: 2 * g * (logits - right_score(logits, hot) + 1),
}


def _with(change: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """A gradient to which something else is added: ``change(weights, params, l2)``, of all the parameters' length."""

    def replaced(layout, grads, params, l2):
        weights = np.where(np.arange(layout.size) < layout.n_weights, params, 0)
        return grads + change(weights, params, l2[..., None])

    return replaced


WEIGHTS = {"0.W", "3.W"}
OTHERS = {"0.b", "1.gamma", "1.beta", "3.b"}

PENALTY_FAULTS: dict[str, tuple[Callable[..., Any], set[str]]] = {
    "λ for 2 λ": (_with(lambda weights, params, l2: l2 * weights), WEIGHTS),
    "sign": (_with(lambda weights, params, l2: -2 * l2 * weights), WEIGHTS),
    "missing": (_with(lambda weights, params, l2: 0 * weights), WEIGHTS),
    "factor 1.001": (_with(lambda weights, params, l2: 2.002 * l2 * weights), WEIGHTS),
    "without λ": (_with(lambda weights, params, l2: 2 * weights), WEIGHTS),
    "λ squared": (_with(lambda weights, params, l2: 2 * l2**2 * weights), WEIGHTS),
    "of the sum of |W|": (_with(lambda weights, params, l2: l2 * np.sign(weights)), WEIGHTS),
    "on all parameters": (_with(lambda weights, params, l2: 2 * l2 * params), OTHERS),
    "instead of the loss's": (
        lambda layout, g, params, l2: add_l2_gradient(layout, 0 * g, params, l2),
        WEIGHTS | OTHERS - {"0.b"},  # which has no influence, ahead of batch normalization
    ),
}
