"""URLs of storages: what is allowed, and how they are shown, without user and password."""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from anynet.core.checks import nearest
from anynet.core.formatting import printable

DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql", "redis": "redis", "rediss": "redis"}
"""Python package by scheme."""
SCHEMES = (*DRIVERS, "journal")
FORM = "SCHEME://USER:PASSWORD@HOST:PORT/DATABASE, with special characters of user and password as %40 for @"


class StorageUrl(NamedTuple):
    """URL of a storage.

    Attributes
    ----------
    scheme : str
        One of `SCHEMES`.
    driver : str
        Package that connects to it; "" for a journal.
    rest : str
        The URL from ``://`` on.
    shown : str
        The URL without user, password and options.
    path : str
        Path of the file, or name of the database.
    secrets : tuple of str
        Texts that are not to be shown.
    """

    scheme: str
    driver: str
    rest: str
    shown: str
    path: str
    secrets: tuple[str, ...]

    def hidden(self, text: str) -> str:
        """Return a text with ``***`` for the password and what else the URL hides."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def parse_url(url: str) -> StorageUrl:
    """Return the parts of a storage's URL.

    Parameters
    ----------
    url : str
        Such as ``postgresql://user:password@host/database``, ``redis://host:6379/0`` or ``journal:///shared/file``.

    Returns
    -------
    StorageUrl

    Raises
    ------
    ValueError
        If it is none that a search can use. The message has nothing of it but its scheme.
    """
    name, separator, rest = url.partition("://")
    scheme, _, driver = name.partition("+")
    if not separator:
        raise ValueError(f"--storage: expected a URL such as {', '.join(f'{each}://...' for each in SCHEMES)}")
    if scheme not in SCHEMES or (driver and driver != DRIVERS.get(scheme)):
        got = f'"{printable(name, 50)}"' if re.fullmatch(r"[\w.+-]+", name) else "another"
        raise ValueError(f"--storage: expected a URL of another scheme than {got}{nearest(scheme, SCHEMES)}")
    if scheme == "journal":
        if not rest.startswith("/") or not Path(rest).name:
            raise ValueError("--storage: expected journal:///, and the absolute path of a file")
        return StorageUrl(scheme, "", rest, f"{scheme}://{rest}", rest, ())
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError:  # its message has a part of what comes before @
        raise ValueError(f"--storage: expected {FORM}") from None
    if "@" in parts.path + parts.query or parts.fragment:  # of a password that has / or ? or #
        raise ValueError(f"--storage: expected {FORM}")
    if scheme.startswith("redis") and (parts.query or not re.fullmatch(r"/?\d*", parts.path)):
        raise ValueError(f"--storage: expected {scheme}://:PASSWORD@HOST:PORT/NUMBER and nothing behind the number")
    place = host if ":" not in host else f"[{host}]"
    shown = f"{scheme}://{place}{'' if port is None else f':{port}'}{parts.path}"
    secrets = [parts.netloc.rpartition("@")[0], parts.query, parts.password or ""]
    texts = {text for secret in secrets if secret for text in (secret, unquote(secret))}
    hidden = tuple(sorted(texts, key=len, reverse=True))
    # Optuna fills in braces.
    rest = rest.replace("{", "%7B").replace("}", "%7D")
    return StorageUrl(scheme, DRIVERS[scheme], rest, shown, parts.path.lstrip("/"), hidden)
