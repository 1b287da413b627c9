"""SIGTERM ends a command when everything is written; what is said after a signal is what is there."""

import json
import signal
import sys
from pathlib import Path

import pytest
from commands import train
from few_images import few_images

import anynet as an
import anynet.app.commands.reproduce
from anynet.app import cli
from anynet.app.config import Config
from anynet.app.reports import tasks
from anynet.app.search import Grid, search, search_stages
from anynet.core.history import History
from anynet.training import epochs
from anynet.training.progress import Progress

reproduction = sys.modules["anynet.app.commands.reproduce"]
fit_module = sys.modules["anynet.training.fit"]  # packages have the functions of these names
pytestmark = pytest.mark.usefixtures("few_pictures", "no_plots")

EACH = pytest.mark.parametrize("flags", [(), ("--seeds", "2")], ids=["run", "sweep"])
BASE = Config(data="synthetic", train="100", val="50", hidden="5", epochs=2, batch_size=50)


def send(monkeypatch, number, owner, name, call=1, after=False):
    """Send a signal at a call of a function."""
    function, calls = getattr(owner, name), []

    def sends(*args, **options):
        calls.append(args)
        if len(calls) == call and not after:
            signal.raise_signal(number)
        result = function(*args, **options)
        if len(calls) == call and after:
            signal.raise_signal(number)
        return result

    monkeypatch.setattr(owner, name, sends)


def runs_in(folder, flags):
    return [folder / f"member-{k}" for k in range(2)] if flags else [folder]


MOMENTS = {  # and the number of epochs that are kept
    "in the first epoch": ((Progress, "update"), 0),
    "in the second epoch": ((History, "write_csv"), 1),
    "when results are made": ((epochs, "Run"), 2),
    "when nets are written": ((an.training.run, "write_run"), 2),
}


@EACH
@pytest.mark.parametrize("moment", MOMENTS)
def test_sigterm_ends_with_143_and_keeps_whole_epochs(monkeypatch, capsys, flags, moment):
    place, kept = MOMENTS[moment]
    send(monkeypatch, signal.SIGTERM, *place, after=True)
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        train(*flags)
    assert end.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is handler
    said = capsys.readouterr()
    if not kept:
        assert said.err.endswith("anynet: interrupted before the first epoch ended; nothing was kept\n")
        assert not Path("out").exists()
        return
    for folder in runs_in(Path("out"), flags):
        assert len(an.load(folder).history) == kept
        assert json.loads((folder / "result.json").read_text())["epochs"] == kept
    assert not list(Path("out").rglob("*.png"))
    assert "interrupted while pictures were drawn; some are missing, everything else was written" in said.err
    assert "results in out" in said.out
    interrupted = moment != "when nets are written"
    assert said.out.startswith("interrupted; ") == interrupted
    assert ("go on with: python train.py --resume out\n" in said.err) == interrupted


@EACH
def test_control_c_when_results_are_made_keeps_them(monkeypatch, capsys, flags):
    send(monkeypatch, signal.SIGINT, epochs, "Run")
    train(*flags)
    for folder in runs_in(Path("out"), flags):
        assert len(an.load(folder).history) == 2
    assert list(Path("out").glob("*.png"))
    assert capsys.readouterr().out.startswith("interrupted; ")


@EACH
def test_control_c_in_the_test_keeps_nets_without_its_results(monkeypatch, capsys, flags):
    with monkeypatch.context() as patched:
        send(patched, signal.SIGINT, Progress, "testing", after=True)
        train(*flags)
    said = capsys.readouterr()
    assert said.out.startswith("interrupted; synthetic, numpy on cpu: ")
    assert "not tested" in said.out
    assert "go on with: python train.py --resume out\n" in said.err
    for folder in runs_in(Path("out"), flags):
        assert len(an.load(folder).history) == 2
        assert "test_accuracy" not in json.loads((folder / "result.json").read_text())
    cli.main(["train", "--resume", "out"])
    assert "test accuracy " in capsys.readouterr().out


def test_a_search_that_is_stopped_after_the_last_step_keeps_its_trials(tmp_path, monkeypatch):
    space = {"lr": Grid((0.01, 0.02, 0.03, 0.04))}
    with monkeypatch.context() as patched:
        send(patched, signal.SIGINT, epochs, "Run")
        with pytest.raises(KeyboardInterrupt):
            search(BASE, space, tmp_path / "out", stack_size=2)
    train_trials, stacks = search_stages.train_trials, []

    def record(study, trials, experiments, callbacks):
        stacks.append(len(trials))
        train_trials(study, trials, experiments, callbacks)

    monkeypatch.setattr(search_stages, "train_trials", record)
    assert len(search(BASE, space, tmp_path / "out", stack_size=2)) == 4
    assert stacks == [2]


def test_a_reproduction_that_is_stopped_after_the_last_step_keeps_its_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "_images", lambda source: ("synthetic", few_images()))
    wanted = [tasks.Task(BASE, tmp_path / str(k), net=False) for k in range(2)]
    send(monkeypatch, signal.SIGINT, epochs, "Run")
    with pytest.raises(KeyboardInterrupt):
        list(tasks.run_tasks(wanted, 1, stack_size=1))
    assert [tasks.is_finished(task) for task in wanted] == [True, False]


SEARCH = (
    "search --over lr=0.01,0.02 --out out --train 100 --val 50 --hidden 5 --epochs 2 --batch-size 50 --stack-size 1"
)
COMMANDS = {"search": SEARCH.split(), "reproduce": ["reproduce", "--jobs", "1", "--out", "out"]}


@pytest.mark.parametrize("moment", ["in a training", "between trainings"])
@pytest.mark.parametrize("name", COMMANDS)
def test_sigterm_ends_searches_and_reproductions_with_143_and_the_way_to_go_on(monkeypatch, capsys, name, moment):
    two = [tasks.Task(BASE, Path("out", str(k)), net=False) for k in range(2)]
    monkeypatch.setattr(tasks, "_images", lambda source: ("synthetic", few_images()))
    monkeypatch.setattr(reproduction, "run_reports", lambda *args, jobs, **kwargs: list(tasks.run_tasks(two, jobs)))
    if moment == "in a training":
        send(monkeypatch, signal.SIGTERM, Progress, "update")
    else:
        send(monkeypatch, signal.SIGTERM, fit_module, "setup")
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        cli.main([*COMMANDS[name], "--data", "synthetic"])
    assert end.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is handler
    assert capsys.readouterr().err.endswith("anynet: interrupted; run the same command again to continue out\n")
