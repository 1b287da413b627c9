"""Download of the official CIFAR-10 archive into a cache."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from anynet.data.cifar10.files import ARCHIVE_MD5
from anynet.data.cifar10.transfer import DownloadError, transfer

FILE = "cifar-10-python.tar.gz"
SERVER = "https://www.cs.toronto.edu/~kriz"
SIZE = 170_498_071
MD5 = ARCHIVE_MD5[FILE]


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


def fetch(cache: Path) -> Path:
    """Download the official archive, unless it is in the cache already.

    The servers of the environment variable ``ANYNET_MIRROR``, base addresses separated by commas, are tried in order,
    then the official one. Of several processes one downloads, and the others wait for it.

    Parameters
    ----------
    cache : Path
        Folder of the archive; created if necessary.

    Returns
    -------
    Path
        The archive. Its MD5 sum has been checked.

    Raises
    ------
    DownloadError
        If no server can be reached, the connection breaks, the file is not the official one, or the cache cannot be
        written to. After a broken connection the received part stays in `cache`, and the next call resumes from there.
    """
    archive = cache / FILE
    found = _found(archive)
    if found == f"md5 {MD5}":
        return archive
    advice = (
        "try again later, or use --data synthetic, or --data DIR with a CIFAR-10 that you have, "
        f"or put {FILE} into {cache}"
    )
    if found:
        advice = (
            f"delete {archive} or replace it, since it has {found} instead of {SIZE:,} bytes, md5 {MD5}, or {advice}"
        )
    urls = [f"{server}/{FILE}" for server in (*_mirrors(), SERVER)]
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _only_process(cache):
            if _found(archive) != f"md5 {MD5}":  # no other process has downloaded it
                _download(urls, archive)
    except DownloadError as error:
        raise DownloadError(f"{error}; {advice}") from error
    except OSError as error:
        raise DownloadError(
            f"{cache}: cannot be written to ({error.strerror}); set $ANYNET_CACHE to another folder, or {advice}"
        ) from error
    if found:
        print(
            f"{archive}: expected {SIZE:,} bytes, md5 {MD5}, got {found}; replaced by a new download", file=sys.stderr
        )
    return archive


def _mirrors() -> list[str]:
    """Return the base addresses in ``$ANYNET_MIRROR``, without a slash at their ends."""
    mirrors = [text.strip().rstrip("/") for text in os.environ.get("ANYNET_MIRROR", "").split(",") if text.strip()]
    for mirror in mirrors:
        if not _is_address(mirror):
            raise DownloadError(
                f'ANYNET_MIRROR: expected addresses such as https://host/folder, separated by commas, got "{mirror}"; '
                f"give the folders that {FILE} is in"
            )
    return mirrors


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:  # brackets of an IPv6 address that do not match
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


@contextmanager
def _only_process(cache: Path) -> Iterator[None]:
    """Wait until no other process downloads into the cache. The lock of a process that ended holds nobody up."""
    filelock = _import("filelock")
    path = cache / f"{FILE}.lock"
    path.touch()  # raises OSError where filelock may try forever
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        print(f"{cache}: another process downloads CIFAR-10; waiting for it", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _download(urls: list[str], archive: Path) -> None:
    """Download the archive from the first server that has it, through a partial file next to it."""
    part = archive.with_name(f"{FILE}.part")
    if part.exists() and (part.stat().st_size > SIZE or (part.stat().st_size == SIZE and _md5(part) != MD5)):
        part.unlink()
    errors = []
    for url in urls:
        try:
            _download_from(url, part)
        except DownloadError as error:
            errors.append(str(error))
        except OSError:  # no space left, perhaps: leave it to others
            part.unlink(missing_ok=True)
            raise
        else:
            part.replace(archive)
            return
    raise DownloadError("; ".join(errors))


def _download_from(url: str, part: Path) -> None:
    """Complete the partial file; start again if what it began with was not the archive's."""
    resumed = part.exists()
    if not resumed or part.stat().st_size < SIZE:
        transfer(url, part, SIZE)
    if (found := _md5(part)) == MD5:
        return
    part.unlink()
    if not resumed:
        raise DownloadError(f"{url}: expected md5 {MD5}, got {found}, which is another file")
    _download_from(url, part)


def _found(archive: Path) -> str | None:
    """Return the size of a file if it is not that of the archive, or else its MD5 sum; None if there is no file."""
    _import("pooch")  # now rather than after a download
    if not archive.is_file():
        return None
    size = archive.stat().st_size
    return f"md5 {_md5(archive)}" if size == SIZE else f"{size:,} bytes"


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
            f"downloading CIFAR-10 needs {package}; run pip install '.[app]', or use --data synthetic, or --data DIR "
            "with a CIFAR-10 that you have"
        ) from error
