"""A trained net is kept: whatever fails after the training, or while files are written."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from contextlib import nullcontext
from pathlib import Path

import matplotlib.figure
import numpy as np
import pytest
from commands import small, train

import anynet as an
from anynet.app import cli, train_run
from anynet.app.run_folder import RunFolder
from anynet.core import atomic
from anynet.core.history import History

pytestmark = pytest.mark.usefixtures("few_pictures")

WRITTEN = ("config.toml", "history.csv", "model.safetensors", "result.json")
SWEEP = ("--seeds", "2")
EACH = pytest.mark.parametrize("flags", [(), SWEEP], ids=["run", "sweep"])


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """A folder to work in, beside the folder for temporary files."""
    for name in ("work", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


def runs_in(folder, flags):
    return [folder / f"member-{k}" for k in range(2)] if flags else [folder]


def assert_kept(folder, flags=(), epochs=2):
    """Every net is there whole, with its results; of what was written there is no half."""
    assert not [path for place in (folder, Path("out")) for path in place.rglob(".partial-*")]
    for each in runs_in(folder, flags):
        assert {*WRITTEN} <= {path.name for path in each.iterdir()}
        run, result = an.load(each), json.loads((each / "result.json").read_text())
        assert run.history == History.read_csv(each / "history.csv")
        assert len(run.history) == result["epochs"] == epochs
        assert np.isfinite(run.predict_proba(np.zeros((1, 3072), np.uint8))).all()
    assert json.loads((folder / "result.json").read_text())["dataset"] == "synthetic"


def fail_at(monkeypatch, name, error, times=10**9):
    """Let writing files of this name raise an error, so many times, outside of the folder for temporary files."""
    replace, left = os.replace, [times]

    def fails(source, target):
        if Path(target).name == name and left[0] > 0 and not Path(target).is_absolute():
            left[0] -= 1
            raise error
        replace(source, target)

    monkeypatch.setattr(atomic.os, "replace", fails)


def in_a_process(tmp_path, first, *flags):
    """Train in a process of its own, which does something first."""
    code = f"""
import pathlib, resource, signal, sys
sys.path[:0] = [{str(Path(__file__).parents[1])!r}]
import pytest
from few_images import use_few_images
from anynet.app import cli
from anynet.app.run_folder import RunFolder
{first}
use_few_images(pytest.MonkeyPatch(), pathlib.Path({str(tmp_path / "work")!r}))
cli.main({small(*flags)!r})
"""
    environment = os.environ | {"TMPDIR": str(tmp_path / "temporary")}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=100)


@EACH
@pytest.mark.usefixtures("no_plots")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["model.safetensors", "result.json"])
def test_signals_wait_until_everything_is_written(monkeypatch, capsys, flags, when, number, name):
    replace = os.replace

    def interrupted(source, target):
        if Path(target).name == name and when == "before":
            signal.raise_signal(number)
        replace(source, target)
        if Path(target).name == name and when == "after":
            signal.raise_signal(number)

    monkeypatch.setattr(atomic.os, "replace", interrupted)
    with pytest.raises(SystemExit) if number == signal.SIGTERM else nullcontext():
        train(*flags)
    assert_kept(Path("out"), flags)
    said = capsys.readouterr()
    assert "interrupted while pictures were drawn; some are missing" in said.err
    assert "results in out" in said.out
    assert not list(Path("out").rglob("*.png"))


@EACH
@pytest.mark.parametrize("times", [1, 2])
def test_control_c_ends_the_pictures(monkeypatch, capsys, flags, times):
    """The next one is not begun; twice, and the one that is being drawn is not finished."""
    drawn = []

    def interrupted(figure, file, **options):
        assert_kept(Path("out"), flags)
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        drawn.append(file)
        file.touch()

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", interrupted)
    train(*flags)
    assert_kept(Path("out"), flags)
    assert "interrupted while pictures were drawn; some are missing" in capsys.readouterr().err
    assert len(drawn) == 2 - times


@EACH
def test_pictures_that_fail_are_one_line(monkeypatch, capsys, flags):
    def broken(figure, file, **options):
        assert_kept(Path("out"), flags)
        raise RuntimeError("no fonts\nat all")

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", broken)
    train(*flags)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "not made" in line]
    assert line.startswith("anynet: out: curves.png, ")
    assert "(no fonts)" in line


def test_matplotlib_that_cannot_be_imported_is_one_line(monkeypatch, capsys):
    for name in [name for name in sys.modules if name.partition(".")[2].startswith("plots")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(an, "plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    train()
    assert_kept(Path("out"))
    assert "curves.png, weights.png not made" in capsys.readouterr().err


@EACH
@pytest.mark.usefixtures("no_plots")
def test_rows_that_cannot_be_written_are_named_once(monkeypatch, capsys, flags):
    fail_at(monkeypatch, "history.csv", OSError(28, "No space left on device"), times=2)  # once for each epoch
    train(*flags)
    assert_kept(Path("out"), flags)
    lines = [line for line in capsys.readouterr().err.splitlines() if "training goes on" in line]
    where = "out" if flags else "out/history.csv"
    assert lines == [f"anynet: {where} cannot be written (No space left on device); training goes on"]


@EACH
@pytest.mark.usefixtures("no_plots")
@pytest.mark.parametrize("name", ["model.safetensors", "history.csv", "result.json"])
def test_what_cannot_be_written_is_written_elsewhere(monkeypatch, capsys, tmp_path, flags, name):
    fail_at(monkeypatch, name, OSError(28, "No space left on device"))
    train(*flags)
    (elsewhere,) = (tmp_path / "temporary").iterdir()
    assert_kept(elsewhere, flags)
    said = capsys.readouterr()
    (line,) = [line for line in said.err.splitlines() if "are in" in line]
    assert line.startswith("anynet: out/")
    assert line.endswith(f"{name} cannot be written (No space left on device); net and results are in {elsewhere}")
    assert f"results in {elsewhere}" in "".join(said.out.split("\n"))


@EACH
@pytest.mark.usefixtures("no_plots")
@pytest.mark.filterwarnings("default::anynet.training.TrainingWarning")  # no checkpoint can be written
def test_a_folder_that_is_gone_is_named(monkeypatch, capsys, tmp_path, flags):
    write = History.write_csv

    def remove(history, path, dataset):
        if len(history) == 2 and Path("out").exists():
            shutil.rmtree("out")
        write(history, path, dataset)

    monkeypatch.setattr(History, "write_csv", remove)
    train(*flags)
    (elsewhere,) = (tmp_path / "temporary").iterdir()
    assert_kept(elsewhere, flags)
    assert "training goes on" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.usefixtures("no_plots")
def test_a_net_that_can_be_kept_nowhere_is_one_line(monkeypatch, capsys, tmp_path):
    fail_at(monkeypatch, "model.safetensors", OSError(28, "No space left on device"))
    (tmp_path / "temporary").rmdir()
    with pytest.raises(SystemExit) as end:
        train()
    assert end.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(
        "anynet: the trained net could not be kept: out/model.safetensors cannot be written (No space"
    )
    assert "nor can a folder for temporary files (No such file or directory)" in last


@EACH
@pytest.mark.usefixtures("no_plots")
def test_a_disk_that_is_full_at_the_start_is_named(monkeypatch, capsys, tmp_path, flags):
    """Everything is written elsewhere then, checkpoints as well."""
    fail_at(monkeypatch, "config.toml", OSError(28, "No space left on device"))
    train(*flags)
    (elsewhere,) = (tmp_path / "temporary").iterdir()
    assert_kept(elsewhere, flags)
    assert not Path("out").exists()
    said = capsys.readouterr()
    line = f"anynet: out/config.toml cannot be written (No space left on device); everything is written to {elsewhere}"
    assert said.err.count(line) == said.err.count("cannot be written") == 1
    assert f"results in {elsewhere}" in "".join(said.out.split("\n"))
    assert "go on with" not in said.err
    cli.main(["train", "--resume", str(elsewhere)])
    assert f"{elsewhere}: finished after 2 epochs; raise --epochs to go on" in capsys.readouterr().err


@EACH
@pytest.mark.usefixtures("no_plots")
@pytest.mark.filterwarnings("default::anynet.training.TrainingWarning")
def test_checkpoints_that_cannot_be_begun_are_named(monkeypatch, capsys, tmp_path, flags):
    fail_at(monkeypatch, "training.json", OSError(28, "No space left on device"))
    train(*flags)
    assert_kept(Path("out"), flags)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "cannot be written" in line]
    assert "out/checkpoints/training.json cannot be written (No space left on device); training goes on without" in line
    assert {path.name for path in Path("out", "checkpoints").iterdir()} == {".lock"}


def test_it_is_said_how_to_go_on_if_there_are_checkpoints_to_go_on_from(monkeypatch, capsys, tmp_path):
    add = RunFolder.add

    def stop(results, epoch):
        add(results, epoch)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(RunFolder, "add", stop)
    train("--out", "stopped")
    assert "go on with: python train.py --resume stopped\n" in capsys.readouterr().err
    fail_at(monkeypatch, "model.safetensors", OSError(28, "No space left on device"))
    train("--out", "moved")
    (elsewhere,) = (tmp_path / "temporary").iterdir()
    assert_kept(elsewhere, epochs=1)
    assert "go on with" not in capsys.readouterr().err


def test_nothing_is_trained_that_can_be_kept_nowhere(monkeypatch, capsys, tmp_path):
    fail_at(monkeypatch, "config.toml", OSError(28, "No space left on device"))
    (tmp_path / "temporary").rmdir()
    with pytest.raises(SystemExit) as end:
        train()
    assert end.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("anynet: nothing was trained, since it could not be kept: out/config.toml cannot be written")
    assert not Path("out").exists()


@EACH
@pytest.mark.parametrize("where", ["at the folder", "at a file"])
def test_a_folder_that_cannot_be_written_is_one_line(monkeypatch, capsys, tmp_path, flags, where):
    """Unlike a full disk, it is a mistake that is mended before the training."""
    if where == "at the folder":
        Path("file").touch()
        name, said = "file/out", "file/out cannot be written (Not a directory)"
    else:
        fail_at(monkeypatch, "config.toml", PermissionError(13, "Permission denied"))
        name, said = "out", "out/config.toml cannot be written (Permission denied)"
    with pytest.raises(SystemExit) as end:
        train(*flags, "--out", name)
    assert end.value.code == 2
    assert capsys.readouterr().err.endswith(f"\nanynet: {said}; choose another folder with --out\n")
    assert not Path("out").exists()
    assert not list((tmp_path / "temporary").iterdir())


def test_a_small_file_system_loses_no_net(tmp_path):
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", tiny], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        ended = in_a_process(tmp_path, "", "--out", str(tiny / "out"))
        there = {path.name for path in tiny.rglob("*")}
    finally:
        subprocess.run(["umount", tiny], check=True)
    (elsewhere,) = (tmp_path / "temporary").iterdir()
    assert_kept(elsewhere)
    assert ended.returncode == 0
    said = f"{tiny}/out/model.safetensors cannot be written (No space left on device); net and results are in"
    assert f"{said} {elsewhere}" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert there == {"out", "config.toml", "history.csv", "checkpoints", "training.json", ".lock"}


def test_a_net_that_is_too_large_for_any_file_is_named(tmp_path):
    limit = "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    ended = in_a_process(tmp_path, limit)
    assert ended.returncode == 2
    assert "could not be kept: out/model.safetensors cannot be written (File too large)" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(History.read_csv(tmp_path / "work" / "out" / "history.csv")) == 2
    assert not list(tmp_path.rglob("*.safetensors"))
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="every folder can be written to")
def test_a_read_only_folder_is_named(monkeypatch, capsys, tmp_path):
    add = History.write_csv

    def read_only(history, path, dataset):
        add(history, path, dataset)
        Path("out").chmod(0o500)

    monkeypatch.setattr(History, "write_csv", read_only)
    try:
        train()
    finally:
        Path("out").chmod(0o700)
    (elsewhere,) = (tmp_path / "temporary").iterdir()
    assert_kept(elsewhere)
    assert "Permission denied" in capsys.readouterr().err


def test_images_are_freed_before_pictures_are_drawn(monkeypatch):
    kept, prepare = [], train_run.prepare

    def prepare_and_watch(config):
        experiment = prepare(config)
        kept.extend(map(weakref.ref, experiment.data.parts.values()))
        return experiment

    def look(history, *texts):
        assert Path("out", "analysis.json").exists()
        kept.append([part() for part in kept])
        raise RuntimeError

    monkeypatch.setattr(train_run, "prepare", prepare_and_watch)
    monkeypatch.setattr("anynet.plots.curves", look)
    train("--epochs", "1")
    assert kept.pop() == [None, None, None]
