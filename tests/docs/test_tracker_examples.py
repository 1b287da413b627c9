"""Examples of trackers log what the history has, with modules in the place of the real libraries."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "trackers"


class Tracked:
    """A run of a tracker."""

    def __init__(self):
        self.settings, self.rows, self.summary, self.files, self.status = {}, {}, {}, [], None

    def log(self, values, step):
        self.rows[step] = values

    def finish(self, exit_code=0):
        self.status = "FAILED" if exit_code else "FINISHED"


@pytest.fixture
def tracked(monkeypatch, tmp_path):
    """Runs of modules ``mlflow`` and ``wandb`` by number or in order, which take the calls of the examples alone."""
    runs = []

    def begin(settings=None):
        runs.append(Tracked())
        runs[-1].settings.update(settings or {})
        return runs[-1]

    def begin_run(experiment_id):
        begin()
        return SimpleNamespace(info=SimpleNamespace(run_id=len(runs) - 1))

    class Client:
        create_run = staticmethod(begin_run)

        def log_artifact(self, run_id, name):
            runs[run_id].files.append((tmp_path / name).stat().st_size)

        def set_terminated(self, run_id, status="FINISHED"):
            runs[run_id].status = status

    mlflow = SimpleNamespace(
        MlflowClient=Client,
        set_experiment=lambda name: SimpleNamespace(experiment_id=name),
        log_params=lambda values, run_id: runs[run_id].settings.update(values),
        log_metrics=lambda values, step, run_id: runs[run_id].log(values, step),
    )
    wandb = SimpleNamespace(init=lambda config, reinit, project, mode: begin(config))
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.chdir(tmp_path)
    return runs


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_every_epoch_of_every_net_is_tracked(path, tracked):
    example = runpy.run_path(str(path), run_name="__main__")
    assert len(tracked) == len(example["runs"]) == 2
    for each, run, seed in zip(tracked, example["runs"], (1, 2), strict=True):
        assert each.settings.items() >= {"optimizer": "Adam", "lr": 0.01, "epochs": 5, "seed": seed}.items()
        assert list(each.rows.values()) == [row._asdict() for row in run.history]
        assert list(each.rows) == [1, 2, 3, 4, 5]
        assert each.status == "FINISHED"
        if path.stem == "mlflow_tracking":
            assert all(size > 0 for size in each.files)
            assert len(each.files) == 1
        else:
            assert each.summary == {"best_epoch": run.best.epoch}
    assert len(path.read_text(encoding="utf-8").splitlines()) < 40


@pytest.mark.parametrize(("name", "kind"), [("mlflow_tracking", "MLflow"), ("wandb_tracking", "WandB")])
def test_a_failed_training_is_tracked_as_one(name, kind, tracked):
    callback = runpy.run_path(str(FOLDER / f"{name}.py"))[kind]
    del tracked[:]
    options = {"project": "planes", "mode": "offline"} if kind == "WandB" else {}
    made = callback(**options)
    made.start(SimpleNamespace(dataset="arrays", settings={}, members=()))
    made.failed(OSError())
    assert [each.status for each in tracked] == ["FAILED"]
