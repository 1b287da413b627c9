"""The environment variables of a peer's process."""

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
    """The same number of threads for every library, Keras on its JAX backend, and what makes GPUs comparable.

    Float32 products without TF32, as PyTorch and CuPy have them by default, in JAX too, which does not take most of the
    memory ahead; and no torch.compile that was to make a CUDA graph and, unheard, does not.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")  # the last one is XLA's
    chosen = dict.fromkeys(names, str(threads)) | CHOICES
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
