"""Optimizers of configurations."""

import pytest

import anynet as an
from anynet.app.build_optimizer import make_optimizer
from anynet.app.config import Config
from anynet.optim import OPTIMIZERS

SETTINGS = {"lr": 0.1, "schedule": "constant", "momentum": 0.5}
LR = an.schedules.Constant(0.1)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (Config(**SETTINGS), an.SGD(LR, momentum=0.5)),
        (Config(**SETTINGS, nesterov=True), an.SGD(LR, momentum=0.5, nesterov=True)),
        (Config(**SETTINGS, weight_decay=0.1), an.SGD(LR, momentum=0.5, weight_decay=0.1)),
        (Config(**SETTINGS, optimizer="adam"), an.Adam(LR)),
        (Config(**SETTINGS, optimizer="adamw"), an.AdamW(LR, weight_decay=0.0)),
        (Config(**SETTINGS, optimizer="rmsprop"), an.RMSprop(LR, momentum=0.5)),
        (Config(**SETTINGS, optimizer="lion", weight_decay=0.1), an.Lion(LR, weight_decay=0.1)),
        (Config(**SETTINGS, optimizer="muon", weight_decay=0.1), an.Muon(LR, momentum=0.5, weight_decay=0.1)),
    ],
    ids=str,
)
def test_optimizers_get_the_settings_that_they_have(config, expected):
    assert make_optimizer(config) == expected


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("triangular:0.25:1:0", an.schedules.Triangular(0.1, 8, peak=0.25, start=1.0, end=0.0)),
        ("one-cycle", an.schedules.OneCycle(0.1, 8)),
    ],
)
def test_schedules_end_with_the_training(schedule, expected):
    config = Config(lr=0.1, schedule=schedule, epochs=10, warmup=2)
    assert make_optimizer(config).lr == an.schedules.Warmup(2, expected)


def test_a_schedule_without_numbers_names_those_that_have_some():
    with pytest.raises(ValueError, match=r"expected one-cycle without numbers, or one of .*triangular:NUMBER:NUMBER"):
        make_optimizer(Config(schedule="one-cycle:0.3"))


def test_all_optimizers_have_names():
    assert {*OPTIMIZERS.values(), an.Groups} == {kind for kind in vars(an).values() if isinstance(kind, type)} & set(
        an.Optimizer.__subclasses__() + an.Adam.__subclasses__()
    )
