"""The reports' TOML files, and what is refused in them."""

import re

import pytest

from anynet.app.build_net import make_net
from anynet.app.build_optimizer import make_optimizer
from anynet.app.config_file import make_config
from anynet.app.reports import parse_report, preset, presets, recipes, reports

REPORT = """
title = "A title"
author = "Somebody"
about = "What it is."
[common]
epochs = 3
seeds = 2
[configurations.one]
lr = 0.5
[configurations.two]
lr = 0.1
epochs = 4
seeds = 5
claims = { test_accuracy = 0.3 }
why = "Because."
[searches.coarse]
title = "Coarse"
momentum = 0.5
over = { lr = [0.1, 0.2] }
claims = [{ lr = 0.2, val_accuracy = 0.3 }]
[figures.band]
title = "Band"
of = ["one", "two"]
"""


def test_common_settings_hold_for_all_configurations():
    report = parse_report("mine", REPORT)
    assert report.configurations["one"].settings == {"epochs": 3, "lr": 0.5}
    assert report.configurations["two"].settings == {"epochs": 4, "lr": 0.1}
    assert (report.configurations["one"].seeds, report.configurations["two"].seeds) == (2, 5)
    assert report.configurations["two"].claims == {"test_accuracy": 0.3}
    assert report.searches["coarse"].settings == {"epochs": 3, "momentum": 0.5}
    assert report.figures["band"].of == ["one", "two"]


def test_what_all_configurations_share():
    assert parse_report("mine", REPORT).shared == {}
    assert parse_report("mine", REPORT.replace("epochs = 4\n", "")).shared == {"epochs": 3}


def spoilt(old, new):
    assert REPORT.count(old) == 1
    return REPORT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            spoilt('title = "Band"', 'titel = "Band"'),
            'mine.toml, figures.band: there is no "titel"; did you mean "title',
        ),
        (spoilt('author = "Somebody"', 'autor = "x"'), 'mine.toml: there is no "autor"; did you mean "author"'),
        (spoilt('author = "Somebody"', 'name = "x"'), 'mine.toml: there is no "name"; there are "about", "author"'),
        (spoilt("over = { lr = [0.1, 0.2] }", ""), 'mine.toml, searches.coarse: expected a field "over"'),
        (spoilt('about = "What it is."', ""), 'mine.toml: expected a field "about"'),
        (spoilt("seeds = 2", "seed_count = 2"), 'mine.toml, common: there is no "seed_count"; did you mean "seed'),
        (spoilt("seeds = 2", 'claims = "x"'), 'mine.toml, common: there is no "claims"'),
        (spoilt("why = ", "wyh = "), 'mine.toml, configurations.two: there is no "wyh"; did you mean "why"'),
        (spoilt("lr = 0.5", "settings = { lr = 0.5 }"), 'mine.toml, configurations.one: there is no "settings"'),
        (
            spoilt("test_accuracy =", "tset_accuracy ="),
            'mine.toml, configurations.two.claims: there is no "tset_accuracy"; did you mean "test_accuracy"',
        ),
        (
            spoilt("momentum = 0.5", "momentun = 0.5"),
            'mine.toml, searches.coarse: there is no "momentun"; did you mean',
        ),
        (spoilt("{ lr = [0", "{ rl = [0"), 'mine.toml, searches.coarse.over: there is no "rl"; did you mean "lr"'),
        (
            spoilt("val_accuracy =", "test_accuracy ="),
            'mine.toml, searches.coarse.claims: there is no "test_accuracy"; did you mean "train_accuracy"',
        ),
        (
            spoilt("lr = 0.2,", ""),
            "mine.toml, searches.coarse.claims: expected lr to be one of [0.1, 0.2], got nothing",
        ),
        (spoilt("lr = 0.2,", "lr = 2.0,"), "searches.coarse.claims: expected lr to be one of [0.1, 0.2], got 2.0"),
        (
            spoilt('of = ["one", "two"]', 'of = ["one", "tow"]'),
            'mine.toml, figures.band.of: there is no "tow"; did you mean "two"',
        ),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_report("mine", text)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 0.1}, r"mine\.toml.*learning_rate"),
        ({"lr": -1.0}, r"mine\.toml: .*lr.*Must be > 0"),
        ({"activation": "rleu"}, r"activation.*relu"),
        ({"epochs": "many"}, r"mine\.toml.*epochs"),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_what_is_allowed(settings, message):
    with pytest.raises(ValueError, match=message):
        make_config(settings, "mine.toml")


@pytest.mark.parametrize("name", presets())
def test_every_preset_makes_a_net(name):
    config = make_config(*preset(name))
    net = make_net(config, (3, 32, 32), 10)
    assert (net.n_in, net.n_out) == (3072, 10)
    assert make_optimizer(config).schedule(0.5) > 0


def test_the_five_reports_and_our_own_recipes():
    assert list(reports()) == ["garcia-sanz", "harish-kumar", "herrera-sarrias", "miocic", "sneltvedt"]
    assert "best-mlp" in recipes().configurations
    assert "best-mlp" in presets()


def test_a_file_of_settings_is_a_preset_too(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("lr = 0.5")
    assert preset(str(file)) == ({"lr": 0.5}, str(file))
    file.write_text("lr = ")
    with pytest.raises(ValueError, match=r"config\.toml: expected TOML, got an error: Invalid value"):
        preset(str(file))
    file.write_text("[settings]\nlr = 0.5")
    with pytest.raises(ValueError, match=r"config\.toml, setting settings: expected a text, a number .* got a dict"):
        preset(str(file))
