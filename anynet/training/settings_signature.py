"""The settings of a training in the signatures and docstrings of functions."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from anynet.training.settings import TrainSettings

Function = TypeVar("Function", bound=Callable[..., Any])


def accepts_settings(function: Function) -> Function:
    """Give a function that takes ``**settings`` the signature and the documentation of `TrainSettings`.

    Parameters
    ----------
    function : callable
        Its last parameter is ``**settings``, documented in one line: "**settings : see `TrainSettings`".

    Returns
    -------
    callable
        The same function.
    """
    signature = inspect.signature(function)
    own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    parameters = [*own, *inspect.signature(TrainSettings).parameters.values()]
    function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    described = inspect.getdoc(TrainSettings)
    if function.__doc__ and described:
        _, _, after = described.partition("Parameters\n----------\n")
        section, _, _ = after.partition("\n\n")
        function.__doc__ = inspect.cleandoc(function.__doc__).replace("**settings : see `TrainSettings`", section)
    return function
