"""The place of a search's trials, by the URL of a storage."""

from importlib.util import find_spec
from pathlib import Path

from anynet.app.search.stores.folder_store import FolderStore
from anynet.app.search.stores.journal_store import JournalStore
from anynet.app.search.stores.storage_url import parse_url
from anynet.app.search.stores.store import Store
from anynet.core.extras import install_command


def open_store(storage: str | None, folder: Path) -> Store:
    """Return the place of a search's trials.

    Parameters
    ----------
    storage : str or None
        URL; None stands for the folder.
    folder : Path
        Folder of the search.

    Returns
    -------
    Store

    Raises
    ------
    ValueError
        If the URL is none that a search can use, or its driver is not installed.
    """
    if storage is None:
        return FolderStore(folder)
    url = parse_url(storage)
    if url.scheme == "journal":
        return JournalStore(url, folder)
    if find_spec(url.driver) is None:
        raise ValueError(
            f"--storage: {url.scheme} needs the package {url.driver}; install it with: {install_command('storage')}"
        )
    if url.scheme in ("postgresql", "mysql"):
        from anynet.app.search.stores.sql_store import SqlStore  # here, because SQLAlchemy takes a while to load

        return SqlStore(url, folder)
    from anynet.app.search.stores.redis_store import RedisStore  # here, because it may not be installed

    return RedisStore(url, folder)
