"""Files that are there whole or not at all."""

import pytest

from anynet.core.atomic import write_whole


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
