import errno
import gzip
import hashlib
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from anynet.data import DataError
from anynet.data.cifar import files, formats
from anynet.data.dataset import Batches

BATCHES = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
COUNT = 12
RNG = np.random.default_rng(0)
IMAGES = {batch: RNG.integers(0, 256, (COUNT, 3072), np.uint8) for batch in BATCHES}
LABELS = {batch: RNG.permutation(np.arange(COUNT) % 10).tolist() for batch in BATCHES}


def dump(file: Path, **content) -> None:
    file.write_bytes(pickle.dumps(content, protocol=2))


@pytest.fixture
def python(tmp_path: Path) -> Path:
    folder = tmp_path / "python" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for batch in BATCHES:
        dump(folder / batch, batch_label="a batch", labels=LABELS[batch], data=IMAGES[batch], filenames=["x.png"])
    dump(folder / "batches.meta", num_cases_per_batch=COUNT, label_names=list(CLASSES), num_vis=3072)
    return folder


@pytest.fixture
def binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(formats, "BINARY_COUNT", COUNT)
    folder = tmp_path / "binary" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    for batch in BATCHES:
        records = (bytes([label]) + image.tobytes() for label, image in zip(LABELS[batch], IMAGES[batch], strict=True))
        (folder / f"{batch}.bin").write_bytes(b"".join(records))
    (folder / "batches.meta.txt").write_text("\n".join(CLASSES) + "\n\n")
    return folder


CLASSES_100 = [f"class {number}" for number in range(100)]
COUNTS_100 = {"train": 12, "test": 6}


@pytest.fixture
def hundred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CIFAR-100 of 18 images, as its official files are."""
    monkeypatch.setattr(formats, "CIFAR100_COUNTS", COUNTS_100)
    folder = tmp_path / "hundred" / "cifar-100-python"
    folder.mkdir(parents=True)
    for part, count in COUNTS_100.items():
        labels = {"fine_labels": [99 - i for i in range(count)], "coarse_labels": [i % 20 for i in range(count)]}
        images = IMAGES["data_batch_1"][:count]
        dump(folder / part, batch_label=part, filenames=["x.png"] * count, data=images, **labels)
    dump(folder / "meta", fine_label_names=CLASSES_100, coarse_label_names=["few"] * 20)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_cifar100_is_read_with_its_fine_labels(hundred, packed, monkeypatch):
    if packed:
        file = archive(hundred, "cifar-100-python.tar.gz")
        declare_official(monkeypatch, file, file.name)
        shutil.rmtree(hundred)
    batches = read(hundred.parent, "cifar100")
    assert (batches.classes, batches.sizes, batches.official) == (tuple(CLASSES_100), COUNTS_100, packed)
    for part, split in batches.splits.items():
        np.testing.assert_array_equal(split.x, IMAGES["data_batch_1"][: COUNTS_100[part]])
        assert split.y.tolist() == [99 - i for i in range(COUNTS_100[part])]


def test_cifar100_is_official_if_its_files_have_their_md5(hundred, monkeypatch):
    for part in COUNTS_100:
        monkeypatch.setitem(formats.FORMATS[2].batch_md5, part, hashlib.md5((hundred / part).read_bytes()).hexdigest())
    assert read(hundred, "cifar100").official


def test_a_label_beyond_the_hundred_is_named(hundred):
    dump(hundred / "test", data=IMAGES["test_batch"][:6], fine_labels=[0, 99, 100, 1, 2, 3])
    with pytest.raises(DataError, match=rf"^{hundred / 'test'}: expected labels 0\.\.99, got 100 at index 2"):
        files.read(hundred)


def test_another_number_of_images_in_cifar100_is_named(hundred):
    dump(hundred / "test", data=IMAGES["test_batch"][:5], fine_labels=[0] * 5)
    with pytest.raises(DataError, match=rf"^{hundred / 'test'}: expected 6 images and as many labels, got 5"):
        files.read(hundred)


def test_the_set_that_is_wanted_alone_is_read(hundred, python):
    shutil.move(python, hundred.parent)
    assert read(hundred.parent).classes == CLASSES
    name, batches = files.read(hundred.parent, "cifar100")
    assert (name, batches.classes) == ("cifar100", tuple(CLASSES_100))
    with pytest.raises(DataError, match=f"^{hundred}: expected CIFAR-10, got none; give a folder cifar-10-batches-py"):
        files.read(hundred, "cifar10")


def test_a_single_file_of_a_name_of_cifar100_is_no_cifar100(tmp_path):
    (tmp_path / "train").touch()
    assert not files.holds(tmp_path)


def archive(folder: Path, name: str) -> Path:
    """Pack ``folder`` as the official archives are packed: the folder first, the meta file amid the batches."""
    file = folder.parent / name
    with tarfile.open(file, "w:gz") as tar:
        tar.add(folder, folder.name, recursive=False)
        for member in sorted(folder.iterdir(), reverse=True):
            tar.add(member, f"{folder.name}/{member.name}")
    return file


def declare_official(monkeypatch: pytest.MonkeyPatch, file: Path, name: str) -> None:
    md5 = hashlib.md5(file.read_bytes()).hexdigest()
    changed = (replace(fmt, archive_md5=md5) if fmt.archive == name else fmt for fmt in formats.FORMATS)
    monkeypatch.setattr(formats, "FORMATS", tuple(changed))


def read(path: Path, name: str = "cifar10") -> Batches:
    found, batches = files.read(path)
    assert found == name
    return batches


def check(batches: Batches) -> None:
    assert list(batches.splits) == BATCHES
    assert batches.classes == CLASSES
    for batch, split in batches.splits.items():
        assert split.x.dtype == np.uint8
        assert split.x.flags.writeable
        assert split.y.dtype == np.int64
        np.testing.assert_array_equal(split.x, IMAGES[batch])
        np.testing.assert_array_equal(split.y, LABELS[batch])


@pytest.mark.parametrize("form", ["python", "binary"])
def test_folder_is_read_by_itself_and_by_the_folder_that_holds_it(form, request):
    folder = request.getfixturevalue(form)
    for path in (folder, folder.parent):
        batches = read(path)
        check(batches)
        assert not batches.official
    check(read(folder.rename(folder.with_name("renamed"))))


@pytest.mark.parametrize("form", ["python", "binary"])
def test_archive_is_read_without_unpacking_it(form, request, monkeypatch):
    folder = request.getfixturevalue(form)
    name = f"cifar-10-{form}.tar.gz"
    file = archive(folder, name)
    declare_official(monkeypatch, file, name)
    shutil.rmtree(folder)
    for path in (file, file.parent):
        batches = read(path)
        check(batches)
        assert batches.official
    check(read(file.rename(file.with_name("renamed.tgz"))))
    assert [entry.name for entry in file.parent.iterdir()] == ["renamed.tgz"]


def test_the_sum_of_an_archive_that_is_known_to_be_official_is_not_computed(python):
    file = archive(python, "cifar-10-python.tar.gz")
    name, batches = files.read_official(file, formats.FORMATS[0])
    check(batches)
    assert (name, batches.official) == ("cifar10", True)


def test_the_file_is_named_where_reading_fails(python, monkeypatch):
    def fail(stream, size):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files, "read_content", fail)
    with pytest.raises(OSError, match="Input/output error") as caught:
        read(python)
    assert caught.value.filename == str(python / "batches.meta")


def test_folder_goes_before_an_archive_next_to_it(python):
    (python.parent / "cifar-10-python.tar.gz").write_bytes(b"half a download")
    check(read(python.parent))


def test_byte_string_keys_and_names_are_read(python):
    for file in python.iterdir():
        content = pickle.loads(file.read_bytes())
        if "label_names" in content:
            content["label_names"] = [name.encode() for name in content["label_names"]]
        file.write_bytes(pickle.dumps({key.encode(): value for key, value in content.items()}))
    check(read(python))


def test_pickled_batches_are_official_if_each_has_its_md5(python, monkeypatch):
    for batch in BATCHES:
        monkeypatch.setitem(formats.FORMATS[0].batch_md5, batch, hashlib.md5((python / batch).read_bytes()).hexdigest())
    assert read(python).official
    for batch in BATCHES:
        with monkeypatch.context() as patch:
            patch.setitem(formats.FORMATS[0].batch_md5, batch, "0" * 32)
            assert not read(python).official


@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "cifar-10-binary.tar.gz", "other.tar.gz"])
def test_archive_that_is_not_official_is_an_error(python, name):
    file = archive(python, name)
    with pytest.raises(DataError) as caught:
        read(file)
    message = str(caught.value)
    assert str(file) in message
    assert hashlib.md5(file.read_bytes()).hexdigest() in message
    assert "c58f30108f718f92721af3b95e74349a" in message
    assert "c32a1d4ab5d03f1284b67883e8d87530" in message
    assert "download it again" in message
    assert "unpack it and give the folder" in message


def test_path_without_cifar10_is_an_error_that_says_what_is_accepted(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not images")
    for path in (tmp_path, file, tmp_path / "absent"):
        with pytest.raises(DataError) as caught:
            read(path)
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        for form in ("batches-py", "batches-bin", "python.tar.gz", "binary.tar.gz"):
            assert f"cifar-10-{form}" in message


@pytest.mark.parametrize("form", ["python", "binary"])
def test_missing_files_are_all_named_with_their_folder(form, request):
    folder = request.getfixturevalue(form)
    missing = [name for name in os.listdir(folder) if "meta" in name or "batch_2" in name or "test" in name]
    for name in missing:
        (folder / name).unlink()
    with pytest.raises(DataError) as caught:
        read(folder.parent)
    assert str(folder) in str(caught.value)
    for name in os.listdir(folder):
        assert name not in str(caught.value)
    assert len(missing) == 3
    for name in missing:
        assert name in str(caught.value)


DAMAGED_BATCHES = {
    "fewer images": ({"data": IMAGES["test_batch"][:5], "labels": LABELS["test_batch"][:5]}, "expected 12 .* got 5"),
    "fewer labels": ({"labels": LABELS["test_batch"][:11]}, "12 images and 11 labels"),
    "more labels": ({"labels": LABELS["test_batch"] * 2}, "12 images and 24 labels"),
    "wrong width": ({"data": np.zeros((COUNT, 3071), np.uint8)}, r"\(n, 3072\).* uint8, got \(12, 3071\) uint8"),
    "four axes": ({"data": np.zeros((COUNT, 3, 32, 32), np.uint8)}, r"got \(12, 3, 32, 32\)"),
    "wrong dtype": ({"data": np.zeros((COUNT, 3072), np.float32)}, "got .* float32"),
    "signed": ({"data": np.zeros((COUNT, 3072), np.int8)}, "got .* int8"),
    "no array": ({"data": [1, 2]}, "expected ndarray 'data', got list"),
    "labels of an array": ({"labels": np.zeros(COUNT)}, r"an integer dtype, got \(12,\) float64"),
    "labels of two axes": ({"labels": np.zeros((COUNT, 1), int)}, r"labels of shape \(n,\).*got \(12, 1\) int64"),
    "label beyond in an array": ({"labels": np.arange(COUNT)}, r"labels 0\.\.9, got 10 at index 10"),
    "labels of fractions": ({"labels": [*[3] * 11, 1.5]}, r"labels 0\.\.9, got 1\.5 at index 11"),
    "label without end": ({"labels": [*[3] * 11, 10**60]}, r"labels 0\.\.9, got a long number at index 11"),
    "label beyond": ({"labels": [0, 9, 10, *[3] * 9]}, r"labels 0\.\.9, got 10 at index 2"),
    "negative label": ({"labels": [*[3] * 11, -1]}, r"labels 0\.\.9, got -1 at index 11"),
    "label of text": ({"labels": ["cat"] * COUNT}, r"labels 0\.\.9, got 'cat' at index 0"),
}


@pytest.mark.parametrize("change", DAMAGED_BATCHES)
def test_damaged_pickled_batch_is_an_error_naming_the_file(python, change):
    content, message = DAMAGED_BATCHES[change]
    file = python / "test_batch"
    dump(file, **{"data": IMAGES["test_batch"], "labels": LABELS["test_batch"]} | content)
    with pytest.raises(DataError, match=message) as caught:
        read(python)
    assert str(caught.value).startswith(f"{file}: ")


@pytest.mark.parametrize("key", ["data", "labels"])
def test_pickled_batch_without_a_key_is_an_error_naming_both(python, key):
    content = {"data": IMAGES["test_batch"], "labels": LABELS["test_batch"]}
    del content[key]
    dump(python / "data_batch_4", **content)
    with pytest.raises(DataError, match=f"data_batch_4: .*{key}.*got nothing"):
        read(python)


@pytest.mark.parametrize("content", [b"", b"<html>", None])
@pytest.mark.parametrize("name", ["batches.meta", "data_batch_5"])
def test_truncated_or_foreign_pickle_is_an_error_naming_the_file(python, name, content):
    file = python / name
    file.write_bytes(file.read_bytes()[:-40] if content is None else content)
    with pytest.raises(DataError, match=f"{name}: "):
        read(python)


@pytest.mark.parametrize(
    "meta",
    [
        {"label_names": list(CLASSES)},
        {"label_names": list(CLASSES), "num_cases_per_batch": "12"},
        {"label_names": list(CLASSES[:9]), "num_cases_per_batch": COUNT},
        {"label_names": list(range(10)), "num_cases_per_batch": COUNT},
        {"num_cases_per_batch": COUNT},
        {"label_names": list(CLASSES), "num_cases_per_batch": 10**12},
        {"label_names": list(CLASSES), "num_cases_per_batch": -1},
        {"label_names": [*CLASSES[:9], "a\x1b[2J\nb"], "num_cases_per_batch": COUNT},
        {"label_names": [*CLASSES[:9], "a" * 10**6], "num_cases_per_batch": COUNT},
    ],
)
def test_damaged_meta_is_an_error_naming_the_file(python, meta):
    dump(python / "batches.meta", **meta)
    with pytest.raises(DataError, match=r"batches\.meta: "):
        read(python)


@pytest.mark.parametrize(
    "labels",
    [
        lambda labels: np.asarray(labels),
        lambda labels: np.asarray(labels, np.uint8),
        lambda labels: list(np.asarray(labels)),
    ],
    ids=["array", "bytes", "scalars"],
)
@pytest.mark.parametrize("protocol", range(6))
def test_batches_saved_again_are_read(python, protocol, labels):
    for batch in BATCHES:
        content = {
            b"data": np.asfortranarray(IMAGES[batch]),
            b"labels": labels(LABELS[batch]),
            b"filenames": [b"x.png"],
        }
        (python / batch).write_bytes(pickle.dumps(content, protocol))
    check(read(python))


@pytest.mark.parametrize("form", ["python", "binary"])
@pytest.mark.parametrize("which", ["meta", "data_batch_2"])
def test_a_file_without_end_is_not_read(form, which, request):
    folder = request.getfixturevalue(form)
    (file,) = (path for path in folder.iterdir() if which in path.name)
    with file.open("ab") as stream:
        stream.truncate(100 << 30)  # takes no space on the disk
    with pytest.raises(DataError, match=rf"{file.name}: expected at most \d+ bytes, got {100 << 30}") as caught:
        read(folder)
    assert str(caught.value).startswith(f"{file}: ")


def claims(folder: Path, **changes) -> Path:
    """Pack one member whose header claims something else; nothing of it must be unpacked."""
    file = folder.parent / "cifar-10-python.tar.gz"
    member = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
    for name, value in changes.items():
        setattr(member, name, value)
    with gzip.open(file, "wb") as stream:
        stream.write(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    return file


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 100 << 30},
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"type": tarfile.LNKTYPE, "linkname": "../../secret"},
        {"type": tarfile.CHRTYPE},
        {"name": "../../escaped"},
        {"name": "/tmp/escaped"},
    ],
    ids=lambda changes: ",".join(changes),
)
def test_an_archive_that_lies_is_not_unpacked(python, changes):
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz: expected md5") as caught:
        read(claims(python, **changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", gzip.compress(b"no tar"), gzip.compress(bytes(10**7))[:-9]],
    ids=["empty", "garbage", "no tar", "cut off"],  # compressed bytes have the time in them
)
def test_an_archive_that_is_none_is_an_error(tmp_path, content):
    file = tmp_path / "cifar-10-binary.tar.gz"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"cifar-10-binary\.tar\.gz: expected md5"):
        read(file)


def test_an_archive_without_end_is_not_read(tmp_path):
    file = tmp_path / "cifar-10-binary.tar.gz"
    with file.open("wb") as stream:
        stream.truncate(100 << 30)
    with pytest.raises(DataError, match=f"an official archive of at most 200000000 bytes, got {100 << 30}; delete it"):
        read(file)


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data[:-3073], lambda data: data + b"x"])
def test_binary_batch_of_another_size_is_an_error(binary, change):
    file = binary / "data_batch_3.bin"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(DataError, match=f"expected {COUNT * 3073} bytes .* got {file.stat().st_size} bytes") as caught:
        read(binary)
    assert str(caught.value).startswith(f"{file}: ")


def test_binary_label_outside_the_classes_is_an_error(binary):
    file = binary / "data_batch_3.bin"
    content = bytearray(file.read_bytes())
    content[7 * 3073] = 255
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"data_batch_3\.bin: .*got 255 at index 7"):
        read(binary)


def test_binary_meta_of_nine_names_is_an_error(binary):
    (binary / "batches.meta.txt").write_text("\n".join(CLASSES[:9]))
    with pytest.raises(DataError, match=r"batches\.meta\.txt: expected 10 class names"):
        read(binary)


def test_binary_batches_are_10000_records():
    assert formats.BINARY_COUNT == 10_000


@pytest.fixture(scope="module")
def real() -> Batches:
    folder = os.environ.get("ANYNET_TEST_CIFAR10")
    if not folder:
        pytest.skip("set ANYNET_TEST_CIFAR10 to a folder that holds cifar-10-batches-py to test with real images")
    return read(Path(folder))


def test_real_batches_hold_the_known_labels(real):
    assert list(real.splits) == BATCHES
    assert real.classes == CLASSES
    assert real.splits["data_batch_1"].y[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    if len(real.splits["test_batch"]) == 10_000:
        training = np.concatenate([real.splits[batch].y for batch in BATCHES[:5]])
        assert np.bincount(training).tolist() == [5000] * 10
        assert np.bincount(real.splits["test_batch"].y).tolist() == [1000] * 10


def test_real_images_are_photographs(real):
    """Neighboring pixels resemble each other only if channels, rows and columns are where they should be."""
    images = real.splits["test_batch"].x[:500].reshape(-1, 3, 32, 32).astype(float)
    for axis in (2, 3):
        assert np.abs(np.diff(images, axis=axis)).mean() < 0.3 * images.std()


READ = """
import gc, sys
from pathlib import Path
from anynet.data.cifar import files

def memory(kind):
    line, = (line for line in open("/proc/self/status") if line.startswith(kind))
    return int(line.split()[1]) / 1024

before = memory("VmRSS")
batches = files.read(Path(sys.argv[1]))
gc.collect()
print(memory("VmRSS") - before, memory("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory of a process is told by Linux alone")
def test_reading_takes_the_memory_of_the_images_and_of_two_files(tmp_path):
    count, size = 5000, 5000 * 3072 / 2**20
    for batch in BATCHES:  # in protocol 3, byte strings are as in the official files
        content = {"data": np.ones((count, 3072), np.uint8), "labels": [1] * count}
        (tmp_path / batch).write_bytes(pickle.dumps(content, protocol=3))
    dump(tmp_path / "batches.meta", num_cases_per_batch=count, label_names=list(CLASSES))
    command = [sys.executable, "-c", READ, str(tmp_path)]
    stays, peak = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    slack = 0.75 * size  # of modules, of threads, and of the lists of labels
    assert 6 * size < stays < 6 * size + slack
    assert peak < (6 + 2) * size + slack
