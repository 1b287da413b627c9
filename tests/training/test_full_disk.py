"""A full disk is no reason to stop a training; a folder that cannot be written is one not to begin it."""

import errno
import os
from pathlib import Path

import filelock
import numpy as np
import pytest
from noise import noise

import anynet as an
from anynet.training import checkpoint_folder
from anynet.training.checkpoint_folder import CheckpointError

NET = an.Sequential(an.Linear(3072, 12), an.BatchNorm(12), an.ReLU(), an.Linear(12, 10))


DATA = noise(3, 32, 32)


def fit(**settings):
    return an.fit(NET, DATA, an.SGD(0.05), **{"epochs": 4, "batch_size": 20, "progress": False} | settings)


def assert_equal(one, other):
    assert [row[:-1] for row in one.history] == [row[:-1] for row in other.history]
    np.testing.assert_array_equal(one.params, other.params)
    assert (one.best.epoch, one.test) == (other.best.epoch, other.test)


def fail_at(monkeypatch, what, number):
    """Let the folder, its lock or its description be refused with an error of the system."""

    def fails(path, *args, **options):
        raise OSError(number, os.strerror(number), str(path))

    if what == "mkdir":
        monkeypatch.setattr(Path, "mkdir", fails)
    elif what == "lock":
        monkeypatch.setattr(filelock.FileLock, "acquire", lambda lock, **options: fails(lock.lock_file))
    else:
        monkeypatch.setattr(checkpoint_folder, "write_text_whole", fails)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("what", ["mkdir", "lock", "training.json"])
def test_training_goes_on_without_checkpoints_if_the_disk_is_full(tmp_path, monkeypatch, what, number):
    with monkeypatch.context() as patched:
        fail_at(patched, what, number)
        with pytest.warns(UserWarning, match="goes on without checkpoints") as warned:
            run = fit(checkpoint=tmp_path / "kept")
    assert len(warned) == 1
    assert str(warned[0].message).startswith(f"{tmp_path / 'kept'}")
    assert os.strerror(number) in str(warned[0].message)
    assert_equal(run, fit())
    assert not list(tmp_path.rglob("epoch-*"))
    assert_equal(fit(checkpoint=tmp_path / "kept"), fit())  # nothing there is in its way


@pytest.mark.parametrize("what", ["lock", "training.json"])
def test_a_resumed_training_goes_on_from_its_checkpoints_if_the_disk_is_full(tmp_path, monkeypatch, what):
    fit(checkpoint=tmp_path, epochs=2)
    before, begun = {path.name: path.read_bytes() for path in tmp_path.iterdir()}, []
    with monkeypatch.context() as patched:
        fail_at(patched, what, errno.ENOSPC)
        with pytest.warns(UserWarning, match="goes on without checkpoints"):
            run = fit(checkpoint=tmp_path, resume=True, on_epoch=begun.append)
    assert begun[0].epoch == 3
    assert_equal(run, fit())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOENT])
@pytest.mark.parametrize("what", ["mkdir", "lock", "training.json"])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path, monkeypatch, what, number):
    fail_at(monkeypatch, what, number)
    with pytest.raises(CheckpointError, match=r"cannot be written \(.*\); choose another folder for checkpoints"):
        fit(checkpoint=tmp_path / "kept", on_epoch=lambda row: pytest.fail("it has worked before it says so"))
