"""``python train.py --seeds --sweep``, from what is typed to what lies in the folder."""

import csv
import json
import shutil
import signal
import sys
import tomllib

import numpy as np
import pytest
from commands import refused, small, train, unframed
from few_images import few_images
from PIL import Image

from anynet.app import cli
from anynet.app.config_file import read_config
from anynet.app.prediction import load_predictor, load_run
from anynet.backends import backend
from anynet.backends.numpy import Numpy
from anynet.core.history import History

pytestmark = pytest.mark.usefixtures("few_pictures", "blank_plots")

MORE = {"README.md", "analysis.json", "checkpoints", "points.json", "report.html"}
DIVERGING = ["--schedule", "constant", "--norm", "none"]


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def history(folder):
    names = ("lr", "train_cost", "train_loss", "train_accuracy", "val_cost", "val_loss", "val_accuracy")
    return np.asarray([[float(row[name]) for name in names] for row in table(folder / "history.csv")])


def rank(folder, epoch):
    """Validation accuracy and, where accuracies are equal, the lower loss."""
    row = history(folder)[epoch]
    return row[-1], -row[-2]


def result(folder):
    return json.loads((folder / "result.json").read_text())


def images():
    return few_images().splits["test_batch"]


def predict(folder):
    return load_run(folder, backend("numpy")).predict_proba(images().x)


def names(folder):
    return {path.name for path in folder.iterdir()}


def assert_same_run(one, two):
    np.testing.assert_allclose(history(one), history(two), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(predict(one), predict(two), rtol=1e-6, atol=1e-9)


def test_each_member_is_a_run_of_its_own(tmp_path, seeded):
    for k in range(3):
        train("--seed", str(5 + k), "--order-seed", "5", "--flip", "--dtype", "float64", "--out", f"alone-{k}")
        member, alone = seeded.folder / f"member-{k}", tmp_path / f"alone-{k}"
        assert names(member) == names(alone) - {"checkpoints"}  # of all members together
        assert read_config(member / "config.toml") == read_config(alone / "config.toml")
        assert_same_run(member, alone)


def test_a_members_config_makes_it_again(tmp_path, swept):
    cli.main(["train", "--preset", str(swept.folder / "member-3" / "config.toml"), "--out", "again"])
    assert_same_run(swept.folder / "member-3", tmp_path / "again")
    config = read_config(swept.folder / "member-3" / "config.toml")
    assert (config.lr, config.l2, config.seed, config.order_seed) == (0.01, 0.01, 43, 42)


def test_settings_of_every_kind(tmp_path):
    flags = ["momentum=0.5", "init=xavier,normal:0.1", "schedule=constant,exponential:0.5", "warmup=1"]
    train(*(word for flag in flags for word in ("--sweep", flag)), "--dtype", "float64", "--order-seed", "9")
    rows = table(tmp_path / "out" / "members.csv")
    assert len(rows) == 4
    own = {name: rows[1][name] for name in ("momentum", "init", "schedule", "warmup")}
    assert own == {"momentum": "0.5", "init": "xavier", "schedule": "exponential:0.5", "warmup": "1.0"}
    flags = [word for name, value in own.items() for word in (f"--{name}", value)]
    train(*flags, "--dtype", "float64", "--order-seed", "9", "--out", "alone")
    assert_same_run(tmp_path / "out" / "member-1", tmp_path / "alone")


def test_the_folder_says_what_came_out(swept):
    folder = swept.folder
    members = [f"member-{k}" for k in range(8)]
    pictures = {"curves.png", "accuracy.png"}
    assert names(folder) == {"config.toml", "members.csv", "result.json", *pictures, *MORE, *members}
    for name in ("curves.png", "accuracy.png"):
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 100

    shared = tomllib.loads((folder / "config.toml").read_text())
    assert shared.keys().isdisjoint({"lr", "l2", "seed"})
    assert (shared["order_seed"], shared["data"], shared["hidden"]) == (42, "synthetic", "20")

    rows = table(folder / "members.csv")
    assert [(float(row["lr"]), float(row["l2"]), int(row["seed"])) for row in rows] == [
        (lr, l2, seed) for lr in (0.01, 0.05) for l2 in (0, 0.01) for seed in (42, 43)
    ]
    for member, row in zip(members, rows, strict=True):
        own = result(folder / member)
        assert int(row["epochs"]) == 2
        for name in ("train_accuracy", "val_accuracy", "test_accuracy", "best_val_accuracy", "best_test_accuracy"):
            assert float(row[name]) == own[name]
        heights = history(folder / member)[:, -1]
        assert int(row["best_epoch"]) == max(range(2), key=lambda e: rank(folder / member, e)) + 1
        assert float(row["best_val_accuracy"]) == heights.max()
        assert (row["diverged"], row["dataset"]) == ("", "synthetic")

    whole = result(folder)
    best = np.asarray([history(folder / member)[:, -1].max() for member in members])
    last = np.asarray([history(folder / member)[-1, -1] for member in members])
    assert whole["best_member"] == max(range(8), key=lambda k: max(rank(folder / members[k], e) for e in range(2)))
    assert [group["best_val_accuracy"]["mean"] for group in whole["over_seeds"]] == pytest.approx(
        sorted(best.reshape(4, 2).mean(axis=1), reverse=True)
    )
    for group in whole["over_seeds"]:
        assert group["settings"] == {name: float(rows[group["members"][0]][name]) for name in ("lr", "l2")}
        for name, values in (("best_val_accuracy", best), ("val_accuracy", last)):
            own = values[group["members"]]
            assert group[name] == pytest.approx({"mean": np.mean(own), "deviation": np.std(own, ddof=1)})

    test = images()
    chances = np.mean([predict(folder / member) for member in members], axis=0)
    assert whole["ensemble_test_accuracy"] == pytest.approx(np.mean(chances.argmax(axis=1) == test.y))
    np.testing.assert_allclose(load_predictor(folder, backend("numpy")).predict_proba(test.x), chances, atol=1e-12)

    assert "8 members; results in out" in swept.err
    assert "4 combinations, after the best epochs" in swept.out
    assert f"{whole['ensemble_test_accuracy']:.2%} of the ensemble" in swept.out


def test_seeds_alone_are_summed_up_in_a_line(seeded):
    last = [result(seeded.folder / f"member-{k}")["test_accuracy"] for k in range(3)]
    words = f"3 members: test accuracy {100 * np.mean(last):.2f} ± {100 * np.std(last, ddof=1):.2f} % after the last"
    assert words in seeded.out


def test_nets_of_one_layer_have_templates(tmp_path):
    train("--seeds", "2", "--hidden", "")
    assert "templates.png" in names(tmp_path / "out")


def test_predict_takes_a_member_or_all(tmp_path, seeded, capsys):
    shutil.copytree(seeded.folder, tmp_path / "out")
    Image.fromarray(images().x[0].reshape(3, 32, 32).transpose(1, 2, 0)).save("a.png")
    cli.main(["predict", "out/member-1", "a.png"])
    cli.main(["predict", "out", "a.png"])
    folder, said = tmp_path / "out", capsys.readouterr().out.splitlines()
    one = predict(folder / "member-1")[0]
    both = np.mean([predict(folder / f"member-{k}")[0] for k in range(3)], axis=0)
    classes = load_predictor(folder, backend("numpy")).classes
    for line, chances in zip(said, (one, both), strict=True):
        assert line.startswith(f"a.png: {classes[chances.argmax()]} {chances.max():.0%}")


def test_members_that_diverge_are_listed_and_left_out(tmp_path, capsys):
    train("--sweep", "lr=0.01,1e30", "--seeds", "2", *DIVERGING)
    folder = tmp_path / "out"
    rows = table(folder / "members.csv")
    assert [bool(row["diverged"]) for row in rows] == [False, False, True, True]
    assert "in epoch 1, at step" in rows[2]["diverged"]
    assert rows[2]["test_accuracy"] == rows[2]["best_epoch"] == ""
    report = json.loads((folder / "member-2" / "divergence.json").read_text())
    reason = {"dataset": "synthetic", "diverged": rows[2]["diverged"], "report": report}
    assert result(folder / "member-2") == reason
    whole = result(folder)
    assert whole["diverged_members"] == [2, 3]
    assert whole["over_seeds"][1] == {"settings": {"lr": 1e30}, "members": [2, 3], "diverged": [2, 3]}
    chances = np.mean([predict(folder / f"member-{k}") for k in (0, 1)], axis=0)
    assert whole["ensemble_test_accuracy"] == pytest.approx(np.mean(chances.argmax(axis=1) == images().y))
    np.testing.assert_allclose(load_predictor(folder, backend("numpy")).predict_proba(images().x), chances, atol=1e-6)
    assert "4 members, 2 diverged" in capsys.readouterr().out
    assert "the run in out/member-2 diverged" in refused(capsys, "predict", "out/member-2", "a.png")


def test_where_all_diverge_the_reports_and_epochs_stay(tmp_path, capsys):
    said = refused(capsys, *small("--seeds", "2", "--lr", "1e30", *DIVERGING))
    assert "all 2 members diverged, the first because the cost is no longer finite in epoch 1" in said
    assert said.endswith("reports of all members are in out/member-N/divergence.json\n")
    for k, row in enumerate(table(tmp_path / "out" / "members.csv")):
        report = json.loads((tmp_path / "out" / f"member-{k}" / "divergence.json").read_text())
        assert report["first_not_finite"] in row["diverged"]
        assert result(tmp_path / "out" / f"member-{k}")["diverged"] == row["diverged"]
    assert "the runs in out are not finished" in refused(capsys, "predict", "out", "a.png")

    shutil.rmtree(tmp_path / "out")
    falling = ["--lr", "1e-30", "--schedule", "exponential:1e60", "--norm", "none", "--epochs", "3"]
    assert "all 2 members diverged" in refused(capsys, *small("--seeds", "2", *falling))
    rows = table(tmp_path / "out" / "members.csv")
    assert [row["epochs"] for row in rows] == ["1", "1"]
    assert all("in epoch 2" in row["diverged"] for row in rows)
    assert len(history(tmp_path / "out" / "member-0")) == 1
    assert "the runs in out are not finished" in refused(capsys, "predict", "out", "a.png")


def stop_after(number, epoch, monkeypatch):
    """Control-C once this member has written this epoch down; gives the members.csv as they were before every line."""
    write, seen = History.write_csv, []

    def stopping(self, path, dataset):
        seen.append([line["epochs"] for line in table(path.parents[1] / "members.csv")])
        write(self, path, dataset)
        if (path.parent.name, len(self)) == (f"member-{number}", epoch):
            monkeypatch.setattr(History, "write_csv", write)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(History, "write_csv", stopping)
    return seen


def test_control_c_keeps_what_is_whole(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Numpy, "workers", 1)
    flags = ["--schedule", "constant", "--dtype", "float64"]
    for k in range(2):
        train("--seed", str(42 + k), "--order-seed", "42", *flags, "--out", f"alone-{k}")
    seen = stop_after(0, 2, monkeypatch)
    train("--seeds", "2", *flags, "--epochs", "5")
    assert seen == [["0", "0"]] * 2 + [["1", "1"]]
    assert capsys.readouterr().out.splitlines()[-1].startswith("interrupted; synthetic")
    folder = tmp_path / "out"
    assert result(folder)["interrupted"]
    assert [row["epochs"] for row in table(folder / "members.csv")] == ["2", "2"]
    for k in range(2):
        assert_same_run(folder / f"member-{k}", tmp_path / f"alone-{k}")


def test_control_c_leaves_out_whose_turn_had_not_come(tmp_path, monkeypatch):
    monkeypatch.setattr(Numpy, "workers", 1)
    monkeypatch.setattr(
        sys.modules["anynet.training.scheduler"], "split_by_memory", lambda members, _: [[each] for each in members]
    )
    stop_after(1, 1, monkeypatch)
    train("--seeds", "3")
    folder = tmp_path / "out"
    assert names(folder) == {"config.toml", "members.csv", "result.json", "curves.png", *MORE, "member-0", "member-1"}
    assert [row["epochs"] for row in table(folder / "members.csv")] == ["2", "1"]
    assert result(folder)["interrupted"]
    assert load_predictor(folder, backend("numpy")).predict_proba(images().x).shape == (100, 10)


def test_stopped_before_there_was_anything(tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["anynet.app.sweep.train_sweep"], "fit_stack", interrupt)
    with pytest.raises(SystemExit) as end:
        train("--seeds", "2")
    assert end.value.code == 130
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_never_overwritten(tmp_path, capsys):
    (tmp_path / "out").mkdir()
    assert "out: expected a new folder" in refused(capsys, *small("--seeds", "2"))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--seeds", "0"], "Must be >= 1"),
        (["--sweep", "hidden=50,100"], "seed, got hidden"),
        (["--sweep", "schedule=constant,cosin"], 'there is no "cosin"; did you mean "cosine"?'),
        (["--sweep", "init=he,hee"], 'did you mean "he"?'),
        (["--sweep", "warmup=0,2"], "--warmup: expected less than --epochs, 2, got 2"),
        (["--nesterov", "--sweep", "momentum=0.9,0"], "expected a momentum above 0 for nesterov=True"),
        (["--seeds", "2", "--batch-size", "401"], "expected 1 to 400"),
        (["--seeds", "2", "--profile"], "expected no --out, --seeds, --sweep or --log with it"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, capsys, flags, message):
    assert message in unframed(refused(capsys, *small(*flags)))
    assert list(tmp_path.iterdir()) == []
