"""Redis as storage: Optuna's journal in it, and names that it forgets for the lock of each search and its workers."""

import warnings
from pathlib import Path

import redis
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalRedisBackend
from redis.lock import Lock

from anynet.app.search.stores import shared_store
from anynet.app.search.stores.shared_store import CONNECT_SECONDS, SharedStore
from anynet.app.search.stores.storage_url import StorageUrl
from anynet.app.search.stores.store import StepLock
from anynet.app.search.stores.worker import LeasedWorker

LOCK_SECONDS = 30.0
"""Time after which the lock of a process that was killed is released; one step takes much less."""


class RedisStore(SharedStore):
    """A Redis server. Its keys begin with ``anynet:`` and the name of the search.

    Parameters
    ----------
    url : StorageUrl
    folder : Path
        Folder of the search.
    """

    errors = (redis.RedisError,)

    def __init__(self, url: StorageUrl, folder: Path) -> None:
        super().__init__(url, folder)
        self._prefix = f"anynet:{self.name}"
        self._address = f"{url.scheme}://{url.rest}?socket_connect_timeout={CONNECT_SECONDS}"
        self._client = redis.Redis.from_url(self._address, decode_responses=True)
        self._mutex = Lock(self._client, f"{self._prefix}:lock", timeout=LOCK_SECONDS, sleep=0.02, thread_local=False)
        self.lock = StepLock(self._mutex.acquire, self._mutex.release)

    def _open(self) -> BaseStorage:
        with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
            return JournalStorage(JournalRedisBackend(self._address, prefix=self._prefix))

    def worker(self) -> LeasedWorker:
        """Return this process's part in the search, as a context."""
        return LeasedWorker(self, shared_store.LEASE_SECONDS)

    def renew(self, name: str) -> None:
        """Let a worker be known for another while."""
        with self._client.pipeline() as together:
            together.sadd(f"{self._prefix}:workers", name)
            together.set(self._key(name), 1, px=round(1000 * shared_store.LEASE_SECONDS))
            together.execute()

    def remove(self, name: str) -> None:
        """Forget a worker."""
        self._client.srem(f"{self._prefix}:workers", name)
        self._client.delete(self._key(name))

    def names(self) -> set[str]:
        """Return the workers that are known; forget those that have not been seen for a while."""
        names = {str(name) for name in self._client.smembers(f"{self._prefix}:workers")}
        gone = {name for name in names if not self._client.exists(self._key(name))}
        if gone:
            self._client.srem(f"{self._prefix}:workers", *gone)
        return names - gone

    def close(self) -> None:
        """Close connections; the next use opens new ones."""
        self._client.close()

    def _key(self, name: str) -> str:
        return f"{self._prefix}:worker:{name}"
