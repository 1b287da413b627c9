"""Compiled modules on disk, for later processes.

A file is a digest and what it seals. A file that is torn, damaged, of another key or of another user is ignored, and
written anew. Nothing is kept where the folder cannot be written.
"""

import os
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from anynet.core.atomic import PARTIAL, write_whole

LARGEST = 200_000_000
"""Number of bytes that are kept; the files that were used longest ago are removed first."""


def folder() -> Path:
    """Return the folder: in ``ANYNET_CACHE``, by default the platform's for caches."""
    if chosen := os.environ.get("ANYNET_CACHE"):
        return Path(chosen, "native")
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "anynet" / "native"


def load(key: str) -> bytes | None:
    """Return what was kept under a key (a digest in hexadecimal digits), or None."""
    with suppress(OSError, RuntimeError):  # a RuntimeError if there is no home
        path = folder() / key
        if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
            return None
        sealed = path.read_bytes()
        if sealed[:32] == _seal(key, sealed[32:]):
            with suppress(OSError):
                os.utime(path)
            return sealed[32:]
    return None


def keep(key: str, contents: bytes) -> None:
    """Keep something under a key, if the folder can be written."""
    with suppress(OSError, RuntimeError):
        path = folder() / key
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, lambda partial: partial.write_bytes(_seal(key, contents) + contents))
        _remove_oldest(path.parent)


def _seal(key: str, contents: bytes) -> bytes:
    return sha256(key.encode() + contents).digest()


def _remove_oldest(where: Path) -> None:
    """Remove files until the others have at most `LARGEST` bytes; other processes may do so, too."""
    found = []
    for path in where.iterdir():
        with suppress(OSError):
            if not path.name.startswith(PARTIAL):
                found.append((path.stat().st_mtime_ns, path.stat().st_size, path))
    total = 0
    for _, size, path in sorted(found, reverse=True):
        total += size
        if total > LARGEST:
            with suppress(OSError):
                path.unlink()
