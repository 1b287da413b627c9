"""Which configurations go into one stack, held against what ``fit`` takes as members."""

from dataclasses import fields, replace

import pytest

from anynet.app.config import Config
from anynet.app.experiment import fit_stack, prepare
from anynet.app.grouping import group_configs, stack_key
from anynet.data.synthetic import draw

BASE = Config(data="synthetic", train="100", val="50", hidden="5", epochs=2, batch_size=50, order_seed=1)
OWN = {
    "seed": 7,
    "init": "xavier",
    "l2": 0.5,
    "lr": 0.3,
    "momentum": 0.1,
    "weight_decay": 0.1,
    "schedule": "step:0.5:1",
    "warmup": 1.0,
}
SHARED = {
    "data": "cifar10", "train": "90", "val": "40", "normalize": "none", "flip": True, "crop": 1, "reverse": True,
    "test": 30, "hidden": "6", "activation": "tanh", "norm": "layer", "dropout": 0.5, "net": "a:b",
    "loss": "hinge", "optimizer": "adam", "nesterov": True,
    "epochs": 3, "batch_size": 25, "drop_last": True, "backend": "torch:cpu", "dtype": "float64", "order_seed": 2,
    "sync_batch_norm": False,
    "memory_budget": 1.0, "precision": "tf32", "compile": "off", "clip_norm": 1.0, "ema": 0.9, "lookahead": "2:0.5",
    "patience": 3, "evaluate_train": "never",
    "alternate_flip": True, "border": "reflect", "cutout": 2, "label_smoothing": 0.1, "tta": "mirror",
}  # fmt: skip


def test_every_setting_is_looked_at():
    assert {field.name for field in fields(Config)} == {*OWN, *SHARED}


def test_what_members_may_differ_in_trains_as_one():
    configs = [BASE, *(replace(BASE, **{name: value}) for name, value in OWN.items())]
    assert group_configs(configs, len(configs)) == [list(range(len(configs)))]
    found = "synthetic", draw(0, per_batch=40)
    experiments = [prepare(config, found) for config in configs]
    for experiment, run in zip(experiments, fit_stack(experiments, progress=False), strict=True):
        alone = experiment.fit(progress=False)
        assert run.history[-1].val_loss == pytest.approx(alone.history[-1].val_loss, rel=1e-5)


def test_what_they_share_keeps_them_apart():
    for name, value in SHARED.items():
        assert group_configs([BASE, replace(BASE, **{name: value})], 2) == [[0], [1]], name


def test_the_order_is_the_seeds_by_default():
    base = replace(BASE, order_seed=None, seed=3)
    assert stack_key(base) == stack_key(replace(base, order_seed=3)) == stack_key(replace(base, order_seed=3, seed=4))
    assert stack_key(base) != stack_key(replace(base, seed=4))


@pytest.mark.parametrize(
    ("most", "at_least", "sizes"),
    [(10, 1, [7, 1]), (5, 1, [4, 1, 3]), (3, 1, [3, 1, 2, 2]), (1, 1, [1] * 8), (5, 4, [3, 1, 2, 2]), (5, 20, [1] * 8)],
)
def test_stacks_of_about_one_size(most, at_least, sizes):
    configs = [replace(BASE, lr=0.1 + i / 10) for i in range(8)]
    configs[2] = replace(configs[2], hidden="9")
    parts = group_configs(configs, most, at_least=at_least)
    assert sorted(i for part in parts for i in part) == list(range(8))
    assert sorted(map(len, parts)) == sorted(sizes)
    assert [2] in parts
