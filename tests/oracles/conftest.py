"""Where the oracles are asked: every backend that is here, in both precisions."""

import importlib
from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Any

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


HERE = ("numpy", "torch:cpu", "jax", "cupy", "torch:cuda")
SLOW = (*TESTED_ON_CPU, "jax")
"""Where double precision is slow: JAX compiles long, and its own derivatives hold it in test_by_jax.py."""


def in_precision(dtype: str, slow: Collection[str]) -> list[Any]:
    """Each backend in a precision, as parameters of a fixture."""
    return [
        pytest.param((dtype, *each.values), marks=each.marks, id=f"{dtype}-{each.values[0]}")
        for each in marked(HERE, slow)
    ]


def chosen(name: str, request: pytest.FixtureRequest) -> Backend:
    """Return a backend; where it cannot run, the test is skipped with the reason."""
    try:
        found = backend(name)
    except BackendError as error:
        pytest.skip(str(error))
    if found.name == "jax":
        request.getfixturevalue("jax")
    return found


@pytest.fixture(
    scope="module",
    params=[pytest.param(False, id="few"), pytest.param(True, id="many", marks=pytest.mark.slow)],
)
def thorough(request: pytest.FixtureRequest) -> bool:
    """Whether tests make many draws, which is slow, or few."""
    return request.param


@pytest.fixture(scope="module", params=marked(HERE, SLOW))
def float64(thorough: bool, request: pytest.FixtureRequest) -> There:
    """Each backend in double precision."""
    return There(chosen(request.param, request), "float64", thorough)


@pytest.fixture(scope="module", params=[*in_precision("float64", SLOW), *in_precision("float32", TESTED_ON_CPU)])
def there(thorough: bool, request: pytest.FixtureRequest) -> There:
    """Each backend in each precision."""
    dtype, name = request.param
    return There(chosen(name, request), dtype, thorough)
