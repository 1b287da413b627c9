"""Where images come from, in which order, and what is said when the first choice is not to be had."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from anynet.data import Batches, DataError, DownloadError, cifar10, load, sources, synthetic
from anynet.data.sets import SETS

NO_NET = "the server could not be reached; try again later"
DRAWN = "Training on the synthetic set instead: drawn images, not CIFAR-10."
SIZES = {"train": 40, "val": 10}


def small(official):
    sizes = dict.fromkeys([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"], 10)
    return Batches(np.zeros((60, 3072), np.uint8), np.tile(np.arange(10), 6), sizes, tuple("abcdefghij"), official)


@pytest.fixture(autouse=True)
def asked(monkeypatch, tmp_path):
    """What the sources are asked for, in order; there is a cache, and what is drawn or read is small."""
    asked = []

    def fetch(official, cache):
        asked.append(("fetch", official.name, cache))
        return cache / official.name

    def draw(seed=0):
        asked.append(("draw", seed))
        return small(official=False)

    def read_cifar(path, name="cifar10"):
        asked.append(("read", path))
        return name, small(official=True)

    def read_checked(path, name):
        asked.append(("read without sums", path))
        return name, small(official=True)

    for function in (fetch, draw):
        monkeypatch.setattr(sources, function.__name__, function)
    monkeypatch.setattr(sources.cifar, "read", read_cifar)
    for name, official in SETS.items():
        monkeypatch.setitem(
            SETS,
            name,
            replace(official, read=partial(read_cifar, name=name), read_checked=partial(read_checked, name=name)),
        )
    monkeypatch.setenv("ANYNET_CACHE", str(tmp_path))
    return asked


@pytest.fixture
def no_net(monkeypatch):
    def fetch(official, cache):
        raise DownloadError(NO_NET)

    monkeypatch.setattr(sources, "fetch", fetch)


@pytest.mark.parametrize("source", ["auto", "cifar10"])
def test_the_folder_that_the_environment_names_comes_first(source, asked, monkeypatch, capsys):
    monkeypatch.setenv("ANYNET_DATA", "some/folder")
    dataset = load(source, **SIZES)
    assert asked == [("read", Path("some/folder"))]
    assert (dataset.name, dataset.official) == ("cifar10", True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("source", ["auto", "cifar10"])
@pytest.mark.parametrize("variable", [None, ""])
def test_then_comes_the_cache(source, variable, asked, monkeypatch, tmp_path, capsys):
    if variable is not None:
        monkeypatch.setenv("ANYNET_DATA", variable)
    assert load(source, **SIZES).name == "cifar10"
    assert asked == [("fetch", "cifar10", tmp_path), ("read without sums", tmp_path / "cifar10")]
    assert capsys.readouterr() == ("", "")


def test_auto_is_the_default(asked, no_net):
    assert load(**SIZES).name == "synthetic"


def test_auto_draws_where_nothing_can_be_downloaded_and_says_so(asked, no_net, capsys):
    dataset = load("auto", **SIZES)
    assert asked == [("draw", 0)]
    assert (dataset.name, dataset.official) == ("synthetic", False)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"{NO_NET}\n{DRAWN}\n"


def test_cifar10_does_not_draw_where_nothing_can_be_downloaded(asked, no_net):
    for cannot in (lambda: load("cifar10", **SIZES), lambda: cifar10(**SIZES)):
        with pytest.raises(DownloadError, match=NO_NET):
            cannot()
    assert asked == []


@pytest.mark.parametrize("where", ["environment", "cache"])
def test_auto_does_not_draw_where_what_there_is_is_damaged(where, asked, monkeypatch, tmp_path):
    def read(path, name=None):
        raise DataError(f"{path}: damaged")

    monkeypatch.setattr(sources.cifar, "read", read)
    monkeypatch.setitem(SETS, "cifar10", replace(SETS["cifar10"], read_checked=read))
    if where == "environment":
        monkeypatch.setenv("ANYNET_DATA", str(tmp_path))
    with pytest.raises(DataError, match=f"{tmp_path}.*: damaged"):
        load("auto", **SIZES)
    assert ("draw", 0) not in asked


def test_synthetic_is_drawn_whatever_there_is(asked, monkeypatch):
    monkeypatch.setenv("ANYNET_DATA", "some/folder")
    assert load("synthetic", **SIZES).name == "synthetic"
    assert synthetic(seed=7, **SIZES).name == "synthetic"
    assert asked == [("draw", 0), ("draw", 7)]


def test_a_path_is_read_whatever_there_is(asked, monkeypatch, tmp_path):
    monkeypatch.setenv("ANYNET_DATA", "some/folder")
    (tmp_path / "cifar-10-python.tar.gz").touch()
    for source in (str(tmp_path), tmp_path):
        assert load(source, **SIZES).name == "cifar10"
        assert cifar10(source, **SIZES).name == "cifar10"
    assert asked == [("read", tmp_path)] * 4


@pytest.mark.parametrize("name", ["cifar100", "mnist", "fashion-mnist"])
def test_official_sets_come_from_the_cache_if_the_environment_does_not_have_them(name, asked, monkeypatch, tmp_path):
    monkeypatch.setenv("ANYNET_DATA", str(tmp_path))
    assert load(name, **SIZES).name == name
    assert asked == [("fetch", name, tmp_path), ("read without sums", tmp_path / name)]


@pytest.mark.parametrize("name", ["cifar100", "mnist"])
@pytest.mark.parametrize("inside", [False, True])
def test_official_sets_are_taken_from_the_environment_without_a_download(name, inside, asked, monkeypatch, tmp_path):
    folder = tmp_path / name if inside else tmp_path
    folder.mkdir(exist_ok=True)
    for file in SETS[name].files:
        with (folder / file.name).open("wb") as stream:
            stream.truncate(file.size)
    monkeypatch.setenv("ANYNET_DATA", str(tmp_path))
    assert load(name, **SIZES).name == name
    assert asked == [("read", folder / "cifar-100-python.tar.gz" if name == "cifar100" else folder)]


def test_other_files_than_the_official_ones_are_refused_where_the_environment_has_them(monkeypatch, tmp_path):
    for file in SETS["mnist"].files:
        with (tmp_path / file.name).open("wb") as stream:
            stream.truncate(file.size)
    monkeypatch.setitem(SETS, "mnist", replace(SETS["mnist"], read=lambda path: ("other", small(official=False))))
    monkeypatch.setenv("ANYNET_DATA", str(tmp_path))
    with pytest.raises(DataError, match=f"^{tmp_path}: expected the official files of MNIST, got others"):
        load("mnist")


def test_a_set_that_cannot_be_downloaded_is_not_replaced(no_net):
    with pytest.raises(DownloadError, match=NO_NET):
        load("mnist")


def test_a_folder_without_a_set_is_refused_with_what_is_accepted(tmp_path):
    for path in (tmp_path, tmp_path / "notes.txt"):
        if path != tmp_path:
            path.touch()
        with pytest.raises(DataError, match=f"^{path}: expected a data set, got none; give a folder of class folders"):
            load(path)


def test_a_name_that_is_nearly_one_is_named():
    with pytest.raises(DataError, match=r'there is no file or folder "fashion_mnist".*fashion-mnist'):
        load("fashion_mnist")


@pytest.mark.parametrize("source", ["auto", "cifar10", "synthetic"])
def test_the_sizes_are_passed_on(source, asked):
    dataset = load(source, train=3, val="data_batch_2,data_batch_3")
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (3, 20, 10)


def test_the_argument_with_a_path_that_is_none_is_named(tmp_path):
    where = str(tmp_path / "cifr")
    for function, name in ((load, "source"), (cifar10, "path"), (sources.find, "--data")):
        with pytest.raises(DataError, match=f'^{name}: there is no file or folder "{where}"'):
            function(where)


def test_by_default_45000_images_train_and_5000_validate(monkeypatch):
    sizes = dict.fromkeys([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"], 10_000)
    every = Batches(np.zeros((60_000, 1), np.uint8), np.arange(60_000), sizes, ("a",), official=True, shape=(1, 1, 1))
    monkeypatch.setattr(sources, "find", lambda *_: ("cifar10", every))
    monkeypatch.setattr(sources, "draw", lambda *_: every)
    for function in (cifar10, synthetic, load):
        dataset = function()
        assert dataset.train.y.tolist() == list(range(45_000))
        assert dataset.val.y.tolist() == list(range(45_000, 50_000))
        assert dataset.test.y.tolist() == list(range(50_000, 60_000))
