import os
import pickle
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from anynet.data import DataError
from anynet.data.cifar import pickles

IMAGES = np.arange(2 * 3072).reshape(2, 3072).astype(np.uint8)


def text(value: str) -> bytes:
    """A Python 2 str."""
    return pickle.SHORT_BINSTRING + bytes([len(value)]) + value.encode()


def python2(images: np.ndarray, code: str, order: str, fortran: bool = False) -> bytes:
    """{"data": images, "labels": [7, 300]} as Python 2 wrote it, opcode by opcode."""
    raw = images.tobytes(order="F" if fortran else "C")
    shape = b"".join(pickle.BININT + struct.pack("<i", size) for size in images.shape)
    dtype = (
        b"cnumpy\ndtype\n(" + text(code) + b"K\x00K\x01tR"
        b"(K\x03" + text(order) + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + text("b") + b"tR"
        b"(K\x01(" + shape + b"t" + dtype + (b"\x88" if fortran else b"\x89")
        + pickle.BINSTRING + struct.pack("<i", len(raw)) + raw + b"tb"
    )  # fmt: skip
    return b"\x80\x02}(" + text("data") + array + text("labels") + b"](K\x07M\x2c\x01eu."


def test_as_many_labels_and_file_names_as_cifar100_has_are_read():
    n = 50_000
    content = {"filenames": [f"{k}.png" for k in range(n)], "fine_labels": [7] * n, "coarse_labels": [8] * n}
    assert pickles.load(pickle.dumps(content, 2), "train") == content


class Runs:
    """Pickles into a call of ``function(*arguments)``."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_python_2_pickle_gives_its_arrays_and_lists():
    content = pickles.load(python2(IMAGES, "u1", "|"), "file")
    assert list(content) == ["data", "labels"]
    assert content["data"].dtype == np.uint8
    np.testing.assert_array_equal(content["data"], IMAGES)
    assert content["labels"] == [7, 300]


@pytest.mark.parametrize(("dtype", "code", "order"), [(">i4", "i4", ">"), ("<f8", "f8", "<"), ("?", "b1", "|")])
@pytest.mark.parametrize("fortran", [False, True])
def test_byte_and_memory_order_are_kept(dtype, code, order, fortran):
    array = np.array([[0, 1, 2], [3, 4, 5]], dtype)
    found = pickles.load(python2(array, code, order, fortran), "file")["data"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("protocol", range(6))
def test_pickle_saved_again_by_python_3(protocol):
    saved = {"data": IMAGES, b"labels": [1, 2], "names": [b"caf\xe9", "dog"], "title": b"batch"}
    found = pickles.load(pickle.dumps(saved | {"scalars": [np.int64(7), np.uint8(9)]}, protocol), "file")
    np.testing.assert_array_equal(found.pop("data"), IMAGES)
    assert found == {"scalars": [7, 9], "labels": [1, 2], "names": ["café", "dog"], "title": "batch"}


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: {"data": [[x]]}], ids=["bare", "list", "dict"])
@pytest.mark.parametrize("function", ["system", "eval", "mkdir"])
def test_crafted_pickle_is_refused_and_does_not_run(tmp_path: Path, protocol, wrap, function):
    trace = tmp_path / "trace"
    crafted = {
        "system": Runs(os.system, f'echo ran > "{trace}"'),
        "eval": Runs(eval, f"open({str(trace)!r}, 'w').close()"),
        "mkdir": Runs(os.mkdir, str(trace)),
    }[function]
    with pytest.raises(DataError, match=r"data_batch_1: .*it asks for \w+\." + function):
        pickles.load(pickle.dumps(wrap(crafted), protocol), "data_batch_1")
    assert not trace.exists()
    pickle.loads(pickle.dumps(crafted, protocol))  # an unsafe reader would have run it
    assert trace.exists()


@pytest.mark.parametrize(
    "name",
    [b"numpy\nload", b"numpy.core.multiarray\nset_typeDict", b"_codecs\ndecode", b"builtins\ngetattr", b"os\nsystem"],
)
def test_other_names_of_admitted_modules_are_refused(name):
    with pytest.raises(DataError, match=name.replace(b"\n", rb"\.").decode()):
        pickles.load(b"\x80\x02}" + text("a") + b"c" + name + b"\ns.", "file")


def test_dotted_name_does_not_reach_through_an_admitted_one():
    crafted = b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__init__\x93."
    with pytest.raises(DataError, match=r"ndarray\.__init__"):
        pickles.load(crafted, "file")


@pytest.mark.parametrize("state", [b"}" + text("x") + b"K\x01s", b"N}" + text("__init__") + b"K\x01s\x86"])
@pytest.mark.parametrize("name", [b"numpy\ndtype", b"numpy\nndarray", b"_codecs\nencode"])
def test_pickle_cannot_change_the_reader_itself(state, name):
    with pytest.raises(DataError):
        pickles.load(b"\x80\x02}" + text("a") + b"c" + name + b"\n" + state + b"bs.", "file")
    np.testing.assert_array_equal(pickles.load(python2(IMAGES, "u1", "|"), "file")["data"], IMAGES)


def test_only_latin1_is_encoded():
    with pytest.raises(DataError, match="file"):
        pickles.load(b"\x80\x02}" + text("a") + b"c_codecs\nencode\n" + text("x") + text("rot13") + b"\x86Rs.", "file")


def test_pickle_cut_short_anywhere_is_an_error_naming_the_file():
    whole = python2(IMAGES, "u1", "|")
    for length in range(len(whole)):
        with pytest.raises(DataError, match="some/data_batch_3: expected a pickle"):
            pickles.load(whole[:length], "some/data_batch_3")


def test_damaged_byte_never_raises_anything_but_data_error():
    whole = python2(IMAGES, "u1", "|")
    for position in range(160):
        for change in (1, 0x80):
            damaged = bytearray(whole)
            damaged[position] ^= change
            with suppress(DataError):
                pickles.load(bytes(damaged), "file")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"<html>not found</html>", id="foreign"),
        pytest.param(pickle.dumps([1, 2], 2), id="no dict"),
        pytest.param(pickle.dumps({3: 4}, 2), id="key is no text"),
        pytest.param(b"\x80\x02}(" + text("a") + b"](h\x00eu.", id="unknown memo"),
        pytest.param(b"\x80\x02}" + text("a") + b"]q\x00h\x00as.", id="list within itself"),
        pytest.param(pickle.dumps({"a": np.array(["text"])}, 2), id="array of text"),
        pytest.param(pickle.dumps({"a": np.array([None])}, 2), id="array of objects"),
        pytest.param(python2(IMAGES, "u1", "|").replace(b"J\x02\0\0\0", b"J\x03\0\0\0"), id="shape beyond the bytes"),
    ],
)
def test_pickle_of_something_else_is_an_error_naming_the_file(content):
    with pytest.raises(DataError, match=r"^data_batch_2: expected a pickle of CIFAR,"):
        pickles.load(content, "data_batch_2")


def test_errors_tell_what_was_raised():
    with pytest.raises(DataError, match="pickle exhausted before seeing STOP"):
        pickles.load(b"", "file")
    assert issubclass(DataError, ValueError)


def test_a_pickle_is_not_blamed_for_memory_that_is_short(monkeypatch):
    def run(*_):
        raise MemoryError

    monkeypatch.setattr(pickles.Machine, "run", run)
    with pytest.raises(MemoryError):
        pickles.load(b"", "file")


def repeated(objects: int, operation: bytes = b"h\x00", start: bytes = b"]q\x00") -> bytes:
    """{"a": [...]} whose list holds many references to one object."""
    return b"\x80\x02}" + text("a") + b"](" + start + operation * objects + b"es."


LIES = {
    "memo index": b"\x80\x02}r" + struct.pack("<I", 2**27) + b".",
    "largest memo index": b"\x80\x02}r" + struct.pack("<I", 2**32 - 1) + b".",
    "text of 4 GB": b"\x80\x02}X" + struct.pack("<I", 2**32 - 1) + b".",
    "bytes of 2**62": b"\x80\x04}\x8e" + struct.pack("<Q", 2**62) + b".",
    "byte array of 2**62": b"\x80\x05}\x96" + struct.pack("<Q", 2**62) + b".",
    "frame of 2**62": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"}.",
    "number of 2 GB": b"\x80\x02}\x8b" + struct.pack("<i", 2**31 - 1) + b".",
    "number of many digits": b"}" + text("a") + b"L" + b"9" * 10**6 + b"L\ns.",
    "millions of objects": repeated(5_000_000),
    "millions of marks": b"\x80\x02" + b"(" * 5_000_000 + b".",
    "deep lists": b"\x80\x02}" + text("a") + b"]" * 10**6 + b"a" * (10**6 - 1) + b"s.",
    "deep tuples as a key": b"\x80\x02})" + b"\x85" * 300_000 + b"K\x01s.",
    "doubled lists": b"\x80\x02}" + text("a") + b"]" + b"(2" * 100 + b"s.",
    "long key, repeated": (
        b"\x80\x03}B" + struct.pack("<I", 10**7) + b"k" * 10**7 + b"q\x00K\x01s(" + b"h\x00N" * 10**5 + b"u."
    ),
    "long text, encoded often": (
        b"\x80\x02}" + text("a") + b"](c_codecs\nencode\nq\x00X" + struct.pack("<I", 10**7) + b"x" * 10**7
        + b"q\x01" + text("latin1") + b"\x86q\x02R" + b"h\x00h\x02R" * 90_000 + b"es."
    ),
    "wide text": (
        b"\x80\x02}" + text("a") + b"X" + struct.pack("<I", 40_000_004) + b"x" * 40_000_000
        + "\U0001f600".encode() + b"s."
    ),
    "array of 2**62 elements": python2(IMAGES, "u1", "|").replace(b"J\x02\0\0\0", b"\x8a\x08" + bytes(7) + b"\x40"),
}  # fmt: skip


READ = """
import resource, sys, time
from pathlib import Path
from anynet.data import DataError
from anynet.data.cifar import files, formats
for file in map(Path, sys.argv[1:]):
    since, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        formats.FORMATS[0].read_batch(files._read_content(file, formats.MOST_PICKLED), file.name)
        said = "read"
    except DataError as error:
        said = str(error)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{time.perf_counter() - since}\t{grown}\t{said}")
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> dict[str, tuple[float, float, str]]:
    """Seconds, megabytes and words for each lie, from a process of its own whose memory can be told."""
    folder = tmp_path_factory.mktemp("lies")
    for lie, content in LIES.items():
        (folder / lie).write_bytes(content)
    command = [sys.executable, "-c", READ, *(str(folder / lie) for lie in LIES)]
    end = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in end.stdout.splitlines()]
    return {lie: (float(row[0]), float(row[1]), row[2]) for lie, row in zip(LIES, rows, strict=True)}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told in kB by Linux alone")
@pytest.mark.parametrize("lie", LIES)
def test_a_pickle_that_claims_too_much_is_refused_at_once_in_little_memory(lie, answers):
    seconds, megabytes, said = answers[lie]
    assert said.startswith(f"{lie}: expected ")
    assert seconds < 2
    assert megabytes < 400
