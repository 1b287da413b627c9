"""``train.py --resume``: a run or a sweep goes on from its checkpoints, as if it had not been stopped."""

import json
import shutil
import signal

import numpy as np
import pytest
from commands import refused
from safetensors.numpy import load_file

from anynet.app.cli import main
from anynet.app.config_file import write_config
from anynet.app.run_folder import RunFolder
from anynet.app.sweep import sweep_folder

SMALL = {"train": 300, "val": 60, "hidden": 5, "batch-size": 50, "epochs": 4, "schedule": "step:0.5:2"}
pytestmark = pytest.mark.usefixtures("few_pictures", "no_plots")


def train(folder, *options, **changes):
    """Train with small settings into a new folder."""
    pairs = (SMALL | {name.replace("_", "-"): value for name, value in changes.items()}).items()
    main(["train", *(f"--{name}={value}" for name, value in pairs), "--out", folder, *options])


def resume(folder, *options):
    main(["train", "--resume", folder, *options])


def content(folder):
    """Everything that a run folder holds, but times."""
    tensors = load_file(folder / "model.safetensors")
    tensors["history"] = tensors["history"][:, :-1]
    result = content_of_result(folder)
    return tensors, {name: value for name, value in result.items() if not name.startswith("seconds")}


def content_of_result(folder):
    return json.loads((folder / "result.json").read_text())


def cut(folder, epochs):
    """Leave what a process that was killed after this epoch leaves."""
    for path in folder.iterdir():
        if path.name not in ("checkpoints", "config.toml", "points.json", "members.csv"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (folder / "checkpoints").rglob("*.safetensors"):
        if int(path.stem.split("-")[1]) > epochs:
            path.unlink()


def test_a_run_goes_on(tmp_path):
    train("whole")
    train("stopped", epochs=2)
    resume("stopped", "--epochs", "4")
    whole, resumed = (content(tmp_path / name) for name in ("whole", "stopped"))
    np.testing.assert_equal(resumed, whole)
    for name in ("config.toml",):
        assert (tmp_path / "stopped" / name).read_text() == (tmp_path / "whole" / name).read_text()
    for name in ("history.csv", "curves.png", "weights.png"):
        assert (tmp_path / "stopped" / name).exists()


def test_a_run_that_was_killed_goes_on(tmp_path):
    train("whole")
    shutil.copytree("whole", "killed")
    cut(tmp_path / "killed", 3)
    resume("killed")
    np.testing.assert_equal(content(tmp_path / "killed"), content(tmp_path / "whole"))
    rows = [(tmp_path / name / "history.csv").read_text().splitlines() for name in ("killed", "whole")]
    assert len(rows[0]) == len(rows[1]) == 5


def test_a_run_that_was_killed_before_its_first_checkpoint_starts_again(tmp_path):
    train("whole")
    shutil.copytree("whole", "killed")
    cut(tmp_path / "killed", 0)
    resume("killed")
    np.testing.assert_equal(content(tmp_path / "killed"), content(tmp_path / "whole"))


def test_a_sweep_goes_on(tmp_path):
    more = "--seeds", "2", "--sweep", "lr=0.01,0.05"
    train("whole", *more)
    shutil.copytree("whole", "killed")
    cut(tmp_path / "killed", 2)
    if not list((tmp_path / "killed" / "checkpoints").rglob("*.safetensors")):  # the last two are later
        train("short", *more, epochs=2)
        shutil.rmtree("killed")
        shutil.move("short", "killed")
    resume("killed", "--epochs", "4")
    assert (tmp_path / "killed" / "members.csv").read_text() == (tmp_path / "whole" / "members.csv").read_text()
    for k in range(4):
        parts = (tmp_path / name / f"member-{k}" for name in ("killed", "whole"))
        np.testing.assert_equal(*(content(part)[0] for part in parts))


def test_settings_of_a_sweep_come_after_its_points(monkeypatch):
    """Settings alone are those of one net: a sweep that was killed between the two would go on as one."""
    found = []

    def write(config, path, **options):
        found.append((path.parent / "points.json").exists())
        write_config(config, path, **options)

    monkeypatch.setattr(sweep_folder, "write_config", write)
    train("sweep", "--seeds", "2", epochs=1)
    assert found[0]


@pytest.mark.filterwarnings("default::anynet.training.TrainingWarning")
def test_a_schedule_that_ends_with_the_training_is_told(tmp_path, capsys):
    train("stopped", schedule="cosine", epochs=2)
    assert "learning rate" not in capsys.readouterr().err
    resume("stopped", "--epochs", "3")
    said = "anynet: the learning rate falls to 0 at the last epoch, which was 2 and is 3 now: "
    assert said in capsys.readouterr().err
    resume("stopped", "--epochs", "4")
    capsys.readouterr()
    resume("stopped")
    assert "learning rate" not in capsys.readouterr().err
    assert content(tmp_path / "stopped")[1]["planned_epochs"] == [2, 3, 4]


@pytest.mark.filterwarnings("default::anynet.training.TrainingWarning")
def test_a_schedule_of_a_sweep_that_ended_at_another_epoch_is_written_down(tmp_path):
    train("sweep", "--seeds", "2", schedule="cosine", epochs=1)
    assert "planned_epochs" not in content_of_result(tmp_path / "sweep")
    resume("sweep", "--epochs", "2")
    assert content_of_result(tmp_path / "sweep")["planned_epochs"] == [1, 2]
    assert content_of_result(tmp_path / "sweep" / "member-1")["planned_epochs"] == [1, 2]


@pytest.mark.parametrize("more", [(), ("--seeds", "2")])
def test_a_finished_run_is_left_as_it_is(tmp_path, capsys, more):
    train("run", *more, epochs=1)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()
    resume("run")
    assert capsys.readouterr().err == "run: finished after 1 epoch; raise --epochs to go on\n"
    assert before == {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.is_file()
    }


def test_members_that_stopped_early_are_finished(tmp_path, capsys):
    """A rate of almost 0 changes no output without running statistics; the other member has all epochs."""
    options = ("--patience", "2", "--norm", "none", "--sweep", "lr=1e-30,1e-4")
    train("sweep", *options, schedule="constant", epochs=4)
    capsys.readouterr()
    stopped = [content_of_result(tmp_path / "sweep" / f"member-{k}")["stopped_early"] for k in range(2)]
    assert stopped == [True, False]
    resume("sweep")
    assert capsys.readouterr().err == "sweep: finished after 4 epochs; raise --epochs to go on\n"
    resume("sweep", "--epochs", "5")
    assert "sweep: goes on after epoch 4 of 5\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["result.json", "model.safetensors", "curves.png", "weights.png", "member-1/weights.png"]
)
def test_a_finished_run_that_lost_a_file_writes_it_again(tmp_path, name):
    train("run", *(("--seeds", "2") if "member" in name else ()), epochs=1)
    (tmp_path / "run" / name).unlink()
    resume("run")
    assert (tmp_path / "run" / name).exists()


@pytest.mark.parametrize("more", [(), ("--seeds", "2")])
@pytest.mark.parametrize("missing", ["results", "pictures"])
def test_raised_epochs_that_were_killed_at_the_end_are_written(tmp_path, monkeypatch, more, missing):
    """Checkpoints of all epochs are there, but results, or pictures, are those of fewer."""
    train("run", *more, epochs=1)

    def stop(*args, **options):
        raise RuntimeError

    with monkeypatch.context() as killed:
        killed.setattr("anynet.app.keeping.draw_all", stop)
        for kind in (RunFolder, sweep_folder.SweepFolder) if missing == "results" else ():
            killed.setattr(kind, "finish", stop)
        with pytest.raises(RuntimeError):
            resume("run", "--epochs", "2")
    before = (tmp_path / "run" / "curves.png").stat().st_mtime_ns
    resume("run")
    assert content_of_result(tmp_path / "run")["epochs"] == 2
    assert (tmp_path / "run" / "curves.png").stat().st_mtime_ns > before


def test_other_things_than_runs_say_what_goes_on(tmp_path, capsys):
    train("run", epochs=1)
    for part in ("config.toml", "checkpoints", "checkpoints/training.json", "checkpoints/epoch-000001.safetensors"):
        said = refused(capsys, "train", "--resume", f"run/{part}").splitlines()[-1]
        assert said == f"anynet: run/{part}: expected the folder of a run or a sweep, got a part of one; resume run"
    for name, what in (("search.json", "search"), (".lock", "reproduce")):
        (tmp_path / what / "runs").mkdir(parents=True)
        (tmp_path / what / name).touch()
        said = refused(capsys, "train", "--resume", what)
        assert f"got that of {'a search' if what == 'search' else what}; it goes on with the command that" in said


REFUSED = {
    "--lr 0.5": "was started with lr 0.02, not 0.5; only epochs, backend",
    "--hidden 7": "was started with hidden 5, not 7",
    "--epochs 1": "--epochs: expected 2 or more, as stopped has, got 1",
    "--out other": "--resume: expected no --out",
    "--seeds 2": "--resume: expected no --out",
    "--checkpoint-every 0": '--checkpoint-every: expected a number of epochs, or of seconds, such as "30s", got',
    "--epochs 3 --checkpoint-every never": "--checkpoint-every: expected an interval with --resume, got never; leave",
    "--checkpoint-every 30m": "--checkpoint-every: expected a number of epochs",
}


@pytest.mark.parametrize("options", REFUSED)
def test_what_cannot_change_is_refused(tmp_path, capsys, options):
    train("stopped", epochs=2)
    before = content(tmp_path / "stopped")
    said = refused(capsys, "train", "--resume", "stopped", *options.split())
    assert REFUSED[options] in said
    np.testing.assert_equal(content(tmp_path / "stopped"), before)


def test_raised_epochs_stay_raised(tmp_path):
    train("whole", epochs=4)
    train("stopped", epochs=2)

    def stop(results, epoch):
        plain(results, epoch)
        if epoch.epoch == 3:
            signal.raise_signal(signal.SIGINT)

    plain = RunFolder.add
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(RunFolder, "add", stop)
        resume("stopped", "--epochs", "4")
    resume("stopped")
    np.testing.assert_equal(content(tmp_path / "stopped"), content(tmp_path / "whole"))


def test_results_without_checkpoints_are_not_lost(tmp_path, capsys):
    train("finished", "--checkpoint-every", "never")
    before = content(tmp_path / "finished")
    said = refused(capsys, "train", "--resume", "finished", "--epochs", "9")
    assert "finished has results, but no checkpoints to go on from" in said
    np.testing.assert_equal(content(tmp_path / "finished"), before)


def test_a_member_is_not_resumed_alone(capsys):
    train("sweep", "--seeds", "2", epochs=1)
    said = refused(capsys, "train", "--resume", "sweep/member-1", "--epochs", "3")
    assert "sweep/member-1 is part of a sweep; resume sweep" in said


def test_it_says_where_it_goes_on_and_how(tmp_path, capsys, monkeypatch):
    def stop(results, epoch):
        plain(results, epoch)
        if epoch.epoch == 2:
            signal.raise_signal(signal.SIGINT)

    plain = RunFolder.add
    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "add", stop)
        train("a run")
    assert "go on with: python train.py --resume 'a run'" in capsys.readouterr().err
    resume("a run")
    assert "a run: goes on after epoch 2 of 4" in capsys.readouterr().err


def test_an_interruption_before_anything_leaves_the_run_as_it_was(tmp_path, capsys, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    train("stopped", epochs=2)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr("anynet.app.train_run.prepare", interrupt)
    with pytest.raises(SystemExit) as end:
        resume("stopped", "--epochs", "4")
    assert end.value.code == 130
    assert capsys.readouterr().err.endswith("anynet: interrupted; stopped is as it was\n")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_folder_that_is_none_is_refused(capsys):
    assert "nothing" in refused(capsys, "train", "--resume", "nothing")


def test_no_checkpoints_if_never(tmp_path):
    train("run", "--checkpoint-every", "never")
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("", "points.json, line 1: expected JSON"),
        ("{", "points.json, line 1: expected JSON"),
        ("[" * 100_000, "points.json: expected JSON, got an error"),
        (" " * 10_000_001, "points.json: expected at most 10,000,000 bytes"),
        ("{}", "points.json: expected a JSON list, got a dict"),
        ("[]", "points.json: expected the settings of 1 to 10,000 members, got 0"),
        (f"[{'{},' * 10_000}{{}}]", "points.json: expected the settings of 1 to 10,000 members, got 10,001"),
        ('["x"]', "points.json, member 0: expected the same of lr, "),
        ('[{"seed": 1}, {"lr": 0.1}]', "points.json, member 1: expected the same of lr, "),
        ('[{"epochs": 1}, {"epochs": 1}]', "points.json, member 0: expected the same of lr, "),
        ('[{"seed": 1}, {"seed": "2"}]', "points.json, member 1, setting seed: expected a whole number, got '2'"),
        ('[{"seed": 1, "seed": 2}]', 'points.json: expected JSON, got an error: the key "seed" is there twice'),
    ],
)
def test_damaged_points_are_named(tmp_path, capsys, damage, message):
    (tmp_path / "points.json").write_text(damage)
    assert message in refused(capsys, "train", "--resume", str(tmp_path))


def test_every_setting_of_a_sweep_is_required(tmp_path, capsys):
    (tmp_path / "points.json").write_text('[{"seed": 1}, {"seed": 2}]')
    (tmp_path / "config.toml").write_text("")
    said = refused(capsys, "train", "--resume", str(tmp_path))
    assert f"{tmp_path / 'config.toml'}, setting data: expected a value, got nothing" in said
