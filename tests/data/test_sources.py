"""Where images come from, in which order, and what is said when the first choice is not to be had."""

from pathlib import Path

import numpy as np
import pytest

from anynet.data import Batches, DataError, DownloadError, cifar10, load, sources, synthetic

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

    def fetch(cache):
        asked.append(("fetch", cache))
        return cache / "archive.tar.gz"

    def read(path):
        asked.append(("read", path))
        return small(official=True)

    def draw(seed=0):
        asked.append(("draw", seed))
        return small(official=False)

    for function in (fetch, read, draw):
        monkeypatch.setattr(sources, function.__name__, function)
    monkeypatch.setenv("ANYNET_CACHE", str(tmp_path))
    return asked


@pytest.fixture
def no_net(monkeypatch):
    def fetch(cache):
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
    assert asked == [("fetch", tmp_path), ("read", tmp_path / "archive.tar.gz")]
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
    def read(path):
        raise DataError(f"{path}: damaged")

    monkeypatch.setattr(sources, "read", read)
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
    for source in (str(tmp_path), tmp_path):
        assert load(source, **SIZES).name == "cifar10"
        assert cifar10(source, **SIZES).name == "cifar10"
    assert asked == [("read", tmp_path)] * 4


@pytest.mark.parametrize("source", ["auto", "cifar10", "synthetic", "."])
def test_the_sizes_are_passed_on(source, asked):
    dataset = load(source, train=3, val="data_batch_2,data_batch_3")
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (3, 20, 10)


def test_the_argument_with_a_path_that_is_none_is_named(tmp_path):
    where = str(tmp_path / "cifr")
    for function, name in ((load, "source"), (cifar10, "path"), (sources.find, "--data")):
        with pytest.raises(DataError, match=f'^{name}: there is no file or folder "{where}"'):
            function(where)


def test_by_default_45000_images_train_and_5000_validate(monkeypatch):
    asked = []
    monkeypatch.setattr(sources, "split", lambda name, batches, train, val: asked.append((name, train, val)))
    for function in (cifar10, synthetic, load):
        function()
    assert asked == [("cifar10", 45_000, 5_000), ("synthetic", 45_000, 5_000), ("cifar10", 45_000, 5_000)]
