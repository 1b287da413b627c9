"""Files of nets that are damaged or lie are refused by one line that names the file and the place."""

import json
import os
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import anynet as an
from anynet.core.errors import FileError
from anynet.core.history import History
from anynet.data.normalization import Normalization
from anynet.nn.net_json import net_from_json, to_json
from anynet.training.evaluate import Metrics
from anynet.training.run import Run
from anynet.training.snapshot import Snapshot

NET = an.Sequential(an.Linear(6, 3), an.Sequential(an.BatchNorm(3), an.ReLU()), an.Linear(3, 2))

DIVERGED = {"epoch": 1, "step": 1, "steps": 2, "lr": 0.1}


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Tensors, metadata and bytes of a net's file."""
    file = tmp_path_factory.mktemp("net") / "net.safetensors"
    params, state = NET.init(0)
    Run(
        net=NET,
        backend=an.backend("numpy"),
        dtype="float32",
        seed=0,
        dataset="drawn",
        classes=("a", "b"),
        shape=(1, 2, 3),
        history=History([an.training.Epoch(1, *np.linspace(0, 1, 8).tolist())]),
        last=Snapshot(1, params, state),
        best=Snapshot(1, params, state),
        normalization=Normalization(np.ones(6, np.float32), np.zeros(6, np.float32)),
        test=Metrics(1.0, 1.0, 0.5),
        best_test=Metrics(1.0, 1.0, 0.5),
        seconds=1.5,
        execution="plain steps",
    ).save(file)
    with safe_open(file, "numpy") as opened:
        return load_file(file), opened.metadata(), file.read_bytes()


@pytest.fixture
def net_file(tmp_path, content):
    """Write a file with other tensors, metadata or values of "run", as other programs do; None leaves one out."""

    def write(tensors=None, metadata=None, run=None):
        arrays, texts, _ = content
        known = json.loads(texts["run"]) | (run or {})
        texts = texts | {
            "run": json.dumps({key: value for key, value in known.items() if value is not ...}),
            "sha256": None,
        }
        arrays, texts = arrays | (tensors or {}), texts | (metadata or {})
        save_file(
            {name: array for name, array in arrays.items() if array is not None},
            tmp_path / "net.safetensors",
            {key: text for key, text in texts.items() if text is not None},
        )
        return tmp_path / "net.safetensors"

    return write


def refused(file, net=None):
    with pytest.raises(FileError) as error:
        an.load(file, net=net)
    (line,) = str(error.value).splitlines()
    assert line.startswith(str(file))
    return line.removeprefix(str(file))


def changed(name, place, value):
    def change(arrays):
        array = arrays[name].copy()
        array[place] = value
        return {name: array}

    return change


@pytest.mark.parametrize(
    ("tensors", "name", "said"),
    [
        (lambda a: {"best.0.W": None}, "best.0.W", "an array, got nothing"),
        (lambda a: {"history": None}, "history", "an array, got nothing"),
        (lambda a: {"input.scale": None}, "input.scale", "an array, got nothing"),
        (lambda a: {"best.7.W": a["best.0.W"]}, "best.7.W", "no such tensor in this net, got shape (6"),
        (lambda a: {"last.0.W": a["last.0.W"].T.copy()}, "last.0.W", "shape (6, 3), got (3, 6)"),
        (lambda a: {"last.0.b": a["last.0.b"][None]}, "last.0.b", "shape (3,), got (1, 3)"),
        (lambda a: {"input.scale": np.ones((), np.float32)}, "input.scale", "shape (6,), got ()"),
        (lambda a: {"last.0.b": np.zeros(3)}, "last.0.b", "dtype float32, got float64"),
        (lambda a: {"last.0.b": np.zeros(3, np.float16)}, "last.0.b", "dtype float32 or float64 or int32, got float16"),
        (lambda a: {"last.0.b": np.zeros(3, int)}, "last.0.b", "dtype float32 or float64 or int32, got int64"),
        (changed("best.0.W", (1, 1), np.nan), "best.0.W", "finite numbers, got NaN or infinity"),
        (changed("input.shift", 2, np.inf), "input.shift", "finite numbers, got NaN or infinity"),
        (changed("last.1.0.var", 2, -0.5), "last.1.0.var", "variances of 0 or more, got -0.5"),
        (changed("history", (0, 0), 2), "history", "epochs 1, 2, ... in the first column, got others"),
        (lambda a: {"history": a["history"][:, 1:].copy()}, "history", "shape (1, 9), got (1, 8)"),
        (changed("history", (0, 7), np.nan), "history", "fractions from 0 to 1 as val_accuracy, got others"),
    ],
)  # fmt: skip
def test_tensors_are_named(net_file, content, tensors, name, said):
    assert f', tensor "{name}": expected {said}' in refused(net_file(tensors(content[0])))


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "F8_E5M2"])
def test_dtypes_that_numpy_has_not_are_named(net_file, dtype):
    file = net_file()
    raw = file.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    size = {"BF16": 2}.get(dtype, 1)
    header["last.0.b"] |= {"dtype": dtype, "shape": [12 // size]}
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + length :])
    assert f', tensor "last.0.b": expected dtype float32 or float64 or int32, got {dtype}' in refused(file)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"format": None, "run": None}, "got a net of an earlier version of anynet; python -m anynet predict"),
        ({"format": "anynet run 2"}, ", metadata format: expected \"anynet run 1\", got 'anynet run 2'; "),
        ({"format": None, "classes": None}, ', metadata format: expected "anynet run 1", got None; '),
        ({"run": None}, ", metadata run: expected JSON, got nothing"),
        ({"run": "{"}, ", metadata run: expected JSON, got damaged JSON"),
        ({"run": "[" * 100_000}, ", metadata run: expected JSON, got damaged JSON"),
        ({"run": "3"}, ", metadata run: expected an object, got 3"),
        ({"classes": "[1.5, 2]"}, ", metadata classes: expected 2 names, got a list"),
        ({"classes": '["a"]'}, ", metadata classes: expected 2 names, got a list"),
        ({"classes": '["a", "\\u001b"]'}, r", metadata classes: expected names of printable characters, got '\x1b'"),
        ({"dataset": None}, ", metadata dataset: expected a printable text, got None"),
        ({"dataset": "a\nb"}, r", metadata dataset: expected a printable text, got 'a\nb'"),
        ({"classes": '"ab"'}, ", metadata classes: expected a list, got 'ab'"),
    ],
)
def test_metadata_are_named(net_file, metadata, said):
    assert said in refused(net_file(metadata=metadata))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"seed": ...}, "seed: expected a whole number, got nothing"),
        ({"seed": 1.5}, "seed: expected a whole number, got 1.5"),
        ({"seed": True}, "seed: expected a whole number, got True"),
        ({"interrupted": 1}, "interrupted: expected true or false, got 1"),
        ({"seconds": "1"}, "seconds: expected a number, got '1'"),
        ({"shape": [1, 2, 4]}, "shape: expected the axes of 6 values, got [1, 2, 4]"),
        ({"shape": [2, 3.0]}, "shape: expected the axes of 6 values, got [2, 3.0]"),
        ({"shape": [-1, -2, 3]}, "shape: expected the axes of 6 values, got [-1, -2, 3]"),
        ({"shape": 6}, "shape: expected a list, got 6"),
        ({"shape": ...}, "shape: expected a list, got nothing"),
        ({"input_dtype": "int8"}, "input_dtype: expected uint8 or float, got 'int8'"),
        ({"input_dtype": ["uint8"]}, "input_dtype: expected uint8 or float, got a list"),
        ({"dtype": "float16"}, "dtype: expected float32 or float64, got float16"),
        ({"dtype": "float64"}, '"best.0.W": expected dtype float64, got float32'),
        ({"test": [1, 2]}, "test: expected 3 numbers, got 2"),
        ({"best_test": [1, 2, "x"]}, "best_test: expected a number, got 'x'"),
        ({"epochs": {"last": 1}}, "epochs, best: expected a whole number, got None"),
        ({"epochs": {"last": 1, "best": 2}}, "epochs, best: expected 0 to 1, the last one, got 2"),
        ({"epochs": {"last": 2, "best": 1}}, '"history": expected shape (2, 9), got (1, 9)'),
        ({"diverged": {"epoch": 1}}, "diverged, step: expected a whole number, got None"),
        *(
            ({"diverged": DIVERGED | {"report": report}}, "diverged, report: expected")
            for report in ({}, "x", 1, {"first_not_finite": "x", "try": []}, {"try": ["y"]})
        ),
        ({"net": "Linear"}, "net: expected an object, got 'Linear'"),
        ({"net": {"class": "Linear"}}, "net: expected layers of anynet, got others (the net, Linear"),
        ({"net": {"class": "os.system"}}, "expected a class of anynet, got 'os.system'"),
        ({"net": to_json(an.Sequential(an.Linear(6, 4), an.Linear(4, 2)))}, '"best.0.W": expected shape (6, 4)'),
        ({"net": to_json(an.Sequential(an.Linear(10**12, 10**12)))}, '"best.0.W": expected shape (1000000000000'),
    ],
)  # fmt: skip
def test_values_are_named(net_file, run, said):
    assert said in refused(net_file(run=run))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: b"", ": expected a safetensors file, got 0 bytes"),
        (lambda raw: raw[:5], ": expected a safetensors file, got 5 bytes"),
        (lambda raw: b"PK\3\4" + raw, ": expected a safetensors file, got another file, or one with a damaged start"),
        (lambda raw: (2**27).to_bytes(8, "little") + raw[8:], ": expected a safetensors file, got another file, or"),
        (lambda raw: raw[:-1], ": expected a complete safetensors file, got another ("),
        (lambda raw: raw[:40], ": expected a complete safetensors file, got another ("),
        (lambda raw: raw + b"0", ": expected a complete safetensors file, got another ("),
    ],
)  # fmt: skip
def test_files_of_another_kind_are_named(tmp_path, content, change, said):
    file = tmp_path / "net.safetensors"
    file.write_bytes(change(content[2]))
    assert said in refused(file)


def test_a_checkpoint_is_named(tmp_path):
    data = an.data.Split(np.zeros((4, 6), np.uint8), np.arange(4) % 2)
    mine = an.data.Dataset("mine", ("a", "b"), data, data, data)
    an.fit(an.Sequential(an.Linear(6, 2)), mine, an.Adam(), batch_size=2, epochs=1, checkpoint=tmp_path, progress=False)
    said = refused(tmp_path / "epoch-000001.safetensors")
    assert (
        ", metadata: expected those of a file that Run.save wrote, got those of a checkpoint; load the folder" in said
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
@pytest.mark.parametrize(
    ("make", "kind"), [(os.mkdir, "a folder"), (lambda path: os.mkfifo(path), "a device or a pipe")]
)
def test_what_is_no_file_is_named(tmp_path, make, kind):
    make(tmp_path / "model.safetensors")
    with pytest.raises(FileError, match=rf"model\.safetensors: expected a file, got {kind}; "):
        an.load(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors: no such file; expected one that Run"):
        an.load(tmp_path)


@given(place=st.integers(0, 2000), byte=st.integers(0, 255))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damaged_byte_is_refused_or_changes_nothing(tmp_path, content, place, byte):
    raw = bytearray(content[2])
    raw[place % len(raw)] = byte
    file = tmp_path / "net.safetensors"
    file.write_bytes(raw)
    try:
        loaded = an.load(file)
    except FileError:
        return
    (params, state), best = NET.init(0), loaded.best
    np.testing.assert_equal((best.params, best.state, loaded.classes), (params, state, ("a", "b")))


def test_a_weight_that_another_program_changed_is_refused_unless_it_wrote_the_file_anew(tmp_path, content):
    arrays, texts, _ = content
    file = tmp_path / "net.safetensors"
    arrays = arrays | changed("best.0.W", (1, 1), 0.25)(arrays)
    save_file(arrays, file, texts)
    assert refused(file).startswith(", metadata sha256: expected the digest of this file, got other tensors or")
    save_file(arrays, file, {key: text for key, text in texts.items() if key != "sha256"})
    assert NET.layout.split(an.load(file).best.params)["0.W"][1, 1] == 0.25


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told in kB by Linux alone")
def test_a_huge_tensor_is_refused_before_it_is_read(tmp_path, content):
    raw = content[2]
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    last = max((name for name in header if name != "__metadata__"), key=lambda name: header[name]["data_offsets"])
    start, size = header[last]["data_offsets"][0], 1 << 34
    header[last] |= {"dtype": "F64", "shape": [size // 8], "data_offsets": [start, start + size]}
    text = json.dumps(header).encode()
    file = tmp_path / "net.safetensors"
    with file.open("wb") as opened:
        opened.write(len(text).to_bytes(8, "little") + text)
        opened.truncate(8 + len(text) + start + size)
    import resource  # Windows has no such module

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert f'tensor "{last}": expected' in refused(file)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # in kB


def _settings(kind):
    return {"n_in": 3, "n_out": 2, "init": {"class": "He"}, "bias_init": {"class": "Zeros"}} | kind


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (3, "layer 0: expected an object, got 3"),
        ({"class": ["Linear"]}, "layer 0: expected a class of anynet, got a list"),
        ({"class": "LeakyRelu"}, "layer 0: expected a class of anynet, got 'LeakyRelu'; did you mean \"LeakyReLU\"?"),
        ({"class": "ReLU", "n": 3}, "layer 0, ReLU: expected no settings, got n"),
        ({"class": "LeakyReLU", "slope": float("nan")}, "layer 0, LeakyReLU: slope: expected a number, got nan"),
        ({"class": "LeakyReLU", "slope": 10**400}, "layer 0, LeakyReLU: "),
        ({"class": "Linear", **_settings({"n_in": 3.0})}, "layer 0, Linear: n_in: expected a whole number, got 3.0"),
        ({"class": "Linear", **_settings({"init": {"class": "eval"}})}, "layer 0, init: expected a class of anynet"),
        ({"class": "BatchNorm", "n": 3, "momentum": 2.0, "eps": 0.1}, "layer 0, BatchNorm: BatchNorm(n=3"),
        ({"class": "Sequential", "layers": []}, "layer 0, Sequential: a Sequential needs at least one layer"),
        ({"class": "Sequential", "layers": [{"class": "x"}]}, "layer 0.0: expected a class of anynet, got 'x'"),
        ({"class": "Sequential", "layers": {}}, "layer 0, Sequential: expected a list of layers"),
        ({"class": "GELU", "approximate": 3}, "layer 0, GELU: GELU(approximate=3): expected approximate"),
        ({"class": "Dropout", "p": "0.5"}, "layer 0, Dropout: p: expected a number, got '0.5'"),
        ({"class": "Residual", "layers": []}, "layer 0, Residual: a Residual needs at least one layer"),
        ({"class": "Residual", "layers": [{"class": "x"}]}, "layer 0.0: expected a class of anynet, got 'x'"),
    ],
)  # fmt: skip
def test_descriptions_that_are_no_net_are_refused_by_layer(layer, said):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - compared below
        net_from_json({"class": "Sequential", "layers": [layer]})
    assert said in str(error.value)


def test_nets_too_deep_are_refused():
    deep = to_json(an.ReLU())
    for _ in range(5000):
        deep = {"class": "Sequential", "layers": [deep]}
    with pytest.raises(ValueError, match="expected fewer nets in each other"):
        net_from_json(deep)
