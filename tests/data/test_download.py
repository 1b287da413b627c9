import ast
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import CONTENT, NAME, Server

from anynet.core.meter import progress_shown
from anynet.data import DownloadError, download, transfer
from anynet.data.sets import SETS, RemoteFile

MD5 = hashlib.md5(CONTENT).hexdigest()
PART, LOCK = f"{NAME}.part", f"{NAME}.lock"


def fetch(cache: Path) -> Path:
    return download.fetch(SETS["cifar10"], cache)


def serve_from(patch: pytest.MonkeyPatch, *servers: str) -> None:
    patch.setitem(SETS, "cifar10", replace(SETS["cifar10"], servers=servers))


@pytest.fixture(autouse=True)
def small_archive(monkeypatch):
    """CONTENT is the official archive, and tries follow each other at once."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setitem(SETS, "cifar10", replace(SETS["cifar10"], files=(RemoteFile(NAME, len(CONTENT), MD5),)))
    monkeypatch.setattr(transfer, "WAITS", (0, 0))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    with Server() as server:
        serve_from(monkeypatch, server.address)
        yield server


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch):
    with Server() as server:
        monkeypatch.setenv("ANYNET_MIRROR", f"{server.address}/folder/")
        yield server


@pytest.fixture
def nowhere():
    """An address at which connections are refused."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening
        yield f"http://127.0.0.1:{closed.getsockname()[1]}"


def kept(cache):
    return sorted(set(os.listdir(cache)) - {LOCK})


def check_advice(message: str, cache: Path) -> None:
    assert "\n" not in message
    assert "--data synthetic" in message
    assert "--data DIR" in message
    assert f"put {NAME} into {cache}" in message


OFFICIAL = {
    "cifar10": ["cifar-10-python.tar.gz 170498071 c58f30108f718f92721af3b95e74349a"],
    "cifar100": ["cifar-100-python.tar.gz 169001437 eb9058c3a382ffc7106e4002c42a8d85"],
    "mnist": [
        "train-images-idx3-ubyte.gz 9912422 f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz 28881 d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz 1648877 9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz 4542 ec29112dd5afa0611ce80d1b7f02629c",
    ],
    "fashion-mnist": [
        "train-images-idx3-ubyte.gz 26421880 8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz 29515 25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz 4422102 bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz 5148 bb300cfdad3c16e7a12a480ee83cd310",
    ],
}
"""Files as torchvision 0.20 and the logs of its downloads know them."""


def test_constants_are_the_official_ones():
    code = (
        "from anynet.data.sets import SETS; "
        "print({name: [f'{f.name} {f.size} {f.md5}' for f in each.files] for name, each in SETS.items()})"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(result.stdout) == OFFICIAL
    assert transfer.ANSWER_SECONDS < 10


def test_file_is_downloaded_once_into_a_cache_that_is_made(server, tmp_path, capfd):
    cache = tmp_path / "deep" / "cache"
    for _ in range(2):
        file = fetch(cache)
        assert file == cache / NAME
        assert file.read_bytes() == CONTENT
    assert server.ranges == [None]
    assert kept(cache) == [NAME]
    assert capfd.readouterr() == ("", "")  # no progress bar where no terminal is


def test_a_command_says_how_much_is_downloaded(server, tmp_path, capsys):
    with progress_shown(True):
        fetch(tmp_path)
    said = capsys.readouterr().err.splitlines()
    assert 1 <= len(said) <= 2  # the first piece and the last
    assert said[-1] == f"{NAME}: {len(CONTENT) / 1e6:.0f} of {len(CONTENT) / 1e6:.0f} MB"


def test_file_in_the_cache_needs_no_network(monkeypatch, tmp_path):
    (tmp_path / NAME).write_bytes(CONTENT)
    monkeypatch.setattr(socket, "getaddrinfo", None)
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert os.listdir(tmp_path) == [NAME]  # nothing is written: the cache may be read-only


DAMAGED = {
    "699,999 bytes": CONTENT[:-1],
    f"md5 {hashlib.md5(CONTENT[:-1] + b'!').hexdigest()}": CONTENT[:-1] + b"!",
}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("got", DAMAGED)
def test_damaged_file_in_the_cache_is_named_and_downloaded_again(tmp_path, capsys, got):
    (tmp_path / NAME).write_bytes(DAMAGED[got])
    assert fetch(tmp_path).read_bytes() == CONTENT
    expected = f"{tmp_path / NAME}: expected 700,000 bytes, md5 {MD5}, got {got}; replaced by a new download\n"
    assert capsys.readouterr() == ("", expected)


@pytest.mark.usefixtures("server")
def test_a_huge_file_in_the_cache_is_not_read(tmp_path, capsys):
    with (tmp_path / NAME).open("wb") as file:
        file.truncate(1 << 36)  # would take minutes
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert "got 68,719,476,736 bytes; replaced" in capsys.readouterr().err


def test_damaged_file_in_the_cache_is_named_and_kept_without_a_network(nowhere, tmp_path, monkeypatch):
    serve_from(monkeypatch, nowhere)
    (tmp_path / NAME).write_bytes(b"garbage")
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 could not be reached") as caught:
        fetch(tmp_path)
    advice = f"delete {tmp_path / NAME} or replace it, since it has 7 bytes instead of 700,000 bytes, md5 {MD5}"
    assert advice in str(caught.value)
    check_advice(str(caught.value), tmp_path)
    assert (tmp_path / NAME).read_bytes() == b"garbage"


def test_dropped_download_goes_on_where_it_stopped(server, tmp_path):
    server.breaks = [393_216]
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=393216-"]
    assert kept(tmp_path) == [NAME]


def test_download_dropped_three_times_goes_on_when_it_is_called_again(server, tmp_path):
    server.breaks = [131_072, 327_680, 393_216]
    with pytest.raises(DownloadError, match="broke off after 393216 of 700000 bytes, which are kept") as caught:
        fetch(tmp_path)
    check_advice(str(caught.value), tmp_path)
    assert kept(tmp_path) == [PART]
    assert (tmp_path / PART).read_bytes() == CONTENT[:393_216]
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=131072-", "bytes=327680-", "bytes=393216-"]
    assert kept(tmp_path) == [NAME]


def test_server_that_ignores_ranges_starts_anew(server, tmp_path):
    server.knows_ranges = False
    (tmp_path / PART).write_bytes(CONTENT[:1000])
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-"]


def test_server_that_sends_another_range_is_asked_anew(server, tmp_path):
    server.wrong_range = True
    (tmp_path / PART).write_bytes(CONTENT[:1000])
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-", None]


def test_part_of_another_file_is_discarded(server, tmp_path):
    (tmp_path / PART).write_bytes(b"x" * 1000)
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-", None]


def test_part_beyond_the_end_is_discarded(server, tmp_path):
    (tmp_path / PART).write_bytes(CONTENT + b"more")
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None]


def test_large_part_is_not_read(server, tmp_path):
    (tmp_path / PART).touch()
    os.truncate(tmp_path / PART, 1 << 40)  # its sum would take an hour
    assert fetch(tmp_path).read_bytes() == CONTENT


def test_whole_part_needs_no_network(nowhere, tmp_path, monkeypatch):
    serve_from(monkeypatch, nowhere)
    (tmp_path / PART).write_bytes(CONTENT)
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert kept(tmp_path) == [NAME]


def test_wrong_md5_is_an_error_and_leaves_nothing(server, tmp_path):
    server.content = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    with pytest.raises(DownloadError, match=f"{NAME}: expected md5 {MD5}, got [0-9a-f]+, which is another") as caught:
        fetch(tmp_path)
    check_advice(str(caught.value), tmp_path)
    assert kept(tmp_path) == []
    assert server.ranges == [None]


@pytest.mark.parametrize("length", [None, ""])
def test_other_file_is_refused_before_it_is_taken(server, tmp_path, length):
    server.content, server.length = b"<!DOCTYPE html><title>Please log in</title>", length
    (tmp_path / PART).write_bytes(CONTENT[:10])
    server.knows_ranges = False
    found = (
        "expected 700000 bytes, got 43" if length is None else "expected a gzip file, got one that begins with b'<!DOC"
    )
    with pytest.raises(DownloadError, match=found) as caught:
        fetch(tmp_path)
    check_advice(str(caught.value), tmp_path)
    assert (tmp_path / PART).read_bytes() == CONTENT[:10]


def test_server_that_never_ends_is_stopped_at_the_size(server, tmp_path):
    server.length, server.endless = "", True
    with pytest.raises(DownloadError, match="expected 700000 bytes, got more, which are another file"):
        fetch(tmp_path)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) == 0
    assert server.sent < 20 * len(CONTENT)  # buffers of the connection included


@pytest.mark.parametrize(("length", "got"), [("100", "100"), ("900000000", "900000000")])
def test_wrong_content_length_is_refused_at_once(server, tmp_path, length, got):
    server.length = length
    with pytest.raises(DownloadError, match=f"expected 700000 bytes, got {got}, which are another file"):
        fetch(tmp_path)
    assert kept(tmp_path) == []
    assert server.ranges == [None]


def test_content_length_of_thousands_of_digits_is_refused(server, tmp_path):
    server.length = "9" * 5000  # Python reads no more than 4300
    with pytest.raises(DownloadError, match=f"expected 700000 bytes, got {'9' * 20}, which are another file"):
        fetch(tmp_path)


def test_content_length_that_is_no_number_is_ignored(server, tmp_path):
    server.length = "many"
    assert fetch(tmp_path).read_bytes() == CONTENT


def test_missing_file_is_named_at_once_and_keeps_the_part(server, tmp_path):
    (tmp_path / PART).write_bytes(CONTENT[:1000])
    server.statuses = [404]
    with pytest.raises(DownloadError, match="answered 404 Not Found") as caught:
        fetch(tmp_path)
    check_advice(str(caught.value), tmp_path)
    assert (tmp_path / PART).read_bytes() == CONTENT[:1000]
    assert server.ranges == ["bytes=1000-"]


def test_busy_server_is_asked_again(server, tmp_path):
    server.statuses = [503, 429]
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, None, None]


def test_server_that_stays_busy_is_given_up(server, tmp_path):
    server.statuses = [503] * 9
    with pytest.raises(DownloadError, match="answered 503 Service Unavailable"):
        fetch(tmp_path)
    assert server.ranges == [None] * 3


def test_waits_between_tries_grow(server, tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr(transfer.time, "sleep", waited.append)
    monkeypatch.setattr(transfer, "WAITS", (0.5, 1.0))
    server.statuses = [503, 503]
    fetch(tmp_path)
    assert waited == [0.5, 1.0]


def test_server_that_does_not_answer_is_given_up(server, tmp_path, monkeypatch):
    server.silent = True
    monkeypatch.setattr(transfer, "ANSWER_SECONDS", 0.2)
    started = time.monotonic()
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 did not answer within 0\.2 seconds") as caught:
        fetch(tmp_path)
    assert time.monotonic() - started < 5
    check_advice(str(caught.value), tmp_path)


def test_name_lookup_that_hangs_is_given_up(tmp_path, monkeypatch):
    released = threading.Event()

    def hang(*_, **__):
        released.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(transfer, "ANSWER_SECONDS", 0.2)
    started = time.monotonic()
    with pytest.raises(DownloadError, match=r"www\.cs\.toronto\.edu did not answer") as caught:
        fetch(tmp_path)
    assert time.monotonic() - started < 5
    check_advice(str(caught.value), tmp_path)
    released.set()


def test_stall_midway_is_tried_again(server, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "STALL_SECONDS", 0.2)
    server.breaks, server.then = [131_072], "stall"
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=131072-"]


def test_a_server_that_sends_byte_by_byte_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "STALL_SECONDS", 0.2)
    server.bytes_per_chunk, server.seconds_per_chunk = 1, 0.02
    with pytest.raises(DownloadError, match=rf"{NAME} sent \d+ bytes in \d+ seconds; \d+ of 700000 are kept"):
        fetch(tmp_path)
    assert 3 <= len(server.ranges) <= 6  # each try goes on where the one before ended
    assert 0 < (tmp_path / PART).stat().st_size < 1000


def test_unreachable_host_is_an_error_that_says_what_else_can_be_done(nowhere, tmp_path, monkeypatch):
    serve_from(monkeypatch, nowhere)
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 could not be reached") as caught:
        fetch(tmp_path)
    check_advice(str(caught.value), tmp_path)
    assert isinstance(caught.value, OSError)


@pytest.mark.usefixtures("server")
def test_a_cache_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        DownloadError, match=r"file/cache: cannot be written to \(Not a directory\); set \$ANYNET_CACHE"
    ):
        fetch(tmp_path / "file" / "cache")


@pytest.mark.usefixtures("server")
@pytest.mark.skipif(not os.path.exists("/proc/self"), reason="no folder that is read-only for everybody")
def test_a_read_only_cache_is_an_error_that_names_it():
    with pytest.raises(DownloadError, match=r"^/proc/self: cannot be written to \(.*\); set \$ANYNET_CACHE to another"):
        fetch(Path("/proc/self"))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
def test_full_disk_is_an_error_that_names_the_folder_and_gives_back_the_space(server, tmp_path):
    (tmp_path / PART).symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=f"^{tmp_path}: cannot be written to .No space left on device") as caught:
        fetch(tmp_path)
    check_advice(str(caught.value), tmp_path)
    assert kept(tmp_path) == []
    assert server.ranges == [None]


def test_mirror_comes_first(server, mirror, tmp_path):
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert mirror.ranges == [None]
    assert server.ranges == []


def test_server_comes_after_mirrors_that_fail(server, mirror, nowhere, tmp_path, monkeypatch):
    monkeypatch.setenv("ANYNET_MIRROR", f"{nowhere}, {mirror.address}/ ,")
    mirror.statuses = [404]
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert (mirror.ranges, server.ranges) == ([None], [None])


def test_download_goes_on_at_the_next_server(server, mirror, tmp_path):
    mirror.breaks = [65_536, 131_072, 196_608]
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=196608-"]


def test_part_of_another_file_from_a_mirror_is_replaced(server, mirror, tmp_path):
    mirror.content = CONTENT[:2] + bytes(len(CONTENT) - 2)
    mirror.breaks = [65_536, 131_072, 196_608]
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=196608-", None]


def test_errors_of_all_servers_are_named(server, mirror, nowhere, tmp_path, monkeypatch):
    monkeypatch.setenv("ANYNET_MIRROR", f"{nowhere},{mirror.address}/a")
    mirror.statuses, server.statuses = [404], [403]
    with pytest.raises(DownloadError) as caught:
        fetch(tmp_path)
    check_advice(str(caught.value), tmp_path)
    first, second, third = str(caught.value).split("; ")[:3]
    assert first == "127.0.0.1 could not be reached"
    assert second == f"{mirror.address}/a/{NAME} answered 404 Not Found"
    assert third == f"{server.address}/{NAME} answered 403 Forbidden"


@pytest.mark.parametrize("text", ["mirror", "ftp://host", "/folder", "https://", "http://["])
def test_mirror_that_is_no_address_is_refused(server, tmp_path, monkeypatch, text):
    monkeypatch.setenv("ANYNET_MIRROR", text)
    with pytest.raises(DownloadError, match="ANYNET_MIRROR: expected addresses such as https://host/folder"):
        fetch(tmp_path)
    assert server.ranges == []


def start(server, cache):
    """Start a process that downloads CONTENT from the server into the cache."""
    code = (
        "import sys; from pathlib import Path; from anynet.data import download; "
        "from anynet.data.sets import SETS, RemoteFile; from dataclasses import replace; "
        f"file = RemoteFile({NAME!r}, {len(CONTENT)}, {MD5!r}); "
        f"small = replace(SETS['cifar10'], files=(file,), servers=({server.address!r},)); "
        f"print(download.fetch(small, Path({str(cache)!r})))"
    )
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_threads_that_download_at_once_wait_for_the_first(server, tmp_path, capsys):
    server.seconds_per_chunk = 0.02
    found = []
    threads = [threading.Thread(target=lambda: found.append(fetch(tmp_path).read_bytes())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 3
    assert server.ranges == [None]
    waiting = f"{tmp_path}: another process downloads CIFAR-10; waiting for it\n"
    assert capsys.readouterr().err == 2 * waiting


def test_lock_file_that_nobody_holds_does_no_harm(server, tmp_path, capsys):
    (tmp_path / LOCK).write_text("12345")
    assert fetch(tmp_path).read_bytes() == CONTENT
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_processes_that_download_at_once_wait_for_the_first(server, tmp_path):
    server.seconds_per_chunk = 0.3
    ended = [process.communicate(timeout=60) for process in [start(server, tmp_path) for _ in range(3)]]
    assert [out for out, _ in ended] == [f"{tmp_path / NAME}\n"] * 3
    waiting = f"{tmp_path}: another process downloads CIFAR-10; waiting for it\n"
    assert sorted(err for _, err in ended) == ["", waiting, waiting]
    assert server.ranges == [None]
    assert (tmp_path / NAME).read_bytes() == CONTENT


@pytest.mark.slow
def test_killed_download_is_not_taken_for_whole_and_goes_on(server, tmp_path):
    server.breaks, server.then = [393_216], "stall"
    process, waiting = start(server, tmp_path), None
    try:
        wait_for(lambda: (tmp_path / PART).exists() and (tmp_path / PART).stat().st_size == 393_216)
        waiting = start(server, tmp_path)
        assert waiting.stderr.readline().endswith("waiting for it\n")
        assert kept(tmp_path) == [PART]
        process.send_signal(signal.SIGKILL)
        assert waiting.communicate(timeout=60)[0] == f"{tmp_path / NAME}\n"
    finally:
        for each in (process, waiting):
            if each:
                each.kill()
                each.communicate()
    assert server.ranges == [None, "bytes=393216-"]
    assert kept(tmp_path) == [NAME]
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_default_cache_can_be_set(monkeypatch, tmp_path):
    monkeypatch.delenv("ANYNET_CACHE")
    assert download.default_cache().name == "anynet"
    monkeypatch.setenv("ANYNET_CACHE", str(tmp_path))
    assert download.default_cache() == tmp_path


def test_import_loads_no_network_library():
    names = ("filelock", "pooch", "requests")
    code = f"import sys, anynet.data.download; print([m for m in {names} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_without_pooch_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.delenv("ANYNET_CACHE")
    monkeypatch.setitem(sys.modules, "pooch", None)
    for needs_it in (download.default_cache, lambda: fetch(tmp_path)):
        with pytest.raises(DownloadError, match=r"needs pooch; run pip install '\.\[app\]'"):
            needs_it()


def test_without_filelock_the_error_says_what_to_install(server, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "filelock", None)
    with pytest.raises(DownloadError, match=r"needs filelock; run pip install '\.\[app\]'"):
        fetch(tmp_path)
    assert server.ranges == []
