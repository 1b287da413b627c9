"""Packages that ``python -m benchmarks.card`` needs on a machine with a GPU but without network."""

import re
import sys
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

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The running version of Python."""

COMMANDS = (
    "python -m benchmarks.card --wheels --python {python} > wheels.txt",
    "pip download --no-deps --only-binary=:all: --python-version {python} --platform manylinux_2_28_x86_64 "
    "--platform manylinux2014_x86_64 --dest wheels --requirement wheels.txt",
    "pip install --no-index --no-deps --find-links wheels --requirement wheels.txt",
)
"""Two commands for the machine with network, whose Python and platform are the other's, and one for the other."""

PLATFORM = {"os_name": "posix", "platform_machine": "x86_64", "platform_system": "Linux", "sys_platform": "linux"}
"""Markers of the platform in the commands."""


def lines(python: str = HERE) -> list[str]:
    """Return commands as comments, and ``name==version`` of each package to carry, as installed here.

    Raises ValueError if `python` is no version such as "3.12", or if a package is not installed here.
    """
    if not re.fullmatch(r"3\.\d+", python):
        raise ValueError(f'--python: expected a version such as {HERE}, got "{python}"')
    if absent := missing(python):
        raise ValueError(f"--wheels lists versions that are installed here; first run pip install {' '.join(absent)}")
    commands = (f"# {command.format(python=python)}" for command in COMMANDS)
    return [*commands, *(f"{name}=={version(name)}" for name in carried(python))]


def missing(python: str = HERE) -> list[str]:
    """Return the packages to carry that are not installed here."""
    return [name for name in carried(python) if not _installed(name)]


def carried(python: str = HERE) -> list[str]:
    """Return the packages that benchmarks and tests need, directly or not, without those that are there already."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = (text for extra in EXTRAS for text in project["optional-dependencies"][extra])
    markers = PLATFORM | {"python_version": python, "python_full_version": f"{python}.0"}
    return sorted(_closure([*project["dependencies"], *extras, *TESTS], markers) - _closure(THERE, markers))


def _closure(texts: Iterable[str], markers: dict[str, str]) -> set[str]:
    """Return the names of packages and of all that they need according to what is installed here."""
    todo, seen = list(map(Requirement, texts)), set[tuple[str, str]]()
    while todo:
        requirement = todo.pop()
        for extra in ("", *requirement.extras):
            if (key := (canonicalize_name(requirement.name), extra)) not in seen:
                seen.add(key)
                todo += _needs(*key, markers)
    return {name for name, _ in seen}


def _needs(name: str, extra: str, markers: dict[str, str]) -> list[Requirement]:
    found = map(Requirement, (distribution(name).requires or []) if _installed(name) else [])
    return [each for each in found if each.marker is None or each.marker.evaluate(markers | {"extra": extra})]


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
