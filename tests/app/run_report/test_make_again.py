"""The commands on a page: as they are typed, they give the settings of the run."""

import shlex

from hypothesis import given, settings
from hypothesis import strategies as st

from anynet.app import cli
from anynet.app.config import Config
from anynet.app.run_report.make_again import is_product, sweep_command, train_command
from anynet.app.sweep import sweep_points

SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "hidden": st.sampled_from(["", "50,30"]),
        "flip": st.booleans(),
        "lr": st.floats(1e-9, 1e3),
        "momentum": st.sampled_from([0.0, 0.5]),
        "clip_norm": st.floats(0.1, 10),
        "epochs": st.integers(1, 500),
        "data": st.sampled_from(["digits", "a folder/it's"]),
        "order_seed": st.integers(0, 2**40),
        "val": st.sampled_from(["0", "500"]),
    },
)


def parsed(command):
    program, *tokens = shlex.split(command)[1:]
    assert program == "train.py"
    _, arguments, _ = cli.app.parse_args(["train", *tokens])
    return arguments.kwargs


@settings(max_examples=10, deadline=None)
@given(SETTINGS)
def test_the_command_of_a_run_has_its_settings(chosen):
    config = Config(**chosen)
    assert parsed(train_command(chosen)).get("config", Config()) == config


def test_the_command_of_a_sweep_has_its_members():
    config = Config(epochs=3, seed=7, order_seed=7)
    points = sweep_points(config, ["lr=0.1,0.01", "init=he,normal:0.01"], seeds=3)
    assert is_product(points)
    shared = {"epochs": 3, "order_seed": 7}
    given = parsed(sweep_command(shared, points))
    assert sweep_points(given["config"], given["sweep"], given["seeds"]) == points
    assert given["config"].epochs == 3
    assert not is_product(points[:-1])
