"""The environment variables of a peer's process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def variables(threads: int) -> dict[str, str]:
    """The same number of threads for every library, and Keras on its JAX backend."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")  # the last one is XLA's
    chosen = dict.fromkeys(names, str(threads)) | {"KERAS_BACKEND": "jax"}
    if threads == 1:
        chosen["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    return chosen


@contextmanager
def environment(chosen: dict[str, str]) -> Iterator[None]:
    """With these variables set, which processes that are started within inherit."""
    before = {name: os.environ.get(name) for name in chosen}
    os.environ.update(chosen)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
