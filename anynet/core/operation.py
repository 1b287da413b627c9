"""Functions of arrays that are recorded as one operation, which each array library may compute in its own way."""

from collections.abc import Callable
from typing import Any

from array_api_compat import array_namespace, is_array_api_obj

from anynet.core.typing import Array


class Operation:
    """Function of arrays with a name.

    A call runs the definition. While a step is recorded, the call is one node of the record instead, and a target of
    the compiler may compute it by another function; one that does not calls the definition.

    Parameters
    ----------
    definition : callable
        Pure function of arrays, written in the array API, and of settings. It takes positional arguments, and returns
        an array of the dtype of the first one.
    shape : callable
        Function of the same arguments that returns the shape of the result.

    Attributes
    ----------
    name : str
        Name of the definition.
    """

    def __init__(self, definition: Callable[..., Array], shape: Callable[..., tuple[int, ...]]) -> None:
        self.definition, self.shape = definition, shape
        self.name = definition.__name__
        self.__doc__ = definition.__doc__

    def __call__(self, *args: Any) -> Array:
        """Return what the definition does, or record the call."""
        xp = array_namespace(*filter(is_array_api_obj, args))
        record = getattr(xp, "record_operation", None)
        result: Array = self.definition(*args) if record is None else record(self, *args)
        return result

    def __repr__(self) -> str:
        return f"<operation {self.name}>"


def operation(shape: Callable[..., tuple[int, ...]]) -> Callable[[Callable[..., Array]], Operation]:
    """Return a decorator that makes an `Operation` of its definition, given the function for its shape."""

    def decorate(definition: Callable[..., Array]) -> Operation:
        return Operation(definition, shape)

    return decorate
