"""Environment variables of the peers' processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

CHOICES = {
    "KERAS_BACKEND": "jax",
    "JAX_DEFAULT_MATMUL_PRECISION": "float32",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "TORCHINDUCTOR_CUDAGRAPH_OR_ERROR": "1",
}


def variables(threads: int) -> dict[str, str]:
    """Return the environment variables of a peer's process.

    They set the number of threads of every library, Keras's JAX backend, and settings for comparable GPU results:
    JAX multiplies float32 matrices without TF32, as PyTorch and CuPy do by default, and does not preallocate memory;
    torch.compile raises an error if it cannot make a CUDA graph.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")  # NPROC is XLA's
    chosen = dict.fromkeys(names, str(threads)) | CHOICES
    if threads == 1:
        chosen["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    return chosen


@contextmanager
def environment(chosen: dict[str, str]) -> Iterator[None]:
    """Set environment variables within a context; processes started in it inherit them."""
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
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
