"""Sets of several files, downloaded from a mirror on this machine."""

import hashlib
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from test_idx import TEST, TEST_LABELS, TRAIN, TRAIN_LABELS, declare_official, write

from anynet.data import DownloadError, download, load, mnist, transfer
from anynet.data.sets import SETS, RemoteFile


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A folder that a server on this machine serves, and a cache; the official servers cannot be reached."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    server.folder, address = folder, f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("ANYNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ANYNET_MIRROR", address)
    monkeypatch.setattr(transfer, "WAITS", ())
    for name in ("mnist", "fashion-mnist"):
        monkeypatch.setitem(SETS, name, replace(SETS[name], servers=()))
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def publish(monkeypatch, folder, name, *arrays):
    """Let files in a folder be the official ones of a set."""
    folder.mkdir(exist_ok=True)
    write(folder, arrays or (TRAIN, TRAIN_LABELS, TEST, TEST_LABELS))
    declare_official(monkeypatch, folder, name)
    contents = [(folder / file).read_bytes() for file in mnist.FILES]
    files = zip(mnist.FILES, contents, strict=True)
    sized = tuple(RemoteFile(file, len(content), hashlib.md5(content).hexdigest()) for file, content in files)
    monkeypatch.setitem(SETS, name, replace(SETS[name], files=sized))


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_a_set_of_four_files_is_downloaded_once(name, mirror, monkeypatch, tmp_path, capsys):
    publish(monkeypatch, mirror.folder / name, name)
    monkeypatch.delattr(mnist, "_md5")  # the sums that `fetch` compares are enough
    for _ in range(2):
        dataset = load(name)
        assert (dataset.name, dataset.official, dataset.train.shape) == (name, True, (1, 5, 4))
        np.testing.assert_array_equal(dataset.train.x.reshape(-1, 5, 4), TRAIN[:11])
        np.testing.assert_array_equal(dataset.val.y, TRAIN_LABELS[11:])
        np.testing.assert_array_equal(dataset.test.x.reshape(-1, 5, 4), TEST)
    assert mirror.asked == [f"/{name}/{file}" for file in mnist.FILES]
    assert {path.name for path in (tmp_path / "cache" / name).iterdir()} >= set(mnist.FILES)
    assert capsys.readouterr() == ("", "")


def test_two_sets_with_the_same_file_names_are_kept_apart(mirror, monkeypatch):
    publish(monkeypatch, mirror.folder / "mnist", "mnist")
    publish(monkeypatch, mirror.folder / "fashion-mnist", "fashion-mnist", TRAIN + 1, TRAIN_LABELS, TEST, TEST_LABELS)
    for _ in range(2):
        np.testing.assert_array_equal(load("mnist").test.x.reshape(-1, 5, 4), TEST)
        np.testing.assert_array_equal(load("fashion-mnist").train.x.reshape(-1, 5, 4), TRAIN[:11] + 1)


def test_a_mirror_of_one_set_needs_no_folder_for_it(mirror, monkeypatch):
    publish(monkeypatch, mirror.folder, "mnist")
    assert load("mnist").official


def test_damaged_files_in_the_cache_alone_are_replaced(mirror, monkeypatch, tmp_path, capsys):
    publish(monkeypatch, mirror.folder / "mnist", "mnist")
    load("mnist")
    mirror.asked.clear()
    labels = tmp_path / "cache" / "mnist" / mnist.FILES[3]
    labels.write_bytes(b"damaged")
    assert load("mnist").official
    assert mirror.asked == [f"/mnist/{mnist.FILES[3]}"]
    assert f"{labels}: expected " in capsys.readouterr().err


def test_a_file_that_the_mirror_lacks_is_named_with_what_to_do(mirror, monkeypatch, tmp_path):
    publish(monkeypatch, mirror.folder / "mnist", "mnist")
    (mirror.folder / "mnist" / mnist.FILES[2]).unlink()
    with pytest.raises(DownloadError, match=r"t10k-images-idx3-ubyte\.gz answered 404 File not found") as caught:
        load("mnist")
    message = str(caught.value)
    assert "\n" not in message
    assert "--data DIR with a copy of MNIST" in message
    assert f"put {' '.join(mnist.FILES)} into {tmp_path / 'cache' / 'mnist'}" in message
    assert not download.is_complete(SETS["mnist"], tmp_path / "cache" / "mnist")


def test_files_in_the_folder_of_the_environment_need_no_network(mirror, monkeypatch, tmp_path):
    publish(monkeypatch, tmp_path / "mine", "mnist")
    monkeypatch.setenv("ANYNET_DATA", str(tmp_path / "mine"))
    assert load("mnist").official
    assert mirror.asked == []
