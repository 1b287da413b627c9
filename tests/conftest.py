"""Fixtures for all tests."""

import ctypes
import gc
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import cuda_on_cpu
import numpy as np
import pytest
from fake_cupy import put_in_place
from few_images import use_few_images
from libraries import LIBRARIES, Library
from on_backends import BACKENDS, marked

from anynet.backends import Backend, BackendError, backend

os.environ["SCIPY_ARRAY_API"] = "1"  # SciPy reads it when it is imported; scikit-learn takes tensors only with it
os.environ["KERAS_BACKEND"] = "jax"  # Keras reads it when it is imported: one for all tests of a process

LARGE_LIBRARIES = ("jax", "torch", "cupy")
"""Libraries that take hundreds of megabytes, CuPy as its emulator's kernels."""


COLLECTED = pytest.StashKey[list[pytest.Item]]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep all tests that were found, those too that markers or names then leave out; thorough ones are slow."""
    for item in items:
        if item.get_closest_marker("thorough"):
            item.add_marker("slow")
    config.stash[COLLECTED] = list(items)


@pytest.fixture
def collected(request: pytest.FixtureRequest) -> list[pytest.Item]:
    """All tests of the files that this run was given."""
    return request.config.stash[COLLECTED]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Run the tests whose id names one of `LARGE_LIBRARIES` in one process each, and the others of a file in one."""
    from xdist.scheduler import LoadScopeScheduling  # here, because tests run without pytest-xdist too

    class ByLibrary(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((name for name in LARGE_LIBRARIES if name in nodeid), nodeid.partition("::")[0])

    return ByLibrary(config, log)


@pytest.fixture(scope="session", autouse=True)
def disks_are_not_waited_for() -> Iterator[None]:
    """Leave out what a crash of the machine alone would show: that files are on the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="module", autouse=True)
def memory_is_freed() -> Iterator[None]:
    """Free what the tests of a module leave behind: compiled functions, arrays in reference cycles, unused pages.

    The collector is to pass over what stays, most of it the libraries: to look at it takes longer than many modules.
    """
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
    if "torch._dynamo" in sys.modules:
        sys.modules["torch._dynamo"].reset()
    gc.collect()
    gc.freeze()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def pytest_configure(config: pytest.Config) -> None:
    """Let all processes of a test run share what is compiled, before any of them imports JAX, which reads this then.

    Test runs share the kernels that the GPU emulator has compiled; ``pytest --cache-clear`` removes them. JAX is to
    compile quickly, into slower code, and on a GPU must leave memory to the others.
    """
    if (cache := getattr(config, "cache", None)) is not None:
        cuda_on_cpu.kept = cache.mkdir("cuda-on-cpu")
    if hasattr(config, "workerinput"):  # a process of pytest-xdist, which has the environment of the first one
        return
    folder = TemporaryDirectory(prefix="anynet-tests-")
    config.add_cleanup(folder.cleanup)
    os.environ |= {
        **{"ANYNET_CACHE": f"{folder.name}/anynet", "TORCHINDUCTOR_CACHE_DIR": f"{folder.name}/torch"},
        **{"JAX_COMPILATION_CACHE_DIR": f"{folder.name}/jax", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"},
        **{"JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"},
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Look for garbage when all tests are found, not meanwhile: there is little, and looking at tests takes long."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture(params=marked(LIBRARIES))
def xp(request: pytest.FixtureRequest) -> Library:
    """Each array library in turn, those that are not here skipped with the reason."""
    return LIBRARIES[request.param]()


@pytest.fixture
def emulated_cupy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """CuPy without a GPU: kernels run on the CPU, on NumPy arrays; see tests/compiler/cuda/emulator."""
    put_in_place(monkeypatch, limit=16 << 30)
    chosen = backend("cupy")
    assert chosen.target.slower is not None  # the probe runs now, before a test injects faults
    yield chosen
    sys.modules["anynet.compiler.cuda.cublas"]._here.by_device.clear()  # with their workspaces


@pytest.fixture(params=marked(BACKENDS))
def backend_here(request: pytest.FixtureRequest):
    """Each backend in turn, those that cannot run here skipped with the reason.

    JAX as it starts: without 64 bits, whatever earlier tests have switched on.
    """
    if request.param == "emulated cupy":
        yield request.getfixturevalue("emulated_cupy")
        return
    try:
        chosen = backend(request.param)
    except BackendError as error:
        pytest.skip(str(error))
    if chosen.name != "jax":
        yield chosen
        return
    config = importlib.import_module("jax").config
    before = config.jax_enable_x64
    config.update("jax_enable_x64", False)
    yield chosen
    config.update("jax_enable_x64", before)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def no_choice_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests choose for themselves, whatever the developer's environment says."""
    for name in ("ANYNET_BACKEND", "ANYNET_DATA", "ANYNET_MIRROR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def few_pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No network, 600 generated images, and a folder of its own to work in."""
    use_few_images(monkeypatch, tmp_path)


@pytest.fixture(scope="session")
def real_cifar10() -> str:
    """A folder with real images of CIFAR-10, named by the environment variable ANYNET_TEST_CIFAR10."""
    folder = os.environ.get("ANYNET_TEST_CIFAR10")
    if not folder:
        pytest.skip("ANYNET_TEST_CIFAR10 names no folder with cifar-10-batches-py")
    return folder
