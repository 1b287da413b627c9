"""Where the oracles are asked: every backend that is here, in both precisions."""

import importlib
from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Any

import pytest
from on_backends import TESTED_ON_CPU, marked
from there import There

from anynet.backends import BackendError, backend


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


HERE = ("numpy", "torch:cpu", "jax", "cupy", "torch:cuda")
SLOW = (*TESTED_ON_CPU, "jax")
"""Where double precision is slow: JAX compiles long, and its own derivatives hold it in test_by_jax.py."""


def places(dtype: str, slow: Collection[str]) -> list[Any]:
    """Each backend in a precision with few draws, and but for JAX with many: parameters of a fixture."""
    return [
        pytest.param(
            (name, dtype, many),
            marks=[*found.marks, *[pytest.mark.thorough] * many],
            id=f"{dtype}-{name}-{'many' if many else 'few'}",
        )
        for name in HERE
        for many in ((False,) if name == "jax" else (False, True))
        for found in marked([name], () if many else slow)
    ]


def place(request: pytest.FixtureRequest) -> There:
    """Return what the parameter of a fixture says; where a backend cannot run, the test is skipped with the reason."""
    name, dtype, many = request.param
    try:
        found = backend(name)
    except BackendError as error:
        pytest.skip(str(error))
    if found.name == "jax":
        request.getfixturevalue("jax")
    return There(found, dtype, many)


@pytest.fixture(scope="module", params=places("float64", SLOW))
def float64(request: pytest.FixtureRequest) -> There:
    """Each backend in double precision."""
    return place(request)


@pytest.fixture(scope="module", params=[*places("float64", SLOW), *places("float32", TESTED_ON_CPU)])
def there(request: pytest.FixtureRequest) -> There:
    """Each backend in each precision."""
    return place(request)
