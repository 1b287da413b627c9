"""Storages that many searches share: each has its name there, its settings, and the version that made it."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.storages import BaseStorage

import anynet
from anynet.app.search import search_folder
from anynet.app.search.search_settings import Settings, complete
from anynet.app.search.stores.storage_url import StorageUrl
from anynet.app.search.stores.store import StorageError, Store
from anynet.app.search_json import SETTINGS
from anynet.core.errors import FileError
from anynet.core.formatting import first_line, printable

AGREED, VERSION = "anynet settings", "anynet version"
"""Attributes of the study of the first stage."""
CONNECT_SECONDS = 10
"""Time in which a server must answer."""
LEASE_SECONDS = 60.0
"""Time after which a worker that no longer says that it is alive is taken for dead."""
ADVICE = "choose another folder, whose name is that of the search"


class SharedStore(Store):
    """A storage in which a search has the name of its folder.

    Parameters
    ----------
    url : StorageUrl
    folder : Path
        Folder of the search, which gets a copy of the settings.

    Attributes
    ----------
    errors : tuple of type
        Errors of the storage's library.
    """

    errors: tuple[type[Exception], ...] = ()

    def __init__(self, url: StorageUrl, folder: Path) -> None:
        self._url, self._folder = url, folder
        self.name = folder.resolve().name
        if not self.name or not self.name.isprintable() or len(self.name) > 100:
            raise ValueError(f"{folder}: expected a name of 1 to 100 characters, which the search has in the storage")
        self.folder_lock = FileLock(folder / f"{SETTINGS}.lock")
        self.shown = self.place = f"{url.shown}, search {self.name}"

    @cached_property
    def storage(self) -> BaseStorage:
        """Optuna's storage, opened at the first use."""
        with self.lock:
            return self._open()

    @abstractmethod
    def _open(self) -> BaseStorage:
        """Open Optuna's storage."""

    def study(self, stage: str) -> str:
        """Return the name of the study of a stage."""
        return f"{self.name}/{stage}"

    def read_settings(self) -> Settings | None:
        """Return the settings in the storage, None if there are none.

        Raises
        ------
        FileError
            If they are damaged, of another version of anynet, or there is a study of something else.
        """
        try:
            number = self.storage.get_study_id_from_name(self.study("coarse"))
        except KeyError:
            return None
        attributes = self.storage.get_study_user_attrs(number)
        there, version = attributes.get(AGREED), attributes.get(VERSION)
        if version is None and not self.storage.get_all_trials(number, deepcopy=False):
            return None  # the process that has just made it, or was killed then, has not written them
        if version != anynet.__version__:
            got = "another study" if version is None else f"one of {printable(f'{version}', 50)}"
            raise FileError(self.place, "", f"a search of anynet {anynet.__version__}", got, ADVICE)
        if not isinstance(there, dict):
            raise FileError(self.place, AGREED, "settings", printable(repr(there), 50), ADVICE)
        return complete(there, self.place)

    def write_settings(self, settings: Settings) -> None:
        """Write the settings into the storage."""
        study = optuna.create_study(
            study_name=self.study("coarse"), storage=self.storage, direction="maximize", load_if_exists=True
        )
        study.set_user_attr(AGREED, settings)
        study.set_user_attr(VERSION, anynet.__version__)

    def agree(self, wanted: Settings) -> Settings:
        """Write the settings, or more trials if they exist, and a copy of them into the folder; return them."""
        with self.lock:
            merged = super().agree(wanted)
            search_folder.write_settings(self._folder, merged, self._url.shown)
        return merged

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Context manager that turns errors of the storage's library into `StorageError`, and closes connections."""
        try:
            yield
        except self.errors as error:
            cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) else error
            told = printable(self._url.hidden(first_line(cause or error)), 300)
            raise StorageError(
                f"{self._url.shown}: expected a storage that answers, got an error: {told}; check that its server runs "
                "and lets you in, and run the same command again"
            ) from None
        finally:
            self.close()

    def close(self) -> None:
        """Close connections; the next use opens new ones."""
