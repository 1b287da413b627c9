"""The command line, from what is typed to what lies in the folder."""

import csv
import json
import tomllib
from pathlib import Path

import pytest
from commands import refused, small, train, unframed
from PIL import Image

from anynet.app import cli
from anynet.backends.numpy import Numpy

pytestmark = pytest.mark.usefixtures("few_pictures")


def history(folder):
    return list(csv.DictReader((folder / "history.csv").read_text().splitlines()))


def test_a_run_leaves_a_whole_folder(trained):
    folder = trained.folder
    assert {path.name for path in folder.iterdir()} == {
        "config.toml", "history.csv", "result.json", "model.safetensors", "analysis.json", "curves.png", "weights.png",
        "checkpoints", "report.html", "README.md",
    }  # fmt: skip

    result = json.loads((folder / "result.json").read_text())
    assert result["dataset"] == "synthetic"
    assert not result["official"]
    assert (result["backend"], result["device"], result["dtype"], result["seed"]) == ("numpy", "cpu", "float64", 42)
    assert result["precision"] == "float32"
    assert result["epochs"] == 2
    assert 0 <= result["test_accuracy"] <= 1
    assert 0 <= result["best_test_accuracy"] <= 1
    assert result["seconds"] > 0
    assert result["versions"].keys() >= {"anynet", "numpy", "python"}

    config = tomllib.loads((folder / "config.toml").read_text())
    assert config["hidden"] == "20"
    assert config["dtype"] == "float64"
    assert config["data"] == "synthetic"  # not "auto": what it came to

    rows = history(folder)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert {row["dataset"] for row in rows} == {"synthetic"}
    assert float(rows[1]["val_accuracy"]) == result["val_accuracy"]
    assert float(rows[0]["train_cost"]) > float(rows[0]["train_loss"])

    for name in ("curves.png", "weights.png"):
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 100

    assert "the data could not be reached\nTraining on the synthetic set instead" in trained.err
    assert trained.out.startswith("synthetic, numpy on cpu: test accuracy ")


@pytest.mark.usefixtures("blank_plots")
def test_a_run_stops_early_and_stays_so(tmp_path, capsys):
    """A rate of almost 0 changes no output without running statistics, so the first epoch is the best."""
    train("--patience", "2", "--epochs", "9", "--lr", "1e-30", "--schedule", "constant", "--norm", "none")
    assert "% after epoch 3, the last, where training stopped early, and " in capsys.readouterr().out
    result = json.loads(Path("out/result.json").read_text())
    assert (result["epochs"], result["stopped_early"], result["best_epoch"]) == (3, True, 1)
    for more in ([], ["--epochs", "20"]):
        cli.main(["train", "--resume", "out", *more])
        said = "out: finished after 3 epochs, stopped early; start another run for more\n"
        assert capsys.readouterr() == ("", said)
    assert json.loads(Path("out/result.json").read_text()) == result


@pytest.mark.usefixtures("blank_plots")
def test_runs_are_named_after_the_time_and_never_the_same(tmp_path, capsys):
    flags = ["--train", "400", "--val", "100", "--hidden", "", "--epochs", "1"]
    for _ in range(2):
        cli.main(["train", *flags])
    assert len(list((tmp_path / "runs").iterdir())) == 2
    said = capsys.readouterr().err
    assert said.count("synthetic: 400 training, 100 validation and 100 test images; 30,730 parameters; numpy") == 2


def test_an_existing_folder_is_never_overwritten(tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("!")
    assert "out: expected a new folder" in refused(capsys, *small())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["precious"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--schedule", "cosin"], 'there is no "cosin"; did you mean "cosine"?'),
        (["--schedule", "step:0.1"], "expected step:NUMBER:NUMBER"),
        (["--schedule", "step:x:2"], "expected step:NUMBER:NUMBER"),
        (["--init", "hee"], 'did you mean "he"?'),
        (["--normalize", "standard"], 'did you mean "standardize"?'),
        (["--backend", "nunpy"], 'did you mean "numpy"'),
        (["--precision", "tf23"], 'Did you mean "tf32"?'),
        (["--precision", "bf16"], "numpy on cpu multiplies in float32 only; for bf16 choose cupy or jax:gpu"),
        (["--preset", "garcia-sans/2"], 'did you mean "garcia-sanz/2"'),
        (["--lr=-0.1"], "Must be > 0"),
        (["--l2=-0.1"], "Must be >= 0"),
        (["--momentum", "1.0"], "Must be < 1"),
        (["--epochs", "0"], "Must be >= 1"),
        (["--seed=-1"], "Must be >= 0"),
        (["--hidden", "50,x"], 'expected positive widths separated by commas, e.g. 50,30, or "", got "50,x"'),
        (["--hidden", "50,,30"], "expected positive widths"),
        (["--hidden", "0"], "expected positive widths"),
        (["--warmup", "2"], "--warmup: expected less than --epochs, 2, got 2"),
        (["--crop", "32"], "anynet: --crop: expected 0 to 31 pixels, got 32"),
        (["--memory-budget=-1"], "Must be >= 0"),
        (["--memory-budget", "nan"], 'Invalid value "nan" for --memory-budget'),
        (["--lr", "nan"], 'Invalid value "nan" for --lr'),
        (["--lr", "inf"], 'Invalid value "inf" for --lr. Must be < inf.'),
        (["--l2", "inf"], 'Invalid value "inf" for --l2. Must be < inf.'),
        (["--l2", "nan"], 'Invalid value "nan" for --l2'),
        (["--momentum", "nan"], 'Invalid value "nan" for --momentum'),
        (["--warmup", "nan"], 'Invalid value "nan" for --warmup'),
        (["--init", "normal:inf"], "expected std finite, 0 or more"),
        (["--schedule", "exponential:1e300", "--epochs", "3"], "the learning rate of epoch 3, step 1 of"),
        (["--epochs", "1.5"], "Must be a whole number"),
        (["--epochs", "inf"], "Must be a whole number"),
        (["--batch-size", "x"], "Must be a whole number"),
        (["--seed", "1.5"], "Must be a whole number"),
        (["--order-seed", "0.5"], "Must be a whole number"),
        (["--activation", "rleu"], 'Did you mean "relu"?'),
        (["--activatoin", "relu"], "Did you mean --activation?"),
        (["--optimizer", "sdg"], 'did you mean "sgd"?'),
        (["--batch-size", "401"], "anynet: --batch-size: expected 1 to 400"),
        (["--flip", "--alternate-flip"], "anynet: --flip, --alternate-flip: expected one of them, got both"),
        (["--border", "reflect"], '--border: expected crop of 1 pixel or more with "reflect", got 0'),
        (["--test", "101"], "--test: expected 1 to 100 images, got 101"),
        (["--train", "0"], "expected 1 to 500"),
        (["--train", "data_batch_9"], "data_batch_1"),
        (["--nesterov", "--momentum", "0"], "expected a momentum above 0 for nesterov=True"),
        (["--weight-decay=-0.1"], "Must be >= 0"),
        (["--optimizer", "adam", "--weight-decay", "0.1"], "--weight-decay: adam has none; use --l2, or"),
        (["--optimizer", "rmsprop", "--weight-decay", "0.1"], "--weight-decay: rmsprop has none; use --l2, or"),
        *(
            (
                ["--optimizer", name, "--nesterov"],
                f"--nesterov: expected --optimizer sgd with it, got {name}; use --no-nesterov",
            )
            for name in ("adam", "adamw", "rmsprop", "lion", "muon")
        ),
        (["--data", "cifar10"], "the data could not be reached"),
        (["--data", "nowhere"], 'there is no file or folder "nowhere"'),
        (["--data", "synthetik"], 'did you mean "synthetic"?'),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, capsys, flags, message):
    assert message in unframed(refused(capsys, *small(*flags)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("blank_plots")
def test_a_precision_is_written_down(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Numpy, "precisions", ("float32", "tf32"))
    train("--precision", "tf32")
    assert json.loads((tmp_path / "out" / "result.json").read_text())["precision"] == "tf32"
    assert tomllib.loads((tmp_path / "out" / "config.toml").read_text())["precision"] == "tf32"
    assert "numpy on cpu with tf32 products, float32" in capsys.readouterr().err
    train("--preset", "out/config.toml", "--out", "again")
    assert json.loads((tmp_path / "again" / "result.json").read_text())["precision"] == "tf32"
    said = refused(capsys, *small("--preset", "out/config.toml", "--dtype", "float64", "--out", "third"))
    assert "tf32 is for products of float32 arrays, and the dtype is float64" in said
    assert not (tmp_path / "third").exists()


def test_divergence_ends_in_one_line_and_leaves_a_report(tmp_path, capsys):
    said = refused(capsys, *small("--lr", "1e30", "--schedule", "constant", "--norm", "none"))
    assert "the cost is no longer finite in epoch 1, at step" in said
    assert "with learning rate 1e+30; first not finite: " in said
    assert "; try a much lower learning rate (0.01 is a common start), or clip_norm=" in said
    assert said.rstrip().endswith(f"; norms of the steps before are in {Path('out', 'divergence.json')}")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "checkpoints",
        "config.toml",
        "divergence.json",
        "report.html",
        "result.json",
    ]
    report = json.loads((tmp_path / "out" / "divergence.json").read_text(), parse_constant=pytest.fail)
    assert report["first_not_finite"] in said
    result = json.loads((tmp_path / "out" / "result.json").read_text(), parse_constant=pytest.fail)
    assert result == {"dataset": "synthetic", "diverged": result["diverged"], "report": report}
    assert f"anynet: {result['diverged']}; norms of the steps before are in" in said
    assert "the run in out diverged" in refused(capsys, "predict", "out", "a.png")
    assert [row["step"] for row in report["steps_before"]] == list(range(1, report["step"] + 1))
    assert report["steps_before"][0]["gradient_norms"].keys() == {"0.W", "0.b", "2.W", "2.b"}


def test_a_member_that_diverged_has_a_report_of_its_own(tmp_path):
    cli.main(small("--sweep", "lr=0.01,1e30", "--schedule", "constant", "--norm", "none"))
    assert not (tmp_path / "out" / "member-0" / "divergence.json").exists()
    report = json.loads((tmp_path / "out" / "member-1" / "divergence.json").read_text(), parse_constant=pytest.fail)
    assert (report["epoch"], report["lr"]) == (1, 1e30)
    reason = json.loads((tmp_path / "out" / "member-1" / "result.json").read_text())["diverged"]
    assert report["first_not_finite"] in reason


def test_divergence_later_keeps_the_epochs_before(tmp_path, capsys):
    flags = ["--lr", "1e-30", "--schedule", "exponential:1e60", "--norm", "none", "--epochs", "3"]
    assert "in epoch 2, at step 2 of 4, with learning rate 1e+30" in refused(capsys, *small(*flags))
    rows = history(tmp_path / "out")
    assert [row["epoch"] for row in rows] == ["1"]


def test_stopped_before_there_was_anything(tmp_path, capsys, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("anynet.app.experiment.fit", interrupt)
    with pytest.raises(SystemExit) as end:
        train()
    assert end.value.code == 130
    assert capsys.readouterr().err.endswith("anynet: interrupted before the first epoch ended; nothing was kept\n")
    assert list(tmp_path.iterdir()) == []


def test_names_are_printed_in_one_line(tmp_path, capsys):
    for flags in (["--data", "no\nsuch"], ["--resume", "no\nsuch"], ["--preset", "no\nsuch.toml"]):
        said = refused(capsys, "train", *flags)
        assert said.count("\n") == 1
        assert "no such" in said


def test_errors_of_the_system_say_what_to_do(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.toml").symlink_to("config.toml")
    said = refused(capsys, "train", "--preset", "run/config.toml")
    assert said.startswith("anynet: run/config.toml: ")
    assert said.endswith("; check its permissions, or move it away, or choose another\n")
    said = refused(capsys, "train", "--preset", "none.toml")
    assert said == "anynet: none.toml: No such file or directory; check the name\n"


def test_out_of_memory_ends_in_one_line(capsys, monkeypatch):
    def exhausted(*args, **kwargs):
        raise MemoryError("Unable to allocate 9 TiB")

    monkeypatch.setattr("anynet.app.experiment.fit", exhausted)
    said = refused(capsys, *small()).splitlines()[-1]
    assert said.startswith(
        "anynet: out of memory: Unable to allocate 9 TiB; try a smaller net, batch or --memory-budget"
    )


def test_a_missing_library_ends_in_one_line(capsys, monkeypatch):
    monkeypatch.setenv("ANYNET_BACKEND", "cupy")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = refused(capsys, "train")
    pip = "pip install 'cupy-cuda12x[ctk]', or 'cupy-cuda13x[ctk]' if nvidia-smi shows CUDA 13"
    assert said == f"anynet: cupy is not installed; install it with: {pip}\n"


def test_data_says_what_was_found(capsys):
    cli.main(["data", "synthetic"])
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "synthetic: 10 classes, images of shape (3, 32, 32)",
        *(f"data_batch_{i}: 100 images" for i in range(1, 6)),
        "test_batch: 100 images",
    ]


def test_data_lists_the_six_files_of_real_images(capsys, real_cifar10):
    cli.main(["data", real_cifar10])
    found, *files = capsys.readouterr().out.splitlines()
    assert found.startswith("cifar10, ")
    assert [line.split(":")[0] for line in files] == [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]


def test_help_names_images_and_tells_what_a_gradient_check_ignores(capsys):
    cli.main(["predict", "--help"])
    assert capsys.readouterr().out.startswith("Usage: anynet predict RUN IMAGES... [OPTIONS]\n")
    cli.main(["gradcheck", "--help"])
    settings, training = capsys.readouterr().out.split(" Training ─")
    assert "Options under Training are accepted" in settings
    assert "--hidden" in settings
    assert "--epochs" in training
