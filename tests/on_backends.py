"""Tests on every backend: what needs a GPU has the marker ``gpu``; some are slow or thorough, since compiling is slow.

PyTorch and JAX run the same code on a GPU as on the CPU. There, tests of what differs (moving arrays, memory, waiting,
a whole training) always run, the others are marked slow. On CuPy all of them run.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pytest

GPUS = ("cupy", "torch:cuda", "jax:gpu")
"""Backends that need a GPU."""

TESTED_ON_CPU = GPUS[1:]

BACKENDS = ("numpy", "torch:cpu", "jax", "emulated cupy", *GPUS)
"""Names that the fixture ``backend_here`` takes."""


def compiling(*cases: object) -> dict[str, Iterable[object]]:
    """The same cases for each backend that takes long to compile a step."""
    return dict.fromkeys(("torch:cpu", "jax", "emulated cupy"), cases)


def marked(names: Iterable[str], slow: Collection[str] = ()) -> list[Any]:
    """Names as parameters of a test, with the markers that they need."""
    return [pytest.param(name, marks=_marks(name, name in slow)) for name in names]


def _marks(name: str, slow: bool = False, thorough: bool = False) -> list[pytest.MarkDecorator]:
    return [pytest.mark.gpu] * (name in GPUS) + [pytest.mark.slow] * slow + [pytest.mark.thorough] * thorough


def on_backends(name: str, cases: Iterable[object], fast: Mapping[str, Iterable[object]]) -> pytest.MarkDecorator:
    """Every case, as the argument `name`, on every backend, as ``backend_here``.

    fast: for some backends, the cases that always run there; the others of these backends are marked thorough.
    """
    cases, fast = list(cases), dict.fromkeys(TESTED_ON_CPU, ()) | fast
    return pytest.mark.parametrize(
        ("backend_here", name),
        [
            pytest.param(where, case, marks=_marks(where, thorough=where in fast and case not in fast[where]))
            for where in BACKENDS
            for case in cases
        ],
        indirect=["backend_here"],
        ids=[f"{where}-{case}" for where in BACKENDS for case in cases],
    )
