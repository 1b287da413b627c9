"""``--compile``: steps that run as chosen, the warning in one line, and the error that keeps no folder."""

import json
import re
import sys
import tomllib
import warnings
from dataclasses import dataclass

import pytest
from array_api_compat import array_namespace
from commands import refused, small, train
from tqdm import tqdm

import anynet as an
from anynet.app import cli
from anynet.app.compile_warnings import show_in_one_line
from anynet.app.config import Config
from anynet.app.reports.tasks import Task, run_tasks
from anynet.nn.perceptron import ACTIVATIONS

pytestmark = [
    pytest.mark.usefixtures("few_pictures", "no_plots"),
    pytest.mark.filterwarnings("default::anynet.CompileWarning"),
]


@dataclass(frozen=True)
class Reading(an.Layer):
    """Rectifier that reads numbers from its input, so that no step with it can be recorded."""

    def forward(self, params, state, x, *, train):
        assert float(array_namespace(x).max(x)) < 1e9
        return an.ReLU().forward(params, state, x, train=train)

    def backward(self, params, cache, dy):
        return an.ReLU().backward(params, cache, dy)


@pytest.fixture
def unrecordable(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "relu", Reading())


def result(folder):
    return json.loads((folder / "result.json").read_text())


@pytest.mark.parametrize("more", [[], ["--seeds", "2"]])
def test_the_choice_and_how_steps_ran_are_written_down(tmp_path, more):
    for how, execution in (("off", "plain steps"), ("on", "recorded steps")):
        train("--compile", how, "--out", how, *more)
        members = [tmp_path / how / f"member-{k}" for k in range(2)] if more else []
        for folder in (tmp_path / how, *members):
            assert result(folder)["execution"] == execution
            assert tomllib.loads((folder / "config.toml").read_text())["compile"] == how


@pytest.mark.usefixtures("unrecordable")
@pytest.mark.parametrize("more", [[], ["--seeds", "2"]])
def test_on_ends_in_one_line_and_keeps_no_folder(tmp_path, capsys, more):
    said = refused(capsys, *small("--compile", "on", *more)).splitlines()
    assert re.fullmatch(
        r"anynet: steps cannot be compiled: a number is read from an array.*; --compile auto runs them more slowly",
        said[-1],
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("unrecordable")
def test_auto_warns_in_one_line_without_a_place_in_the_source(tmp_path, capsys):
    train("--seeds", "2", "--data", "synthetic")
    where, *lines = capsys.readouterr().err.splitlines()
    assert where.endswith("2 members; results in out")
    said = [line for line in lines if not line.startswith("epoch ")]
    assert len(said) == 1
    reason = r"a number is read from an array, by [\w. ]+ \(test_compile_option.py, line \d+, in forward\)"
    off = '; compile="off" runs them so without this warning'
    assert re.fullmatch(f"anynet: steps run as plain steps, more slowly: {reason}{off}", said[0])
    assert result(tmp_path / "out")["execution"] == "plain steps"


def test_a_warning_clears_the_progress_bar_and_others_stay_as_they_are(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        show_in_one_line()
        with tqdm(total=2, file=sys.stderr) as bar:
            warnings.warn("slow", an.CompileWarning, stacklevel=1)
            bar.update()
        said = capsys.readouterr().err
        assert re.search(r"\r +\ranynet: slow\n\r", said)  # blanks over the bar, the line, and the bar again
        with pytest.warns(UserWarning, match="another"):
            warnings.warn("another", UserWarning, stacklevel=1)


def test_commands_leave_warnings_as_they_were(capsys):
    before = warnings.showwarning, list(warnings.filters)
    cli.main(["presets"])
    assert (warnings.showwarning, list(warnings.filters)) == before


@pytest.mark.usefixtures("unrecordable")
def test_a_reproduction_keeps_no_run_that_on_refuses(tmp_path):
    config = Config(data="synthetic", train="400", val="100", hidden="5", epochs=1, compile="on")
    with pytest.raises(an.CompileError, match="a number is read from an array"):
        list(run_tasks([Task(config, tmp_path / "run", net=False)], 1))
    assert not (tmp_path / "run").exists()


def test_reproductions_and_searches_take_the_option(tmp_path, capsys):
    flags = ["--train", "400", "--val", "100", "--hidden", "", "--epochs", "1"]
    cli.main(["search", "--over", "lr=0.1", "--out", "found", "--compile", "off", *flags])
    assert "compile" not in json.loads((tmp_path / "found" / "search.json").read_text())["base"]
    cli.main(["reproduce", "--help"])
    assert "--compile" in capsys.readouterr().out
