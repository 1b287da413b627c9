"""Tests on every backend, of which some are marked slow: compiling takes seconds on JAX and on the GPU's emulator."""

from collections.abc import Iterable, Mapping

import pytest

BACKENDS = ("numpy", "torch:cpu", "torch:cuda", "jax", "cupy", "emulated cupy")
"""Names that the fixture ``backend_here`` takes."""


def compiling(*cases: object) -> dict[str, Iterable[object]]:
    """The same cases for each backend that takes long to compile a step."""
    return dict.fromkeys(("torch:cpu", "jax", "emulated cupy"), cases)


def on_backends(name: str, cases: Iterable[object], fast: Mapping[str, Iterable[object]]) -> pytest.MarkDecorator:
    """Every case, as the argument `name`, on every backend, as ``backend_here``.

    fast: for some backends, the cases that always run there; the others of these backends are marked slow.
    """
    cases = list(cases)
    return pytest.mark.parametrize(
        ("backend_here", name),
        [
            pytest.param(where, case, marks=[] if where not in fast or case in fast[where] else [pytest.mark.slow])
            for where in BACKENDS
            for case in cases
        ],
        indirect=["backend_here"],
        ids=[f"{where}-{case}" for where in BACKENDS for case in cases],
    )
