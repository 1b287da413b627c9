"""Nets of configurations."""

from dataclasses import replace

import pytest

import anynet as an
from anynet.app.build_net import make_net
from anynet.app.config import LAYER_SETTINGS, Config
from anynet.nn.initializers import Normal, Xavier, Zeros


@pytest.mark.parametrize(
    ("config", "net"),
    [
        (
            Config(hidden="5,4"),
            an.Sequential(
                *(an.Linear(12, 5), an.BatchNorm(5), an.ReLU()),
                *(an.Linear(5, 4), an.BatchNorm(4), an.ReLU()),
                an.Linear(4, 3),
            ),
        ),
        (
            Config(hidden="5", norm="layer", activation="gelu", dropout=0.25, init="xavier"),
            an.Sequential(
                *(an.Linear(12, 5, Xavier()), an.LayerNorm(5), an.GELU(), an.Dropout(0.25)),
                an.Linear(5, 3, Xavier(), Zeros()),
            ),
        ),
        (
            Config(hidden="5", norm="none", init="normal:0.5"),
            an.Sequential(an.Linear(12, 5, Normal(0.5), Normal(0.5)), an.ReLU(), an.Linear(5, 3, *[Normal(0.5)] * 2)),
        ),
        (Config(hidden="", dropout=0.5), an.Sequential(an.Linear(12, 3))),
    ],
    ids=str,
)
def test_a_net_is_the_one_that_its_settings_say(config, net):
    assert make_net(config, (3, 2, 2), 3) == make_net(config, (12,), 3) == net


@pytest.mark.parametrize(
    "setting", [{"hidden": "5"}, {"activation": "tanh"}, {"norm": "none"}, {"dropout": 0.5}, {"init": "zeros"}], ids=str
)
def test_settings_of_layers_are_refused_with_a_net_of_ones_own(setting):
    assert setting.keys() <= {*LAYER_SETTINGS}
    message = f"^--net nothing:there: expected no --{next(iter(setting))} with it, since its net has all layers; leave"
    with pytest.raises(ValueError, match=message):
        make_net(replace(Config(net="nothing:there"), **setting), (3,), 2)
