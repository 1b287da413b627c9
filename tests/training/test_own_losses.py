"""Losses of others: what they return is checked before training, also for several nets and samples with weights."""

import re

import numpy as np
import pytest

import anynet as an
from anynet.data import from_arrays

X, Y = np.arange(24.0).reshape(12, 2), np.arange(12) % 3
NET = an.Sequential(an.Linear(2, 3))

RETURNED = {
    "nothing": (lambda o, y: None, TypeError, "to return the loss and its gradient, got None"),
    "a loss alone": (lambda o, y: 1.0, TypeError, "to return the loss and its gradient, got 1.0"),
    "three": (lambda o, y: (1.0, o, o), TypeError, "to return the loss and its gradient, got a tuple of 3"),
    "losses of samples": (
        lambda o, y: (o[..., 0], o),
        ValueError,
        "to return a loss of shape () and a gradient of shape (2, 3) for outputs of shape (2, 3), got (2,) and (2, 3)",
    ),
    "a narrow gradient": (
        lambda o, y: (o[..., 0, 0], o[..., :1]),
        ValueError,
        "to return a loss of shape () and a gradient of shape (2, 3) for outputs of shape (2, 3), got () and (2, 1)",
    ),
}


@pytest.mark.parametrize("name", RETURNED)
def test_a_loss_returns_a_number_and_a_gradient_like_the_outputs(name):
    loss, kind, message = RETURNED[name]
    with pytest.raises(kind, match=f"^loss: expected <lambda> {re.escape(message)}$"):
        an.fit(NET, (X, Y), an.SGD(0.1), loss=loss, batch_size=4)


def mean_of_all(outputs, y):
    return array_mean(outputs, None), outputs


def mean_of_each(outputs, y):
    return array_mean(outputs, (-2, -1)), outputs


def array_mean(outputs, axis):
    return outputs.__array_namespace__().mean(outputs, axis=axis)


@pytest.mark.parametrize("case", ["alone", "members", "weights"])
def test_a_mean_over_all_axes_is_for_one_net_without_weights_alone(case):
    data = from_arrays(X, Y, weights=np.ones(12) if case == "weights" else None)
    settings = {"seeds": range(2) if case == "members" else None, "batch_size": 4, "epochs": 1, "compile": "off"}
    an.fit(NET, data, an.SGD(0.1), loss=mean_of_each, **settings)
    if case == "alone":
        an.fit(NET, data, an.SGD(0.1), loss=mean_of_all, **settings)
        return
    with pytest.raises(ValueError, match=r"^loss: expected mean_of_all to return a loss of shape \(2,\) .* in front$"):
        an.fit(NET, data, an.SGD(0.1), loss=mean_of_all, **settings)
