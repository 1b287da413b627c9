"""The command line as `benchmarks.faults.kills` starts it: it can kill itself at one of its writes.

Its name is that of the command, so that it begins as the command does. By environment variables:

* `EVENTS` names a file to which it appends a byte when it begins and another one before each write.
* `AT` is the number of a write, the moment ("half" of the file written, "before" or "after" the renaming) and the
  number of the signal.
* `ARCHIVE` is size and MD5 sum of the archive that takes the place of the official one.
"""

import os
import sys
from dataclasses import replace
from typing import Any

EVENTS, AT, ARCHIVE = "FAULTS_EVENTS", "FAULTS_AT", "FAULTS_ARCHIVE"


def _count_writes() -> None:
    """Patch `os.replace`, the end of every write of a whole file."""
    events, replace = os.environ[EVENTS], os.replace
    at, moment, number = os.environ.get(AT, "0  0").split(" ")
    writes = 0

    def append() -> None:
        with open(events, "ab") as file:
            file.write(b".")

    def replace_or_die(source: Any, target: Any, **options: Any) -> None:
        nonlocal writes
        writes += 1
        append()
        here = writes == int(at)
        if here and moment == "half":
            os.truncate(source, os.path.getsize(source) // 2)
        if here and moment != "after":
            os.kill(os.getpid(), int(number))
        replace(source, target, **options)
        if here and moment == "after":
            os.kill(os.getpid(), int(number))

    os.replace = replace_or_die  # type: ignore[assignment]
    append()


def _replace_archive() -> None:
    """Let another archive be the official one."""
    from anynet.data.cifar import formats
    from anynet.data.sets import SETS

    size, md5 = os.environ[ARCHIVE].split(" ")
    official = SETS["cifar10"]
    SETS["cifar10"] = replace(official, files=(replace(official.files[0], size=int(size), md5=md5),))
    formats.FORMATS = tuple(
        replace(fmt, archive_md5=md5) if fmt.archive == official.files[0].name else fmt for fmt in formats.FORMATS
    )


if __name__ == "__main__":
    _count_writes()
    from anynet.__main__ import main

    if ARCHIVE in os.environ:
        _replace_archive()
    main(sys.argv[1:])
