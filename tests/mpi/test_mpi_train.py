"""``mpiexec -n N python train.py``."""

import json
import os
import signal
import time

import pytest

from tests.mpi.conftest import ROOT, process_of

TRAIN = (ROOT / "train.py", "--hidden", "20")
DIGITS = (*TRAIN, "--data", "digits")


@pytest.mark.slow
def test_the_first_rank_writes_what_one_process_does(on_mpi, tmp_path):
    code, out, err = on_mpi(2, *DIGITS, "--epochs", "2", "--quiet", "--out", tmp_path / "run")
    assert code == 0, err
    assert out.count("test accuracy") == 1
    assert err == ""
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["epochs"] == 2
    assert result["test_accuracy"] > 0.4
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"model.safetensors", "history.csv", "curves.png"}


@pytest.mark.slow
def test_members_over_ranks(on_mpi, tmp_path):
    code, out, err = on_mpi(2, *DIGITS, "--epochs", "2", "--seeds", "3", "--quiet", "--out", tmp_path / "sweep")
    assert code == 0, err
    assert err == ""
    assert " ".join(out.split()).count("3 members: test accuracy") == 1
    assert all((tmp_path / "sweep" / f"member-{k}" / "analysis.json").exists() for k in range(3))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--data", "digits", "--batch-size", "2"],
            "anynet: --batch-size: expected 3 or more, a sample for each of 3 ranks, got 2",
        ),
        (["--data", "nowhere"], "nowhere"),
        (["--data", "digits", "--profile"], "--profile: expected one process"),
    ],
)
def test_an_error_is_told_once(on_mpi, tmp_path, options, message):
    code, out, err = on_mpi(3, *TRAIN, "--epochs", "1", "--norm", "none", *options)
    assert code != 0
    assert err.count("anynet: ") == 1
    assert message in err
    assert out == ""


@pytest.mark.slow
def test_folders_that_differ(on_mpi, tmp_path):
    code = "import os; from anynet.app import cli; "
    code += "rank = os.environ.get('OMPI_COMM_WORLD_RANK') or os.environ['PMI_RANK']; "
    code += f"cli.main(['train', '--data', 'digits', '--out', '{tmp_path}/run-' + rank])"
    code, _, err = on_mpi(2, "-c", code)
    assert code != 0
    assert err.count("anynet: ") == 1
    message = f"got --out {tmp_path}/run-0 on rank 0 and {tmp_path}/run-1 on rank 1; start all with one command"
    assert message in " ".join(err.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("others_go_on")
@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_rank_is_named_and_the_others_leave_a_checkpoint(mpiexec, on_mpi, tmp_path, killed):
    folder, epochs = tmp_path / "run", 200
    options = ["--epochs", epochs, "--evaluate-train", "never", "--quiet"]
    process = mpiexec(3, *DIGITS, *options, "--batch-size", "600", "--out", folder, "--checkpoint-every", epochs)
    number = process_of(killed, str(folder))
    end = time.monotonic() + 60
    while time.monotonic() < end and not (folder / "history.csv").exists():
        time.sleep(0.05)
    os.kill(number, signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert f"anynet: rank {killed} of 3 (" in err
    assert f", process {number}) has ended without a word" in err
    assert err.count("anynet: ") == 1
    assert f"are kept; go on with: python train.py --resume {folder}" in " ".join(err.split())
    (checkpoint,) = (folder / "checkpoints").glob("epoch-*.safetensors")
    done = int(checkpoint.stem.removeprefix("epoch-"))
    assert 0 < done < epochs
    code, out, err = on_mpi(2, ROOT / "train.py", "--resume", folder, "--quiet")
    assert code == 0, err
    assert f"after epoch {epochs}, the last" in " ".join(out.split())
    assert len((folder / "history.csv").read_text().splitlines()) == 1 + epochs
