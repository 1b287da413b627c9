"""Batch normalization of a single sample: refused, or warned about where it is the last batch of an epoch alone."""

import warnings

import numpy as np
import pytest

import anynet as an
from anynet.app import cli
from anynet.data import Dataset, Split
from anynet.training import TrainingWarning

NORMALIZED = an.Sequential(an.Linear(3072, 4), an.Sequential(an.BatchNorm(4), an.ReLU()), an.Linear(4, 10))
PLAIN = an.Sequential(an.Linear(3072, 10))
REFUSED = (
    r"batch_size: expected 2 or more, since batch normalization \(layer 1.0\) maps a single sample to its shift, got 1"
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (9, 3072), dtype=np.uint8)
    split = Split(images, np.arange(9))
    return Dataset("drawn", tuple("0123456789"), split, split, split)


@pytest.mark.parametrize("function", [an.fit, an.setup])
def test_batches_of_one_are_refused_before_training(data, function):
    with pytest.raises(ValueError, match=f"^{REFUSED}$"):
        function(NORMALIZED, data, an.SGD(), batch_size=1)
    with pytest.raises(ValueError, match=f"^member 0: {REFUSED}$"):
        function(NORMALIZED, data, an.SGD(), batch_size=1, seeds=[1, 2])
    function(PLAIN, data, an.SGD(), batch_size=1, **({"epochs": 1} if function is an.fit else {}))


@pytest.mark.parametrize("seeds", [None, [0, 1]])
def test_a_last_batch_of_one_is_warned_about_once(data, seeds):
    settings = {"epochs": 2, "batch_size": 4, "seeds": seeds}
    with pytest.warns(TrainingWarning) as caught:
        an.fit(NORMALIZED, data, an.SGD(), **settings)
    assert [str(warning.message) for warning in caught] == [
        "the last batch of each epoch is a single sample (9 samples in batches of 4), which batch normalization (layer "
        "1.0) maps to its shift; drop_last=True (--drop-last) leaves it out, or choose another batch size"
    ]


@pytest.mark.parametrize(
    ("net", "settings"),
    [(NORMALIZED, {"batch_size": 4, "drop_last": True}), (NORMALIZED, {"batch_size": 5}), (PLAIN, {"batch_size": 4})],
)
def test_others_are_not_warned_about(data, net, settings):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        an.fit(net, data, an.SGD(), epochs=1, **settings)


COMMAND = ["train", "--data", "synthetic", "--train", "21", "--val", "10", "--hidden", "4", "--epochs", "1"]


@pytest.mark.usefixtures("few_pictures")
def test_a_command_shows_one_line(capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main([*COMMAND, "--batch-size", "1"])
    assert capsys.readouterr().err.startswith("anynet: --batch-size: expected 2 or more, since batch normalization")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        cli.main([*COMMAND, "--batch-size", "10"])
    lines = [line for line in capsys.readouterr().err.splitlines() if "last batch" in line]
    assert len(lines) == 1
    assert lines[0].startswith("anynet: the last batch of each epoch is a single sample (21 samples in batches of 10)")
