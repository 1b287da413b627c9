"""The loops that tests compare: the plain one, which every backend can do, and the recorded one."""

from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from anynet.backends import Backend, BackendError, backend
from anynet.compiler import split_step
from anynet.core.tree import flatten

RECORDING = ("torch:cpu", "torch:cuda", "cupy", "emulated cupy")
"""Backends that record steps, as ``recording`` knows them; NumPy, which does too, has more ways of running them."""


def plain(chosen: Backend) -> Backend:
    """The backend with the loop that needs nothing of its library."""
    kind = type("Plain", (type(chosen),), {"loop": lambda self, step, compile="auto": self.plain_loop(step)})
    return kind(chosen.name, chosen.device)


def recorded(chosen: Backend) -> Backend:
    """The backend, which fails where a step cannot be recorded."""

    def refuse(*args: Any) -> NoReturn:
        raise AssertionError("the step was not recorded")

    kind = type("Recorded", (type(chosen),), {"plain_loop": lambda self, step: refuse})
    return kind(chosen.name, chosen.device)


def recording(name: str, request: pytest.FixtureRequest) -> Backend:
    """The backend of this name; where it cannot run here, or runs steps as they are, the test is skipped."""
    if name == "emulated cupy":
        emulated: Backend = request.getfixturevalue("emulated_cupy")
        return emulated
    try:
        chosen = backend(name)
    except BackendError as error:
        pytest.skip(str(error))
    if chosen.target is None:
        pytest.skip(f"{name} runs steps as they are")
    return chosen


def own(chosen: Backend) -> Backend:
    """The backend with the loop that it has, which fails where it records steps and one cannot be recorded."""
    return chosen if chosen.target is None else recorded(chosen)


def in_parts(chosen: Backend) -> Backend:
    """The backend with a loop that carries vectors in parts."""

    def loop(self: Backend, step: Callable[..., Any], compile: str = "auto") -> Callable[..., Any]:
        def run(carry: Any, shared: Any, rows: Any, tick: Any, *, before: int | None = None) -> Any:
            columns, rebuild = flatten(rows)
            split = split_step(step, self.xp, carry, shared, rebuild([column[0] for column in columns]))
            parts, fixed = split.split(carry), split.fixed(shared)
            for row in zip(*columns, strict=True):
                parts = split.run(parts, fixed, rebuild(list(row)))
            return split.join(parts)

        return self.compile(run)

    kind = type("InParts", (type(chosen),), {"loop": loop})
    return kind(chosen.name, chosen.device)


PLAIN, RECORDED = plain(backend("numpy")), recorded(backend("numpy"))
