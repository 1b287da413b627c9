"""The reports' TOML files, and what is refused in them."""

import pytest

from anynet import build
from anynet.config import config_of
from anynet.reports import preset, presets, read, recipes, reports

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
[searches.coarse]
title = "Coarse"
momentum = 0.5
over = { lr = [0.1, 0.2] }
[figures.band]
title = "Band"
of = ["one", "two"]
"""


def test_common_settings_hold_for_all_configurations():
    report = read("mine", REPORT)
    assert report.configurations["one"].settings == {"epochs": 3, "lr": 0.5}
    assert report.configurations["two"].settings == {"epochs": 4, "lr": 0.1}
    assert (report.configurations["one"].seeds, report.configurations["two"].seeds) == (2, 5)
    assert report.configurations["two"].claims == {"test_accuracy": 0.3}
    assert report.searches["coarse"].settings == {"epochs": 3, "momentum": 0.5}
    assert report.figures["band"].of == ["one", "two"]


def test_what_all_configurations_share():
    assert read("mine", REPORT).shared == {}
    assert read("mine", REPORT.replace("epochs = 4\n", "")).shared == {"epochs": 3}


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (REPORT.replace('title = "Band"', 'titel = "Band"'), 'mine.toml, figures.band: there is no field "titel"; did'),
        (
            REPORT.replace('author = "Somebody"', 'autor = "x"'),
            'mine.toml: there is no field "autor"; did you mean "author"',
        ),
        (REPORT.replace("over = { lr = [0.1, 0.2] }", ""), 'mine.toml, searches.coarse: expected a field "over"'),
        (REPORT.replace('about = "What it is."', ""), 'mine.toml: expected a field "about"'),
    ],
)
def test_a_field_that_is_wrong_is_named(spoilt, message):
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        read("mine", spoilt)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 0.1}, r"mine\.toml.*learning_rate"),
        ({"lr": -1.0}, r"lr.*mine\.toml.*Must be > 0"),
        ({"activation": "rleu"}, r"activation.*relu"),
        ({"epochs": "many"}, r"epochs.*mine\.toml"),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_what_is_allowed(settings, message):
    with pytest.raises(ValueError, match=message):
        config_of(settings, "mine.toml")


@pytest.mark.parametrize("name", presets())
def test_every_preset_makes_a_net(name):
    config = config_of(*preset(name))
    net = build.net(config, 3072, 10)
    assert (net.n_in, net.n_out) == (3072, 10)
    assert build.optimizer(config).schedule(0) > 0


def test_bands_are_of_configurations_there_are():
    for report in reports().values():
        for band in report.figures.values():
            assert set(band.of) <= set(report.configurations)


def test_the_five_reports_and_our_own_recipes():
    assert list(reports()) == ["garcia-sanz", "harish-kumar", "herrera-sarrias", "miocic", "sneltvedt"]
    assert "best-mlp" in recipes().configurations
    assert "best-mlp" in presets()


def test_a_file_of_settings_is_a_preset_too(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("lr = 0.5")
    assert preset(str(file)) == ({"lr": 0.5}, str(file))
    file.write_text("lr = ")
    with pytest.raises(ValueError, match=r"config\.toml: Invalid value"):
        preset(str(file))
