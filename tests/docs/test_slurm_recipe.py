"""Jobs of the guide's page about Slurm, as processes of this machine."""

import os
import sys
from functools import partial
from pathlib import Path

import pytest
import submitit
from numpy.testing import assert_equal
from safetensors.numpy import load_file

import anynet as an
from tests.docs.test_documentation import ROOT, blocks


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_preempted_job_goes_on_with_the_results_of_one_that_was_not(tmp_path, monkeypatch):
    names = {"__name__": "documentation"}
    exec(blocks(ROOT / "docs" / "guide" / "slurm.md")[0], names)
    monkeypatch.chdir(tmp_path)
    accuracy = names["train"](0)
    params = load_file(sorted(Path("checkpoints/0").glob("*.safetensors"))[-1])
    Path("job").mkdir()
    monkeypatch.chdir("job")

    def preempted(train, seed):
        def stop(epoch):
            first = not Path("epochs").exists() or Path("epochs").read_text().count("\n") < 5
            with Path("epochs").open("a") as file:
                file.write(f"{os.getpid()} {epoch.epoch}\n")
            if epoch.epoch == 5 and first:
                os.kill(os.getpid(), submitit.JobEnvironment._usr_sig())

        an.fit = partial(an.fit, on_epoch=stop)
        return train(seed)

    job = submitit.LocalExecutor("jobs").submit(names["Continued"](), preempted, names["train"], 0)
    assert job.result() == accuracy
    processes, epochs = zip(*(line.split() for line in Path("epochs").read_text().splitlines()), strict=True)
    assert len(set(processes)) == 2
    assert epochs.count("1") == epochs.count("20") == 1
    assert_equal(load_file(sorted(Path("checkpoints/0").glob("*.safetensors"))[-1]), params)
