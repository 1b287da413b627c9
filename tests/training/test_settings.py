"""The settings of a training: written down once, and what ``fit`` and ``setup`` show of them."""

import inspect
import re
from dataclasses import fields
from typing import get_type_hints

import numpy as np
import pytest

import anynet as an
from anynet.core.settings_text import in_lines
from anynet.data import Dataset, Split
from anynet.training import Settings, TrainSettings
from anynet.training.description import describe_training
from anynet.training.members import Member
from anynet.training.settings import ARGUMENTS

NET = an.Sequential(an.Linear(3072, 10))


@pytest.fixture(scope="module")
def data() -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 32, 32), dtype=np.uint8)
    split = Split(images, np.arange(30) % 10)
    return Dataset("drawn", tuple("0123456789"), split, split, split)


def test_type_checkers_know_the_same_settings():
    expected = get_type_hints(TrainSettings)
    del expected["PER_MEMBER"]
    expected["loss"] |= str  # the name of a loss, which becomes the loss
    assert get_type_hints(Settings) == expected


@pytest.mark.parametrize("function", [an.fit, an.find_rate, an.setup])
def test_signature_and_documentation_have_every_setting(function):
    parameters, documented = inspect.signature(function).parameters, inspect.getdoc(function)
    for field in fields(TrainSettings):
        assert parameters[field.name].default is field.default
        assert f"\n{field.name} : " in documented
        assert f"\n    {field.name} : " in TrainSettings.__doc__
    assert "**settings" not in documented
    assert "\nReturns\n-------\n" in documented


def test_members_may_differ_in_some():
    assert set(TrainSettings.PER_MEMBER) < {field.name for field in fields(TrainSettings)}


def test_the_keywords_make_the_same_settings():
    settings = TrainSettings(l2=0.1, flip=True, backend=an.backend("numpy"))
    assert TrainSettings(**settings.keywords) == settings
    assert settings.keywords["backend"] is settings.backend


def test_the_order_is_the_seeds_unless_it_is_set():
    assert TrainSettings(seed=3).order == 3
    assert TrainSettings(seed=3, order_seed=0).order == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs: expected 1 or more, got 0"),
        ({"patience": 0}, "patience: expected 1 or more, or None for all epochs, got 0"),
        ({"l2": -0.1}, "l2: expected 0 or more, got -0.1"),
        ({"l2": float("inf")}, "l2: expected 0 or more, got inf"),
        *(
            ({"ema": value}, f"ema: expected more than 0, less than 1, or None for no average, got {value}")
            for value in (0.0, 1.0)
        ),
        ({"ema": float("nan")}, "ema: expected more than 0, less than 1, or None for no average, got nan"),
        *(
            ({"lookahead": text}, f'lookahead: expected "STEPS:RATE", such as "5:0.5", with.*, got \'{text}\'$')
            for text in (
                "",
                "5",
                ":",
                "5:",
                ":0.5",
                "0:0.5",
                "5:0",
                "5:1.5",
                "5:nan",
                "-5:0.5",
                "5:0.5:1",
                "10000000:1",
            )
        ),
        ({"lookahead": "5:0.5", "ema": 0.9}, "ema, lookahead: expected one of them, got both; leave one out"),
        ({"clip_norm": 0.0}, "clip_norm: expected more than 0, finite, or None for no limit, got 0.0"),
        ({"clip_norm": float("nan")}, "clip_norm: expected more than 0, finite, or None for no limit, got nan"),
        ({"clip_norm": float("inf")}, "clip_norm: expected more than 0, finite, or None for no limit, got inf"),
        ({"l2": float("nan")}, "l2: expected 0 or more, got nan"),
        ({"flip": True, "alternate_flip": True}, "flip, alternate_flip: expected one of them, got both; leave one out"),
        ({"border": "reflected"}, 'border: there is no "reflected"; did you mean "reflect"'),
        ({"border": "reflect"}, 'border: expected crop of 1 pixel or more with "reflect", got 0'),
        ({"seed": -1}, r"seed: expected 0 to 2\^64 - 1, got -1"),
        ({"order_seed": 2**64}, "order_seed: expected 0 to"),
        ({"normalize": "standard"}, 'did you mean "standardize"'),
        ({"memory_budget": -1}, "memory_budget: expected 0 bytes or more, got -1"),
        ({"compile": "of"}, 'compile: there is no "of"; did you mean "off"'),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        TrainSettings(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 1.5}, "epochs: expected a whole number, got 1.5"),
        ({"epochs": "3"}, "epochs: expected a whole number, got '3'"),
        ({"epochs": None}, "epochs: expected a whole number, got None"),
        ({"patience": 1.5}, "patience: expected a whole number, got 1.5"),
        ({"l2": "a"}, "l2: expected a number, got 'a'"),
        ({"ema": "0.9"}, "ema: expected a number, got '0.9'"),
        ({"lookahead": 5}, 'lookahead: expected "STEPS:RATE", such as "5:0.5", got 5'),
        ({"clip_norm": "1"}, "clip_norm: expected a number, got '1'"),
        ({"memory_budget": float("nan")}, "memory_budget: expected a whole number, got nan"),
        ({"border": None}, 'border: expected "black" or "reflect", got None'),
        ({"cutout": 1.5}, "cutout: expected a whole number, got 1.5"),
        ({"crop": 1.0}, "crop: expected a whole number, got 1.0"),
        ({"flip": "no"}, "flip: expected True or False, got 'no'"),
        ({"drop_last": 1}, "drop_last: expected True or False, got 1"),
        ({"seeds": [0, 1.5]}, "member 1: seed: expected a whole number, got 1.5"),
        ({"seed": 1.5}, "seed: expected a whole number, got 1.5"),
        ({"order_seed": "3"}, "order_seed: expected a whole number, got '3'"),
        ({"batch_size": 50.0}, "batch_size: expected a whole number, got 50.0"),
        ({"crop": True}, "crop: expected a whole number, got True"),
        ({"memory_budget": [1]}, "memory_budget: expected a whole number, got a list"),
        ({"flip": "yes"}, "flip: expected True or False, got 'yes'"),
        ({"loss": 3}, "loss: expected a function, such as anynet.losses.hinge, got 3"),
        ({"dtype": np.dtype("float64")}, 'dtype: expected a name, such as "float32", got a Float64DType'),
        ({"precision": 32}, 'precision: expected a name, such as "float32", got 32'),
        ({"backend": 3}, 'backend: expected a name, such as "numpy", or what anynet.backend returns, got 3'),
        ({"compile": True}, 'compile: expected "auto", "on" or "off", got True'),
        ({"normalize": None}, 'normalize: expected a name, such as "standardize", got None'),
        ({"on_epoch": 3}, "on_epoch: expected a function of the epoch, got 3"),
        ({"seeds": 3}, r"seeds: expected one for each net, such as range\(3\), got 3"),
        ({"members": 3}, r"members: expected a list of settings by name, such as .*, got 3"),
    ],
)
def test_values_of_another_type_are_refused(data, change, message):
    with pytest.raises(TypeError, match=f"^{message}$"):
        an.fit(NET, data, an.SGD(), **change)


def test_texts_are_short(data):
    images = "30 training, 30 validation and 30 test samples of shape (3, 32, 32)"
    assert repr(data.train) == "Split(30 samples of shape (3, 32, 32))"
    assert repr(data) == in_lines(f"Dataset('drawn', {images})")
    assert repr(Split(np.zeros((2, 5), np.uint8), np.arange(2))) == "Split(2 samples of shape (5,))"
    settings = {"epochs": 1, "batch_size": 10}
    ready = f"Sequential(Linear(3072, 10)), Dataset('drawn', {images}), numpy on cpu)"
    assert repr(an.setup(NET, data, an.SGD(), **settings)) == in_lines(f"Setup({ready}")
    assert repr(an.setup(NET, data, an.SGD(), seeds=range(3), **settings)) == in_lines(f"Setup(3 x {ready}")
    run = an.fit(NET, data, an.SGD(), **settings)
    accuracy = f"{run.test.accuracy:.2%}"
    assert repr(run) == in_lines(f"Run(Sequential(Linear(3072, 10)), 'drawn', 1 epoch, test accuracy {accuracy})")


def test_numbers_of_numpy_are_numbers():
    given = TrainSettings(crop=np.int64(2), batch_size=np.int32(50), l2=np.float64(0.5), flip=np.True_)
    assert given == TrainSettings(crop=2, batch_size=50, l2=0.5, flip=True)
    assert [type(value) for value in (given.crop, given.batch_size, given.l2, given.flip)] == [int, int, float, bool]


@pytest.mark.parametrize("name", ["on_epoch", "progress"])
def test_a_setup_takes_nothing_that_is_for_training(data, name):
    with pytest.raises(TypeError, match=f"^{name} is an argument of fit, not of setup"):
        an.setup(NET, data, an.SGD(), **{name: None})


def test_the_nearest_setting_is_named(data):
    with pytest.raises(TypeError, match=r'^there is no setting "bach_size"; did you mean "batch_size"'):
        an.fit(NET, data, an.SGD(), bach_size=3)
    with pytest.raises(TypeError, match=r'^there is no setting "checkpoints"; did you mean "checkpoint"'):
        an.fit(NET, data, an.SGD(), checkpoints="a")
    others = set(inspect.signature(an.fit).parameters) - {field.name for field in fields(TrainSettings)}
    assert {*ARGUMENTS} == others - {"net", "data", "optimizer"}


def test_a_setup_is_what_fit_trains(data):
    """Epoch by epoch, and measured: the same as with ``fit``, bit for bit."""
    settings = {"epochs": 3, "batch_size": 7, "l2": 0.01, "flip": True, "drop_last": True}
    optimizer = an.SGD(an.schedules.Cosine(0.1, 3), momentum=0.9)
    ready, run = an.setup(NET, data, optimizer, **settings), an.fit(NET, data, optimizer, **settings)
    carry = ready.carry
    for epoch in range(3):
        carry = ready.loop(carry, ready.fixed, ready.batches(epoch), ready.rates(epoch))
    np.testing.assert_array_equal(carry.params, run.params)
    ((val,),), _ = ready.evaluate.read([ready.evaluate(carry.params, carry.state, ready.inputs.val)])
    assert val.cost == run.history[-1].val_cost
    assert (ready.backend.name, ready.inputs.steps, ready.settings.l2) == ("numpy", 4, 0.01)


@pytest.mark.parametrize(
    ("images", "resident"),
    [
        ((30, 5, 5), (True, False, False)),
        ((30, 5, 4), (True, False, True)),
        ((30, 4, 1), (True, True, False)),
        ((35, 30, 5), (False, True, False)),
        ((25, 5, 4), (True, True, True)),
    ],
)
def test_the_memory_budget_is_that_of_all_sets_together(images, resident):
    """34 images' worth: what one set takes is not there for the next."""
    parts = [Split(np.zeros((n, 3072), np.uint8), np.arange(n) % 10) for n in images]
    data = Dataset("blank", tuple("0123456789"), *parts)
    inputs = an.setup(NET, data, an.SGD(), batch_size=5, memory_budget=34 * 3072).inputs
    assert (inputs.train.resident, inputs.val.resident, inputs.test.resident) == resident


def test_members_are_set_up_as_one_stack(data):
    ready = an.setup(NET, data, an.SGD(0.1), seeds=range(3), batch_size=10)
    assert ready.carry.params.shape == (3, NET.layout.size)
    assert ready.rates(0).shape == (3, 3)
    assert [member.settings.seed for member in ready.members] == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "loss"), [("hinge", an.losses.hinge), ("cross-entropy", an.losses.softmax_cross_entropy)]
)
def test_losses_have_names(name, loss):
    assert TrainSettings(loss=name).loss == loss
    assert TrainSettings(loss=name) == TrainSettings(loss=loss)


@pytest.mark.parametrize(
    ("loss", "error", "message"),
    [
        ("hnige", ValueError, 'loss: there is no "hnige"; did you mean "hinge"?'),
        (
            "l1",
            ValueError,
            'loss: there is no "l1"; there are "binary-cross-entropy", "cross-entropy", "hinge", "huber", ',
        ),
        (
            an.losses.CrossEntropy,
            TypeError,
            "loss: expected a function, such as anynet.losses.hinge, got the class Cro",
        ),
    ],
)
def test_other_losses_are_refused(loss, error, message):
    with pytest.raises(error, match=re.escape(message)):
        TrainSettings(loss=loss)


def test_settings_that_older_checkpoints_lack_are_described_where_they_matter(data):
    def described(optimizer, **settings):
        return describe_training([Member(NET, optimizer, TrainSettings(**settings))], data)

    before = described(an.SGD(0.1, momentum=0.9))
    assert before["optimizer"] == "SGD(lr=0.1, momentum=0.9, nesterov=False)"
    assert not {"ema", "lookahead", "patience"} & before.keys()
    after = described(an.SGD(0.1, momentum=0.9, weight_decay=0.5), ema=0.9, patience=3)
    assert after["optimizer"] == "SGD(lr=0.1, momentum=0.9, nesterov=False, weight_decay=0.5)"
    assert (after["ema"], after["patience"]) == ("0.9", "3")


def test_layers_without_a_text_of_their_own_are_described_alike(data):
    """Python's own text has the address, another one in each process."""

    class Plain(an.Layer):
        pass

    layers = Plain(), Plain()
    first, second = (
        describe_training([Member(an.Sequential(an.Linear(3072, 10), layer), an.SGD(0.1), TrainSettings())], data)
        for layer in layers
    )
    assert first == second
    assert "Plain" in first["net"]


def test_a_loss_with_settings_trains_and_is_described(data):
    """A loss by its name gives the bits of the function; settings tell one training from another."""
    net = an.Sequential(an.Linear(3072, 10))

    def trained(loss):
        return an.fit(net, data, an.SGD(0.01), loss=loss, epochs=1, batch_size=10).last.params

    np.testing.assert_array_equal(trained("hinge"), trained(an.losses.hinge))
    assert not np.array_equal(trained(an.losses.CrossEntropy(0.1)), trained("cross-entropy"))
    texts = {
        describe_training([Member(net, an.SGD(), TrainSettings(loss=loss))], data)["loss"]
        for loss in ("hinge", an.losses.CrossEntropy(0.1), an.losses.CrossEntropy(0.2), an.losses.CrossEntropy(0.1))
    }
    assert texts == {"hinge"} | {f"CrossEntropy(label_smoothing={each}, class_weights=None)" for each in (0.1, 0.2)}
