"""Where the oracles are asked: every backend that is here, in both precisions."""

import importlib
from collections.abc import Iterator
from types import ModuleType

import pytest
from on_backends import TESTED_ON_CPU, marked
from there import There

from anynet.backends import Backend, BackendError, backend


@pytest.fixture(scope="session")
def theirs() -> ModuleType:
    """PyTorch's formulas: a fixture, so that only processes that run such tests import PyTorch."""
    return importlib.import_module("torch_formulas")


@pytest.fixture(scope="module")
def jax() -> Iterator[ModuleType]:
    """JAX with 64 bits and with products as precise as their factors."""
    jax, before = pytest.importorskip("jax"), {}
    for name, value in {"jax_enable_x64": True, "jax_default_matmul_precision": "highest"}.items():
        before[name] = getattr(jax.config, name)
        jax.config.update(name, value)
    yield jax
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture(scope="module", params=marked(["numpy", "torch:cpu", "jax", "cupy", "torch:cuda"], slow=TESTED_ON_CPU))
def library(request: pytest.FixtureRequest) -> Backend:
    """Each backend in turn, those that cannot run here skipped with the reason."""
    try:
        chosen = backend(request.param)
    except BackendError as error:
        pytest.skip(str(error))
    if chosen.name == "jax":
        request.getfixturevalue("jax")
    return chosen


@pytest.fixture(
    scope="module",
    params=[pytest.param(False, id="few"), pytest.param(True, id="many", marks=pytest.mark.slow)],
)
def thorough(request: pytest.FixtureRequest) -> bool:
    """Whether tests make many draws, which is slow, or few."""
    return request.param


@pytest.fixture(scope="module", params=["float64", "float32"])
def there(library: Backend, thorough: bool, request: pytest.FixtureRequest) -> There:
    """Each backend in each precision."""
    return There(library, request.param, thorough)
