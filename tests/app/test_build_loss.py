"""Losses of configurations."""

import pytest

import anynet as an
from anynet.app.build_loss import make_loss
from anynet.app.config import Config


def test_losses_have_names_and_smoothed_labels():
    assert make_loss(Config()) is an.losses.softmax_cross_entropy
    assert make_loss(Config(loss="hinge")) is an.losses.hinge
    assert make_loss(Config(label_smoothing=0.2)) == an.losses.CrossEntropy(label_smoothing=0.2)
    with pytest.raises(ValueError, match=r"^--label-smoothing: expected --loss cross-entropy with it, got hinge$"):
        make_loss(Config(loss="hinge", label_smoothing=0.1))
