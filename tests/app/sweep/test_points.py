"""What members differ in, of what is typed."""

import pytest

from anynet.app.config import Config
from anynet.app.sweep import sweep_points


def test_seeds_follow_the_configs():
    assert sweep_points(Config(seed=7), seeds=3) == [{"seed": 7}, {"seed": 8}, {"seed": 9}]


def test_every_combination_with_every_seed():
    found = sweep_points(Config(), ["lr=.1,1e-2", "init=he,normal:0.01"], seeds=2)
    assert found == [
        {"lr": lr, "init": init, "seed": seed}
        for lr in (0.1, 0.01)
        for init in ("he", "normal:0.01")
        for seed in (42, 43)
    ]


def test_seeds_may_be_listed():
    assert sweep_points(Config(), ["seed=5,1"]) == [{"seed": 5}, {"seed": 1}]


def test_values_have_the_types_of_their_fields():
    (point,) = sweep_points(Config(), ["l2=0", "seed=3", "warmup=1", "schedule=cosine"])
    assert [type(value) for value in point.values()] == [float, int, float, str]


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("lr", 'expected NAME=A,B,C, as in lr=0.001,0.01, got "lr"'),
        ("lrr=1,2", 'there is no setting "lrr"; did you mean "lr"'),
        (
            "hidden=50,100",
            "expected one of lr, .*, got hidden;.*anynet search --over hidden=50,100, or in separate runs",
        ),
        ("batch-size=50,100", "expected one of lr, .*, got batch_size"),
        ("optimizer=sgd,adam", "expected one of lr, .*, got optimizer"),
        ("order_seed=1,2", "expected one of lr, .*, got order_seed"),
        ("lr=1e-3..1e-1", "got the range lr=1e-3..1e-1; list values.*anynet search --over lr=1e-3..1e-1"),
        ("lr=0.1,0.10", "lr: expected one or more different values"),
        ("lr=0.1,-1", "Must be > 0"),
        ("lr=0.1,x", "lr"),
        ("seed=1.5", "seed"),
        ("l2=", "^l2: expected a value, got none; list values as in lr=0.001,0.01$"),
        ("lr=0.1,,0.2", "^lr: expected a value, got none"),
    ],
)
def test_what_cannot_be_swept_is_refused(flag, message):
    with pytest.raises(ValueError, match=message):
        sweep_points(Config(), [flag])


def test_each_setting_once():
    with pytest.raises(ValueError, match="lr is given twice; list all its values in one --sweep"):
        sweep_points(Config(), ["lr=0.1", "l2=0", "lr=0.2"])
    with pytest.raises(ValueError, match=r"--seeds and --sweep seed=\.{3}: expected one of them"):
        sweep_points(Config(), ["seed=1,2"], seeds=3)


@pytest.mark.parametrize(("flags", "seeds"), [((), 10**11), ((), 10_001), (("lr=0.1,0.2", "l2=0,1"), 2_501)])
def test_numbers_of_nets_have_a_limit(flags, seeds):
    with pytest.raises(ValueError, match=r"^--seeds and --sweep: expected at most 10,000 nets, got more; train"):
        sweep_points(Config(), flags, seeds)
    assert len(sweep_points(Config(), flags, 2_500)) == 2_500 * (4 if flags else 1)


@pytest.mark.parametrize(
    ("optimizer", "flag"),
    [("adam", "momentum=0.5,0.9"), ("lion", "momentum=0.5,0.9"), ("rmsprop", "weight_decay=0.1,0.2")],
)
def test_optimizers_without_a_setting(optimizer, flag):
    with pytest.raises(ValueError, match=f"^{flag.split('=')[0]}: {optimizer} has none; vary another setting, or use "):
        sweep_points(Config(optimizer=optimizer), [flag])
    assert len(sweep_points(Config(optimizer="muon"), ["momentum=0.5,0.9", "weight_decay=0.1,0.2"])) == 4
