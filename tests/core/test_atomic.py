"""Files that are there whole or not at all."""

import os
import stat

import pytest

from anynet.core.atomic import PARTIAL, write_text_whole, write_whole


def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("old")

    def write(path):
        path.write_text("half")
        assert file.read_text() == "old"
        path.write_text("new")

    write_whole(file, write)
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_what_could_not_be_written_leaves_the_old_file(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("old")

    def write(path):
        path.write_text("half")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_whole(file, write)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_two_processes_write_under_different_names(tmp_path, monkeypatch):
    file, names = tmp_path / "table.csv", []

    def write(path):
        names.append(path.name)
        path.write_text("new")

    for process in (1, 2):
        monkeypatch.setattr("os.getpid", lambda number=process: number)
        write_whole(file, write)
    assert len(set(names)) == 2
    assert all(name.startswith(PARTIAL) and name.endswith("table.csv") for name in names)


def test_a_file_and_its_name_are_synced_before_it_is_said_to_be_there(tmp_path, monkeypatch):
    file, done = tmp_path / "table.csv", []
    sync, replace = os.fsync, os.replace

    def record_sync(descriptor):
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def record_replace(*paths):
        done.append("rename")
        replace(*paths)

    monkeypatch.setattr("os.fsync", record_sync)
    monkeypatch.setattr("os.replace", record_replace)
    write_whole(file, lambda path: path.write_text("new"))
    assert done == ["file", "rename", "folder"]


def test_a_file_system_that_cannot_sync_folders_is_no_error(tmp_path, monkeypatch):
    sync = os.fsync

    def refuse_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError("invalid argument")
        sync(descriptor)

    monkeypatch.setattr("os.fsync", refuse_folders)
    write_text_whole(tmp_path / "page.md", "λ")
    assert (tmp_path / "page.md").read_bytes() == "λ".encode()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), PermissionError(13, "Denied", "partial")])
def test_errors_name_the_file(tmp_path, error):
    def write(path):
        raise error

    with pytest.raises(type(error)) as raised:
        write_whole(tmp_path / "table.csv", write)
    assert str(raised.value) == f"[Errno {error.errno}] {error.strerror}: '{tmp_path / 'table.csv'}'"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_device_or_a_pipe_is_not_replaced(tmp_path):
    pipe = tmp_path / "table.csv"
    os.mkfifo(pipe)
    with pytest.raises(FileExistsError, match=r"table\.csv: expected a file .*, got a device or a pipe"):
        write_text_whole(pipe, "x")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
