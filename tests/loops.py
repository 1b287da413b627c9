"""The loops that tests compare: the plain one, which every backend can do, and the recorded one."""

from typing import Any, NoReturn

from anynet.backends import Backend, backend
from anynet.backends.base import Loop, Step


def plain(chosen: Backend) -> Backend:
    """The backend with the loop that needs nothing of its library."""
    kind = type("Plain", (type(chosen),), {"loop": Backend.loop})
    return kind(chosen.name, chosen.device)


def recorded(chosen: Backend) -> Backend:
    """The backend, which fails where a step cannot be recorded."""

    def loop(self: Backend, step: Step) -> Loop:
        def refuse(*args: Any) -> NoReturn:
            raise AssertionError("the step was not recorded")

        found: Any = super(kind, self).loop(step)
        found.__wrapped__._plain = refuse
        return found

    kind = type("Recorded", (type(chosen),), {"loop": loop})
    return kind(chosen.name, chosen.device)


PLAIN, RECORDED = plain(backend("numpy")), recorded(backend("numpy"))
