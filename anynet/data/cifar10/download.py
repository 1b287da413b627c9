"""Downloads the official CIFAR-10 archive into a cache; what breaks off is taken up again where it stopped."""

import os
import re
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from anynet.data.cifar10.files import ARCHIVE_MD5
from anynet.data.errors import DownloadError

if TYPE_CHECKING:
    import requests

FILE = "cifar-10-python.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{FILE}"
MD5 = ARCHIVE_MD5[FILE]

ANSWER_SECONDS = 8.0
"""How long the server may take to answer, from looking up its name on."""
STALL_SECONDS = 10.0
"""How long the server may then send nothing."""


def default_cache() -> Path:
    """Return $ANYNET_CACHE, or else the folder where this system keeps caches."""
    import pooch

    return Path(os.environ.get("ANYNET_CACHE") or pooch.os_cache("anynet"))


def fetch(cache: Path) -> Path:
    """Return the official archive in ``cache``, downloaded unless it is there already.

    Raises DownloadError if the server cannot be reached, breaks off, or sends another file. What has arrived of a
    download that broke off stays in ``cache``, and the next call goes on from there.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")  # the progress bar says as much
    advice = (
        "try again later, or use --data synthetic, or --data DIR with a CIFAR-10 that you have, "
        f"or put {FILE} into {cache}"
    )
    try:
        return Path(pooch.retrieve(URL, f"md5:{MD5}", fname=FILE, path=cache, downloader=_resume))
    except DownloadError as error:
        raise DownloadError(f"{error}; {advice}") from error
    except OSError as error:  # pooch, on a cache that it cannot write to
        raise DownloadError(
            f"{cache}: cannot be written to; name another folder in $ANYNET_CACHE, or {advice}"
        ) from error
    except ValueError as error:  # pooch, on a wrong md5
        raise DownloadError(f"{FILE}: expected md5 {MD5}, {URL} sent something else; {advice}") from error


def _resume(url: str, output: str, _: Any) -> None:
    """Download ``url`` to the file ``output``, by way of a part file next to it; pooch calls this."""
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
    """Ask for ``url`` from byte ``start`` on; the answer's body is still to be read.

    The asking is done in a thread because no timeout of requests bounds a name lookup, or several addresses in turn.
    """
    import requests

    # identity: the bytes of the file itself are what is counted and resumed.
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
    """Return the number of the byte that the body starts with, None if the body is not of the file."""
    if response.status_code == 200:
        return 0
    content_range = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(content_range[1]) if response.status_code == 206 and content_range else None
