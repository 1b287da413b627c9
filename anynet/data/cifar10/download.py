"""Resumable download of the official CIFAR-10 archive into a cache."""

import os
import re
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from anynet.core.errors import Error
from anynet.data.cifar10.files import ARCHIVE_MD5

if TYPE_CHECKING:
    import requests

FILE = "cifar-10-python.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{FILE}"
MD5 = ARCHIVE_MD5[FILE]

ANSWER_SECONDS = 8.0
"""Time limit for the server's answer, name lookup included."""
STALL_SECONDS = 10.0
"""Time limit between two chunks of the file."""


class DownloadError(Error, OSError):
    """Error for a download that cannot be started or finished. The message is one line and says what to do."""


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
    return Path(os.environ.get("ANYNET_CACHE") or _pooch().os_cache("anynet"))


def fetch(cache: Path) -> Path:
    """Download the official archive, unless it is in the cache already.

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
        If the server cannot be reached, the connection breaks, or the file is not the official one. After a broken
        connection the received part stays in `cache`, and the next call resumes from there.
    """
    pooch = _pooch()
    pooch.get_logger().setLevel("WARNING")  # the progress bar tells the rest
    advice = (
        "try again later, or use --data synthetic, or --data DIR with a CIFAR-10 that you have, "
        f"or put {FILE} into {cache}"
    )
    try:
        return Path(pooch.retrieve(URL, f"md5:{MD5}", fname=FILE, path=cache, downloader=_resume))
    except DownloadError as error:
        raise DownloadError(f"{error}; {advice}") from error
    except OSError as error:  # from pooch: the cache is not writable
        raise DownloadError(
            f"{cache}: cannot be written to; set $ANYNET_CACHE to another folder, or {advice}"
        ) from error
    except ValueError as error:  # from pooch: wrong MD5 sum
        raise DownloadError(f"{FILE}: expected md5 {MD5}, got another file from {URL}; {advice}") from error


def _pooch() -> Any:
    """Import pooch, which only a download needs and which is part of the extra "app"."""
    try:
        import pooch
    except ImportError as error:
        raise DownloadError(
            "downloading CIFAR-10 needs pooch; run pip install '.[app]', or use --data synthetic, or --data DIR "
            "with a CIFAR-10 that you have"
        ) from error
    return pooch


def _resume(url: str, output: str, _: Any) -> None:
    """Download `url` to the file `output`, through a partial file next to it. Called by pooch."""
    import requests
    from tqdm import tqdm

    part = Path(output).with_name(f"{FILE}.part")
    have = part.stat().st_size if part.exists() else 0
    response = _ask(url, have)
    if _start(response) not in (0, have):
        response.close()
        response = _ask(url, 0)
    start = _start(response)
    if start not in (0, have):
        response.close()
        raise DownloadError(f"{url} answered {response.status_code} {response.reason}")

    length = response.headers.get("Content-Length")
    total = start + int(length) if length else None
    with (
        response,
        part.open("ab" if start else "wb") as file,
        tqdm(desc=FILE, total=total, initial=start, unit="B", unit_scale=True, disable=None) as bar,
    ):
        try:
            for chunk in response.iter_content(1 << 16):
                file.write(chunk)
                bar.update(len(chunk))
        except requests.RequestException as error:
            raise DownloadError(f"{url} broke off after {file.tell()} bytes, which are kept") from error
        if total is not None and file.tell() < total:
            raise DownloadError(f"{url} broke off after {file.tell()} of {total} bytes, which are kept")
    part.replace(output)


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
    try:
        return answer.result(ANSWER_SECONDS)
    except TimeoutError as error:
        raise DownloadError(f"{urlsplit(url).hostname} did not answer within {ANSWER_SECONDS:g} seconds") from error
    except requests.RequestException as error:
        raise DownloadError(f"{urlsplit(url).hostname} could not be reached") from error


def _start(response: "requests.Response") -> int | None:
    """Return the position of the body's first byte in the file; None if the body is not part of the file."""
    if response.status_code == 200:
        return 0
    content_range = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(content_range[1]) if response.status_code == 206 and content_range else None
