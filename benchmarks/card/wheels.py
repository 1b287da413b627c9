"""Packages that ``python -m benchmarks.card`` needs on a machine with a GPU but without network."""

import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"

EXTRAS, TESTS = ("app", "fast"), ("array-api-strict", "hypothesis", "pytest")
"""Extras of anynet that the benchmarks need, and packages that the tests need too."""

THERE = ("cupy-cuda12x", "cupy-cuda13x", "jax", "numpy", "torch")
"""Packages that the machine has already, with all that they need."""

COMMANDS = (
    "pip download --no-deps --only-binary=:all: --python-version 3.12 --platform manylinux_2_28_x86_64 "
    "--platform manylinux2014_x86_64 --dest wheels --requirement wheels.txt",
    "pip install --no-index --no-deps --find-links wheels --requirement wheels.txt",
)
"""Commands for the machine with network, to which the Python and the platform belong, and for the other."""


def lines() -> list[str]:
    """Return commands as comments, and ``name==version`` of each package to carry, as installed here.

    Raises ValueError if a package is not installed here.
    """
    if absent := missing():
        raise ValueError(f"--wheels: expected packages that are installed here, {', '.join(absent)} are not")
    return [*(f"# {command}" for command in COMMANDS), *(f"{name}=={version(name)}" for name in carried())]


def missing() -> list[str]:
    """Return the packages to carry that are not installed here."""
    return [name for name in carried() if not _installed(name)]


def carried() -> list[str]:
    """Return the packages that benchmarks and tests need, directly or not, without those that are there already."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = (text for extra in EXTRAS for text in project["optional-dependencies"][extra])
    return sorted(_closure([*project["dependencies"], *extras, *TESTS]) - _closure(THERE))


def _closure(texts: Iterable[str]) -> set[str]:
    """Return the names of packages and of all that they need according to what is installed here."""
    todo, seen = list(map(Requirement, texts)), set[tuple[str, str]]()
    while todo:
        requirement = todo.pop()
        for extra in ("", *requirement.extras):
            if (key := (canonicalize_name(requirement.name), extra)) not in seen:
                seen.add(key)
                todo += _needs(*key)
    return {name for name, _ in seen}


def _needs(name: str, extra: str) -> list[Requirement]:
    found = map(Requirement, (distribution(name).requires or []) if _installed(name) else [])
    return [each for each in found if each.marker is None or each.marker.evaluate({"extra": extra})]


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
