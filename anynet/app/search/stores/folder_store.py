"""The folder of a search as the place of its trials: Optuna's journal, beside the settings and the tables."""

from functools import cached_property
from pathlib import Path

from optuna.storages import BaseStorage

from anynet.app.search import search_folder
from anynet.app.search.search_settings import Settings
from anynet.app.search.stores.journal import Lock, open_storage
from anynet.app.search.stores.store import Store
from anynet.app.search.stores.worker import FileWorker


class FolderStore(Store):
    """The journal in the folder of a search.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.shown = folder, str(folder)
        self.place = folder / search_folder.JOURNAL
        self.lock = self.folder_lock = self._lock = Lock(self.place)

    @cached_property
    def storage(self) -> BaseStorage:
        """Optuna's storage, opened at the first use."""
        return open_storage(self._lock)

    def worker(self) -> FileWorker:
        """Return this process's part in the search, as a context."""
        return FileWorker(self._folder / search_folder.WORKERS)

    def read_settings(self) -> Settings | None:
        """Return the content of ``search.json``, None if no search has been started."""
        return search_folder.settings_there(self._folder)

    def write_settings(self, settings: Settings) -> None:
        """Write ``search.json``."""
        search_folder.write_settings(self._folder, settings)
