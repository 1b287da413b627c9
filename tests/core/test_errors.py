import pickle

import pytest

import anynet as an
from anynet.backends import BackendError
from anynet.compiler import CompileError
from anynet.core.errors import FileError
from anynet.data import DataError, DownloadError
from anynet.gradcheck import GradientError
from anynet.training import DivergedError, OutOfMemoryError


@pytest.mark.parametrize(
    ("error", "built_in"),
    [
        (BackendError, RuntimeError),
        (CompileError, RuntimeError),
        (DataError, ValueError),
        (DivergedError, ArithmeticError),
        (DownloadError, OSError),
        (FileError, ValueError),
        (GradientError, AssertionError),
        (OutOfMemoryError, MemoryError),
    ],
)
def test_every_error_is_one_of_the_package_and_a_built_in_one(error, built_in):
    assert issubclass(error, an.Error)
    assert issubclass(error, built_in)


def test_a_file_error_is_one_line_whatever_the_file_holds():
    error = FileError("a.csv", "column \x1b[2J", "a number", "text\n" * 1000, "remove it")
    assert str(error).startswith("a.csv, column ?[2J: expected a number, got text text")
    assert str(error).isprintable()
    assert len(str(error)) < 600
    assert str(FileError("a\nb\x1b.csv", "", "a number", "text", "remove it")).startswith("a b?.csv: expected")


def test_a_file_error_survives_pickling():  # worker processes send errors
    error = FileError("a.csv", "line 2", "a number", "text", "remove it")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "a.csv, line 2: expected a number, got text; remove it"
    assert (again.file, again.place) == ("a.csv", "line 2")
