"""Safetensors files with a digest of what was written."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from anynet.core.errors import FileError
from anynet.core.tensor_file import ArrayType, TensorFile, write_tensors

TENSORS = {
    "scalar": np.float32(2.5),
    "empty": np.zeros((2, 0)),
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "counts": np.arange(3, dtype=np.int32),
}


def opened(path):
    return TensorFile(path, ("float32", "float64", "int32"), "choose another")


@pytest.fixture
def path(tmp_path):
    write_tensors(tmp_path / "file.safetensors", TENSORS, {"a": "b"})
    return tmp_path / "file.safetensors"


def test_tensors_come_back(path):
    file = opened(path)
    assert file.types == {name: ArrayType(str(np.dtype(a.dtype)), a.shape) for name, a in TENSORS.items()}
    np.testing.assert_equal(file.read(), TENSORS)
    np.testing.assert_equal(load_file(path), TENSORS)  # other programs read it too
    assert file.metadata["a"] == "b"


@pytest.mark.parametrize("name", TENSORS)
def test_another_shape_of_the_same_bytes_is_noticed(path, name):
    tensors = load_file(path)
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    tensors[name] = tensors[name][None]
    save_file(tensors, path, metadata)
    with pytest.raises(FileError, match="metadata sha256: expected the digest of this file"):
        opened(path).read()


def test_other_metadata_are_noticed(path):
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    save_file(load_file(path), path, metadata | {"a": "c"})
    with pytest.raises(FileError, match="metadata sha256"):
        opened(path).read()


def test_pipes_and_folders_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path, "a folder"), (tmp_path / "pipe", "a device or a pipe")):
        with pytest.raises(FileError, match=f"expected a file, got {kind}; choose another"):
            opened(path)


@given(st.data())
def test_every_changed_bit_of_the_data_is_noticed(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("flipped") / "file.safetensors"
    write_tensors(path, TENSORS, {})
    raw = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(raw[:8], "little")
    raw[data.draw(st.integers(start, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(raw)
    with pytest.raises(FileError, match="got other tensors or metadata: the file is damaged, or another program"):
        opened(path).read()
