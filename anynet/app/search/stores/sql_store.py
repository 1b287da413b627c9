"""A database as storage: Optuna's tables, and two more for the lock of each search and for its workers."""

import time
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage

from anynet.app.search.stores import shared_store
from anynet.app.search.stores.shared_store import CONNECT_SECONDS, SharedStore
from anynet.app.search.stores.storage_url import StorageUrl
from anynet.app.search.stores.store import StepLock
from anynet.app.search.stores.worker import LeasedWorker

TABLES = sa.MetaData()
SEARCHES = sa.Table("anynet_searches", TABLES, sa.Column("name", sa.String(100), primary_key=True))
WORKERS = sa.Table(
    "anynet_workers",
    TABLES,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("search", sa.String(100), nullable=False),
    sa.Column("seen", sa.Double, nullable=False),
)
NOW: dict[str, sa.ColumnElement[float]] = {
    "postgresql": sa.literal_column("extract(epoch from clock_timestamp())"),
    "mysql": sa.literal_column("unix_timestamp(now(6))"),
}
"""The server's clock, in seconds."""
TABLE_EXISTS = (1050,)
"""Code of MySQL's error."""
ATTEMPTS = 10
"""Number of times that tables are looked for which another process may be making at the same moment."""


class SqlStore(SharedStore):
    """A database of PostgreSQL or MySQL.

    The lock of a search is that of a row, which the server releases when the connection ends.

    Parameters
    ----------
    url : StorageUrl
    folder : Path
        Folder of the search.

    Raises
    ------
    ImportError
        If the driver is not installed.
    """

    errors = (sa.exc.SQLAlchemyError, StorageInternalError)

    def __init__(self, url: StorageUrl, folder: Path) -> None:
        super().__init__(url, folder)
        self._address = f"{url.scheme}+{url.driver}://{url.rest}"
        self._options = {"pool_pre_ping": True, "connect_args": {"connect_timeout": CONNECT_SECONDS}}
        self._engine = sa.create_engine(self._address, isolation_level="READ COMMITTED", **self._options)
        self._now = NOW[url.scheme]
        self.lock = StepLock(self._acquire, self._release)
        self._has_tables = False

    def _open(self) -> BaseStorage:
        return RDBStorage(self._address, engine_kwargs=dict(self._options))

    def worker(self) -> LeasedWorker:
        """Return this process's part in the search, as a context."""
        return LeasedWorker(self, shared_store.LEASE_SECONDS)

    def renew(self, name: str) -> None:
        """Let a worker be known for another while."""
        with self._engine.begin() as connection:
            seen = sa.update(WORKERS).where(WORKERS.c.name == name).values(seen=self._now)
            if not connection.execute(seen).rowcount:
                connection.execute(sa.insert(WORKERS).values(name=name, search=self.name, seen=self._now))

    def remove(self, name: str) -> None:
        """Forget a worker."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(WORKERS).where(WORKERS.c.name == name))

    def names(self) -> set[str]:
        """Return the workers that are known; forget those that have not been seen for a while."""
        here = WORKERS.c.search == self.name
        with self._engine.begin() as connection:
            connection.execute(sa.delete(WORKERS).where(here, WORKERS.c.seen < self._now - shared_store.LEASE_SECONDS))
            return set(connection.scalars(sa.select(WORKERS.c.name).where(here)))

    def close(self) -> None:
        """Close connections; the next use opens new ones."""
        self._engine.dispose()
        if storage := self.__dict__.pop("storage", None):  # if it was opened
            storage.remove_session()
            storage.engine.dispose()

    def _acquire(self) -> None:
        self._make_tables()
        self._connection = self._engine.connect()
        if self._engine.name == "mysql":  # by default it gives up after 50 seconds
            self._connection.execute(sa.text("set session innodb_lock_wait_timeout = 3600"))
        row = sa.select(SEARCHES.c.name).where(SEARCHES.c.name == self.name)
        self._connection.execute(row.with_for_update())

    def _release(self) -> None:
        self._connection.close()

    def _make_tables(self) -> None:
        """Make the tables, and the row of the search, unless they are there."""
        for left in range(ATTEMPTS if not self._has_tables else 0, 0, -1):
            try:
                TABLES.create_all(self._engine)
                with self._engine.begin() as connection, suppress(sa.exc.IntegrityError):
                    connection.execute(sa.insert(SEARCHES).values(name=self.name))
                self._has_tables = True
                return
            except sa.exc.DBAPIError as error:
                made = isinstance(error, sa.exc.ProgrammingError | sa.exc.IntegrityError)
                if left == 1 or not (made or (error.orig and error.orig.args[:1] == TABLE_EXISTS)):
                    raise
                time.sleep(0.1)
