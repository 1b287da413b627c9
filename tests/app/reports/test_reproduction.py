"""Re-running reports: every run once, whatever stops them, and pages that say what is true."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from few_images import few_images
from filelock import FileLock
from matplotlib.figure import Figure

from anynet.app import cli
from anynet.app.config import Config
from anynet.app.grouping import group_configs
from anynet.app.reports import reports, reproduction
from anynet.app.reports import tasks as report_tasks
from anynet.app.reports.compare import compare
from anynet.app.reports.report_contents import Configuration
from anynet.app.reports.tasks import Outcome, Task, read_outcome, run_tasks
from anynet.app.run_folder import RunFolder
from anynet.app.sweep.sweep_folder import SweepFolder
from anynet.core.history import History
from anynet.data.sources import find
from anynet.data.synthetic import draw

DRAWN = [
    (kind, name, getattr(kind, name))
    for kind, name in ((Figure, "savefig"), (RunFolder, "pictures"), (SweepFolder, "pictures"))
]
"""Functions that draw, which fixtures replace."""

SMALL = Config(data="synthetic", train="100", val="50", hidden="5", epochs=2, batch_size=50)


@pytest.fixture(autouse=True)
def few(monkeypatch, tmp_path, no_plots):
    monkeypatch.setattr(report_tasks, "_images", lambda source: ("synthetic", few_images()))
    monkeypatch.chdir(tmp_path)


def tasks(folder, n=3, **changes):
    return [Task(replace(SMALL, seed=seed, **changes), folder / str(seed), net=seed == 0) for seed in range(n)]


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("result.json")}


def test_each_run_is_made_once(tmp_path):
    began = []
    made = run_tasks(tasks(tmp_path), 1, stack_size=2, on_start=lambda stack: began.append(len(stack)))
    assert [(task.config.seed, began[:]) for task in made] == [(0, [1]), (1, [1, 1]), (2, [1, 1, 1])]  # other batches
    before = stamps(tmp_path)
    assert list(run_tasks(tasks(tmp_path, 4), 1)) == tasks(tmp_path, 4)[3:]
    assert {path: stamp for path, stamp in stamps(tmp_path).items() if path in before} == before
    found = read_outcome(tmp_path / "1")
    assert found.result["seed"] == 1
    assert [row.epoch for row in found.history] == [1, 2]
    assert found.history[-1].val_accuracy == found.result["val_accuracy"]


def test_the_net_is_kept_where_it_is_wanted(tmp_path):
    list(run_tasks(tasks(tmp_path, 2), 1))
    assert (tmp_path / "0" / "model.safetensors").exists()
    assert {path.name for path in (tmp_path / "1").iterdir()} == {"config.toml", "history.csv", "result.json"}


def test_a_run_that_was_stopped_is_made_anew(tmp_path, monkeypatch):
    def stop(results, epoch):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(report_tasks.RunFolder, "add", stop)
        with pytest.raises(KeyboardInterrupt):
            list(run_tasks(tasks(tmp_path, 2), 1))
    assert not stamps(tmp_path)
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "history.csv").write_text("half a line")
    list(run_tasks(tasks(tmp_path, 2), 1))
    assert len(read_outcome(tmp_path / "1").history) == 2


def test_control_c_after_an_epoch_leaves_no_result(tmp_path, monkeypatch):
    add = report_tasks.RunFolder.add

    def stop(results, epoch):
        add(results, epoch)
        raise KeyboardInterrupt

    monkeypatch.setattr(report_tasks.RunFolder, "add", stop)
    with pytest.raises(KeyboardInterrupt):
        list(run_tasks(tasks(tmp_path, 1), 1))
    assert not stamps(tmp_path)


def test_a_run_without_its_pictures_is_made_anew(tmp_path, monkeypatch):
    """Otherwise nothing would draw them, because runs with a result are not made again."""

    def stop(pictures):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(report_tasks, "draw_all", stop)
        with pytest.raises(KeyboardInterrupt):
            list(run_tasks(tasks(tmp_path, 1), 1))
    assert not stamps(tmp_path)
    list(run_tasks(tasks(tmp_path, 1), 1))
    suffixes = {path.suffix for path in (tmp_path / "0").iterdir()}
    assert suffixes == {".toml", ".csv", ".json", ".safetensors", ".png", ".md"}


def test_other_settings_are_refused(tmp_path):
    list(run_tasks(tasks(tmp_path, 2), 1))
    before = stamps(tmp_path)
    with pytest.raises(FileExistsError) as refusal:
        list(run_tasks(tasks(tmp_path, 3, lr=0.5, backend="numpy"), 1))
    assert str(refusal.value) == (
        f"{tmp_path / '0'} holds a run with other settings: backend is not given there and 'numpy' here; lr is 0.02 "
        f"there and 0.5 here; give the same settings, choose another --out, or remove the folder"
    )
    assert stamps(tmp_path) == before


def test_a_run_that_diverges_says_so(tmp_path):
    list(run_tasks(tasks(tmp_path, 1, lr=1e30, schedule="constant", norm="none"), 1))
    assert "no longer finite in epoch 1" in read_outcome(tmp_path / "0").result["diverged"]
    (row,) = compare(
        "x", Configuration({}, claims={"test_accuracy": 0.1}, why="too fast"), [read_outcome(tmp_path / "0")]
    )
    assert row.cells() == ["x", "test accuracy", "10.00", "diverged", "", "too fast"]


@pytest.mark.parametrize(
    ("claimed", "values", "cells"),
    [
        (0.50, [0.49], ["50.00", "49.00", "-1.00", "agrees"]),
        (0.50, [0.484], ["50.00", "48.40", "-1.60", "below: because"]),
        (0.50, [0.52], ["50.00", "52.00", "+2.00", "above: because"]),
        (0.50, [0.49, 0.51], ["50.00", "50.00 ± 1.41", "+0.00", "agrees"]),
    ],
)
def test_measured_beside_claimed(claimed, values, cells, tmp_path):
    outcomes = [Outcome(tmp_path, {"val_accuracy": value}, History()) for value in values]
    (row,) = compare("x", Configuration({}, claims={"val_accuracy": claimed}, why="because"), outcomes)
    assert row.cells()[2:] == cells


def test_seeds_that_diverge_are_counted(tmp_path):
    outcomes = [
        Outcome(tmp_path, {"val_accuracy": 0.5}, History()),
        Outcome(tmp_path, {"diverged": "too fast"}, History()),
    ]
    (row,) = compare("x", Configuration({}, claims={"val_accuracy": 0.5}), outcomes)
    assert row.cells()[2:] == ["50.00", "50.00", "+0.00", "1 of 2 diverged; agrees"]


def test_a_grid_has_all_combinations():
    search = reports()["sneltvedt"].searches["grid"]
    points = reproduction.points(search)
    assert len(points) == len({tuple(point.values()) for point in points}) == 18
    assert {"l2": 1.0, "batch_size": 10, "lr": 0.1} in points


def shortened(report):
    """The first configurations alone, and the figures that need no others."""
    first = dict(list(report.configurations.items())[:3])
    figures = {name: band for name, band in report.figures.items() if set(band.of) <= set(first)}
    return replace(report, configurations=first, figures=figures)


@pytest.mark.parametrize(
    "names", [["garcia-sanz", "sneltvedt"], pytest.param(sorted(reports()), marks=pytest.mark.thorough)], ids=len
)
def test_quick_runs(tmp_path, monkeypatch, capsys, names):
    if len(names) == len(reports()):
        for kind, name, function in DRAWN:
            monkeypatch.setattr(kind, name, function)
    monkeypatch.setattr(reproduction, "QUICK", {"epochs": 1, "train": "500", "val": "100"})
    monkeypatch.setattr(report_tasks, "_images", lambda source: ("synthetic", draw(0, per_batch=120)))
    kept = {name: shortened(reports()[name]) for name in names}
    monkeypatch.setattr(reproduction, "reports", lambda: kept)
    cli.main(["reproduce", "--quick", "--data", "synthetic", "--out", "all", "--jobs", "1", "--note", "drawn pictures"])
    assert "all/README.md" in capsys.readouterr().out
    pages = {path.parent.name: path.read_text(encoding="utf-8") for path in (tmp_path / "all").glob("*/README.md")}
    assert pages.keys() == kept.keys()
    for name, page in pages.items():
        assert "**These are generated images, not CIFAR-10.**" in page
        assert kept[name].about.strip() in page
        pictures = [part.split(")")[0] for part in page.split("](")[1:]]
        assert pictures
        for picture in pictures:
            assert (tmp_path / "all" / name / picture).stat().st_size > (500 if "miocic" in names else 0)
        assert "<table>" in (tmp_path / "all" / name / "index.html").read_text(encoding="utf-8")
    assert "39.27" in (tmp_path / "all" / "README.md").read_text(encoding="utf-8")
    folder, seed = ("miocic/l2-0.01", 43) if "miocic" in names else ("garcia-sanz/2", 42)
    result = json.loads((tmp_path / "all" / "runs" / folder / f"seed-{seed}" / "result.json").read_text())
    assert result["seed"] == seed
    with_net = tmp_path / "all" / "runs" / folder / "seed-42"
    assert {"model.safetensors", "analysis.json", "README.md", "curves.png"} <= {
        path.name for path in with_net.iterdir()
    }


def test_two_at_once_do_not_meet(tmp_path, capsys):
    (tmp_path / "all").mkdir()
    with FileLock(tmp_path / "all" / ".lock"), pytest.raises(SystemExit) as end:
        cli.main(["reproduce", "garcia-sanz", "--quick", "--data", "synthetic", "--out", "all", "--jobs", "1"])
    assert end.value.code == 2
    assert "another process is working in this folder" in capsys.readouterr().err


def test_an_unknown_report_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["reproduce", "garcia"])
    assert end.value.code == 2
    assert 'there is no report "garcia"; did you mean "garcia-sanz"?' in capsys.readouterr().err


def test_several_processes_make_what_one_makes(tmp_path, monkeypatch):
    """Real processes read the images for themselves, from files."""
    images = tmp_path / "cifar-10-batches-py"
    images.mkdir()
    for name, part in few_images().splits.items():
        content = {"batch_label": name, "labels": part.y.tolist(), "data": part.x, "filenames": ["x.png"]}
        (images / name).write_bytes(pickle.dumps(content, protocol=2))
    names = list(few_images().classes)
    meta = {"num_cases_per_batch": 100, "label_names": names, "num_vis": 3072}
    (images / "batches.meta").write_bytes(pickle.dumps(meta, protocol=2))
    monkeypatch.setattr(report_tasks, "_images", find)
    one, two = tmp_path / "one", tmp_path / "two"
    list(run_tasks(tasks(one, 2, data=str(images)), 1))
    done = list(run_tasks(tasks(two, 2, data=str(images)), 2))
    assert sorted(task.config.seed for task in done) == [0, 1]
    for seed in "01":
        costs = ([row.train_cost for row in read_outcome(folder / seed).history] for folder in (two, one))
        np.testing.assert_allclose(*costs, rtol=1e-5)


def test_stacked_runs_are_the_runs_alone(tmp_path, monkeypatch):
    """Each in its folder, as alone; only what is missing is made; the time is shared out."""
    settings = [{"lr": 0.01}, {"lr": 0.1}, {"lr": 1e300, "norm": "batch"}, {"hidden": "4"}]
    folders = {n: [Task(replace(SMALL, dtype="float64", **own), tmp_path / str(n) / str(i), net=i == 0) for i, own in
                   enumerate(settings)] for n in (1, 3)}  # fmt: skip
    sizes, fit_stack = [], report_tasks.fit_stack

    def record(experiments, *args, **kwargs):
        sizes.append(len(experiments))
        return fit_stack(experiments, *args, **kwargs)

    monkeypatch.setattr(report_tasks, "fit_stack", record)
    list(run_tasks(folders[1], 1, stack_size=1))
    list(run_tasks(folders[3][1:2], 1, stack_size=3))
    before = stamps(tmp_path / "3")
    assert list(run_tasks(folders[3], 1, stack_size=3)) == [folders[3][k] for k in (0, 2, 3)]
    assert sizes == [1, 1, 1, 1, 1, 2, 1]
    assert before.items() <= stamps(tmp_path / "3").items()
    for one, other in zip(folders[1], folders[3], strict=True):
        files = [{path.name for path in task.folder.iterdir()} for task in (one, other)]
        assert files[0] == files[1]
        first, second = (read_outcome(task.folder) for task in (one, other))
        assert first.result.get("diverged") == second.result.get("diverged")
        if "diverged" not in first.result:
            for name in ("val_accuracy", "test_loss", "best_test_accuracy"):
                assert second.result[name] == pytest.approx(first.result[name], abs=1e-9)
            costs = ([row.train_cost for row in found.history] for found in (first, second))
            np.testing.assert_allclose(*costs, rtol=1e-9)
    together = read_outcome(folders[3][0].folder)
    assert together.result["seconds"] < together.history[-1].seconds


def test_no_process_is_left_without():
    """What a report needs, as a stack for each of its processes and more."""
    tasks = reproduction.tasks_of(reports()["miocic"], Path("x"), {"data": "synthetic"}, quick=False)
    configs = [task.config for runs in tasks.values() for task in runs]
    stacks = group_configs(configs, 5, at_least=2)
    assert max(map(len, stacks)) <= 5
    assert {len({configs[i].seed for i in stack}) for stack in stacks} == {1}
    assert len(group_configs(configs[:3], 5, at_least=2)) >= 2
