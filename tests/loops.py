"""The loops that tests compare: the plain one, which every backend can do, and the recorded one."""

from typing import Any, NoReturn

from anynet.backends import Backend, backend


def plain(chosen: Backend) -> Backend:
    """The backend with the loop that needs nothing of its library."""
    kind = type("Plain", (type(chosen),), {"loop": Backend.plain_loop})
    return kind(chosen.name, chosen.device)


def recorded(chosen: Backend) -> Backend:
    """The backend, which fails where a step cannot be recorded."""

    def refuse(*args: Any) -> NoReturn:
        raise AssertionError("the step was not recorded")

    kind = type("Recorded", (type(chosen),), {"plain_loop": lambda self, step: refuse})
    return kind(chosen.name, chosen.device)


PLAIN, RECORDED = plain(backend("numpy")), recorded(backend("numpy"))
