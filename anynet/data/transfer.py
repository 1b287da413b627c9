"""Resumable transfer of one file by HTTP."""

import re
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from anynet.core.errors import Error
from anynet.core.formatting import printable
from anynet.core.meter import Meter

if TYPE_CHECKING:
    import requests

ANSWER_SECONDS = 8.0
"""Time limit for the server's answer, name lookup included."""
STALL_SECONDS = 10.0
"""Time limit between two pieces of the file, and the time in which `SLOWEST` is measured."""
LINE_SECONDS = 5.0
"""Time between two lines about how much has been received, where there is no bar."""
SLOWEST = 1000
"""Bytes per second below which a connection is given up."""
WAITS = (0.5, 1.0)
"""Seconds before the second and the third try, after a connection that failed."""

MOST_DIGITS = 20
"""Digits of a number of bytes, at most."""

GZIP = b"\x1f\x8b"
"""First bytes of a gzip file."""


class DownloadError(Error, OSError):
    """Error for a download that cannot be started or finished. The message is one line and says what to do."""


class _ConnectionFailedError(DownloadError):
    """A failure that another try may mend."""


def transfer(url: str, part: Path, size: int) -> None:
    """Download a gzip file of known size; go on where an earlier transfer ended.

    Parameters
    ----------
    url : str
        Address.
    part : Path
        File that the bytes are appended to. At the end it has `size` bytes; it never has more.
    size : int
        Number of bytes of the whole file.

    Raises
    ------
    DownloadError
        If the server cannot be reached, the connection breaks, or the answer is another file. After a broken
        connection `part` keeps the received bytes.
    OSError
        If `part` cannot be written.
    """
    for wait in WAITS:
        try:
            return _receive(url, part, size)
        except _ConnectionFailedError:
            time.sleep(wait)
    return _receive(url, part, size)


def _receive(url: str, part: Path, size: int) -> None:
    import urllib3

    have = part.stat().st_size if part.exists() else 0
    response = _ask(url, have)
    if response.status_code in (206, 416) and _start(response) != have:  # another range, or none
        response.close()
        response = _ask(url, 0)
    with response:
        start = _start(response)
        if start is None or start not in (0, have):
            out_of_order = response.status_code == 429 or response.status_code >= 500
            kind = _ConnectionFailedError if out_of_order else DownloadError
            raise kind(f"{url} answered {response.status_code} {printable(str(response.reason))}")
        length = response.headers.get("Content-Length", "")
        length = length[:MOST_DIGITS]  # Python refuses to read numbers of thousands of digits
        if length.isdecimal() and start + int(length) != size:
            raise DownloadError(f"{url}: expected {size} bytes, got {start + int(length)}, which are another file")
        with (
            part.open("ab") as file,
            Meter(seconds=LINE_SECONDS, desc=part.stem, total=size, initial=start, unit="B", unit_scale=True) as meter,
        ):
            done, since, before = start, time.monotonic(), start
            try:
                while chunk := response.raw.read1(1 << 16, decode_content=False):
                    if done == 0:
                        _check_gzip(url, chunk)
                        if have:  # the server does not go on
                            file.truncate(0)
                    done += len(chunk)
                    if done > size:
                        file.truncate(0)
                        raise DownloadError(f"{url}: expected {size} bytes, got more, which are another file")
                    file.write(chunk)
                    meter.bar.update(len(chunk))
                    meter.say(f"{part.stem}: {done / 1e6:.0f} of {size / 1e6:.0f} MB")
                    if (seconds := time.monotonic() - since) > STALL_SECONDS:
                        if done - before < SLOWEST * seconds:
                            raise _ConnectionFailedError(
                                f"{url} sent {done - before} bytes in {seconds:.0f} seconds; {done} of {size} are kept"
                            )
                        since, before = time.monotonic(), done
            except urllib3.exceptions.HTTPError as error:
                raise _ConnectionFailedError(f"{url} broke off after {done} of {size} bytes, which are kept") from error
            if done < size:
                raise _ConnectionFailedError(f"{url} broke off after {done} of {size} bytes, which are kept")


def _check_gzip(url: str, chunk: bytes) -> None:
    if not chunk.startswith(GZIP[: len(chunk)]):
        raise DownloadError(f"{url}: expected a gzip file, got one that begins with {chunk[:12]!r}")


def _ask(url: str, start: int) -> "requests.Response":
    """Request `url` from byte `start` on; the body of the response is not read yet.

    The request is sent from a thread, because the timeouts of requests cover neither name lookup nor several addresses
    tried in turn.
    """
    import requests

    # identity: byte positions are those of the file, not of a compressed transfer.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    answer: Future[requests.Response] = Future()

    def ask() -> None:
        try:
            answer.set_result(requests.get(url, headers=headers, stream=True, timeout=(ANSWER_SECONDS, STALL_SECONDS)))
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    host = urlsplit(url).hostname
    try:
        return answer.result(ANSWER_SECONDS)
    except (TimeoutError, requests.Timeout) as error:
        raise DownloadError(f"{host} did not answer within {ANSWER_SECONDS:g} seconds") from error
    except requests.ConnectionError as error:
        raise _ConnectionFailedError(f"{host} could not be reached") from error
    except requests.RequestException as error:  # an address, proxy or redirect that cannot be followed
        raise DownloadError(f"{host} could not be reached") from error


def _start(response: "requests.Response") -> int | None:
    """Return the position of the body's first byte in the file; None if the body is not part of the file."""
    if response.status_code == 200:
        return 0
    content_range = re.match(rf"bytes (\d{{1,{MOST_DIGITS}}})-", response.headers.get("Content-Range", ""))
    return int(content_range[1]) if response.status_code == 206 and content_range else None
