"""A journal on a disk that machines share, for any number of searches."""

from pathlib import Path

from optuna.storages import BaseStorage

from anynet.app.search.stores.journal import Lock, open_storage
from anynet.app.search.stores.shared_store import SharedStore
from anynet.app.search.stores.storage_url import StorageUrl
from anynet.app.search.stores.worker import FileWorker


class JournalStore(SharedStore):
    """A journal at ``journal:///path``. Its lock, and a folder with those of the workers, are beside it.

    Parameters
    ----------
    url : StorageUrl
    folder : Path
        Folder of the search.
    """

    def __init__(self, url: StorageUrl, folder: Path) -> None:
        super().__init__(url, folder)
        self._path = Path(url.path)
        if not self._path.parent.is_dir():
            raise FileNotFoundError(f"--storage: expected a file in a folder, there is no {self._path.parent}; make it")
        self.lock = self._lock = Lock(self._path)

    def _open(self) -> BaseStorage:
        return open_storage(self._lock)

    def worker(self) -> FileWorker:
        """Return this process's part in the search, as a context."""
        return FileWorker(self._path.with_name(f"{self._path.name}.workers"))
