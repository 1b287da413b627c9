"""Download of official data sets into a cache."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from anynet.core.extras import install_command
from anynet.data.sets import RemoteFile, RemoteSet
from anynet.data.transfer import DownloadError, transfer


def default_cache() -> Path:
    """Return the cache folder: ``$ANYNET_CACHE``, or a folder named anynet where the operating system keeps caches.

    Returns
    -------
    Path

    Raises
    ------
    DownloadError
        If pooch is not installed.
    """
    return Path(os.environ.get("ANYNET_CACHE") or _import("pooch").os_cache("anynet"))


def fetch(official: RemoteSet, cache: Path) -> Path:
    """Download the official files of a data set, unless they are in the cache already.

    The servers of the environment variable ``ANYNET_MIRROR``, base addresses separated by commas, are tried in order,
    then the official ones. Of several processes one downloads, and the others wait for it.

    Parameters
    ----------
    official : RemoteSet
        The data set.
    cache : Path
        Folder of the files, or of the set's own folder; created if necessary.

    Returns
    -------
    Path
        The file, or the folder of several. All MD5 sums have been checked.

    Raises
    ------
    DownloadError
        If no server can be reached, the connection breaks, a file is not the official one, or the cache cannot be
        written to. After a broken connection the received part stays in the cache, and the next call resumes from
        there.
    """
    folder = cache / official.folder
    found = {file: _found(folder, file) for file in official.files}
    if all(found[file] == f"md5 {file.md5}" for file in official.files):
        return official.place(folder)
    names = " ".join(file.name for file in official.files)
    advice = (
        f"try again later, or use --data synthetic, or --data DIR with a copy of {official.title}, "
        f"or put {names} into {folder}"
    )
    damaged = {file: got for file, got in found.items() if got and got != f"md5 {file.md5}"}
    for file, got in damaged.items():
        advice = (
            f"delete {folder / file.name} or replace it, since it has {got} instead of {file.size:,} bytes, "
            f"md5 {file.md5}, or {advice}"
        )
    mirrors = _mirrors(official)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _only_process(folder, official):
            for file in official.files:
                if _found(folder, file) != f"md5 {file.md5}":  # no other process has downloaded it
                    _download([f"{server}/{file.name}" for server in (*mirrors, *official.servers)], folder, file)
    except DownloadError as error:
        raise DownloadError(f"{error}; {advice}") from error
    except OSError as error:
        raise DownloadError(
            f"{folder}: cannot be written to ({error.strerror}); set $ANYNET_CACHE to another folder, or {advice}"
        ) from error
    for file, got in damaged.items():
        print(
            f"{folder / file.name}: expected {file.size:,} bytes, md5 {file.md5}, got {got}; replaced by a new "
            "download",
            file=sys.stderr,
        )
    return official.place(folder)


def is_complete(official: RemoteSet, folder: Path) -> bool:
    """Return True if all official files of a data set are in a folder, by their names and sizes."""
    paths = [(folder / file.name, file.size) for file in official.files]
    return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def _mirrors(official: RemoteSet) -> list[str]:
    """Return the base addresses in ``$ANYNET_MIRROR`` for a set, without a slash at their ends.

    A set with a folder of its own may be in the address itself too: sizes and checksums tell which set it is.
    """
    mirrors = [text.strip().rstrip("/") for text in os.environ.get("ANYNET_MIRROR", "").split(",") if text.strip()]
    for mirror in mirrors:
        if not _is_address(mirror):
            raise DownloadError(
                f'ANYNET_MIRROR: expected addresses such as https://host/folder, separated by commas, got "{mirror}"; '
                f"give the folders that {official.files[0].name} is in"
            )
    folders = [f"/{official.folder}", ""] if official.folder else [""]
    return [mirror + folder for mirror in mirrors for folder in folders]


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:  # brackets of an IPv6 address that do not match
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


@contextmanager
def _only_process(folder: Path, official: RemoteSet) -> Iterator[None]:
    """Wait until no other process downloads the set. The lock of a process that ended holds nobody up."""
    filelock = _import("filelock")
    path = folder / f"{official.files[0].name}.lock"
    path.touch()  # raises OSError where filelock may try forever
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        print(f"{folder}: another process downloads {official.title}; waiting for it", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _download(urls: list[str], folder: Path, file: RemoteFile) -> None:
    """Download a file from the first server that has it, through a partial file next to it."""
    part = folder / f"{file.name}.part"
    have = part.stat().st_size if part.exists() else 0
    if have > file.size or (have == file.size and _md5(part) != file.md5):
        part.unlink()
    errors = []
    for url in urls:
        try:
            _download_from(url, part, file)
        except DownloadError as error:
            errors.append(str(error))
        except OSError:  # no space left, perhaps: leave it to others
            part.unlink(missing_ok=True)
            raise
        else:
            part.replace(folder / file.name)
            return
    raise DownloadError("; ".join(errors))


def _download_from(url: str, part: Path, file: RemoteFile) -> None:
    """Complete the partial file; start again if what it began with was not the official one's."""
    resumed = part.exists()
    if not resumed or part.stat().st_size < file.size:
        transfer(url, part, file.size)
    if (found := _md5(part)) == file.md5:
        return
    part.unlink()
    if not resumed:
        raise DownloadError(f"{url}: expected md5 {file.md5}, got {found}, which is another file")
    _download_from(url, part, file)


def _found(folder: Path, file: RemoteFile) -> str | None:
    """Return the size of a file if it is not the official one's, or else its MD5 sum; None if there is no file."""
    _import("pooch")  # now rather than after a download
    path = folder / file.name
    if not path.is_file():
        return None
    size = path.stat().st_size
    return f"md5 {_md5(path)}" if size == file.size else f"{size:,} bytes"


def _md5(path: Path) -> str:
    """Return the MD5 sum of a file."""
    found: str = _import("pooch").file_hash(path, alg="md5")
    return found


def _import(package: str) -> Any:
    """Import a package that only a download needs and that is part of the extra "app"."""
    try:
        return import_module(package)
    except ImportError as error:
        raise DownloadError(
            f"downloading a data set needs {package}; run {install_command('app')}, or use --data synthetic, or --data "
            "DIR with one that you have"
        ) from error
