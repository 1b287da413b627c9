"""Functions and classes that an option names: MODULE:NAME."""

import importlib
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anynet
from anynet.core.checks import nearest
from anynet.core.errors import Error
from anynet.core.formatting import first_line

FORM = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
"""MODULE:NAME, both of them names with dots between."""

_found: dict[str, None] = {}
"""Objects that the options of a command have named."""


def find(option: str, text: str) -> Any:
    """Import what an option names, from the current folder or from where Python finds modules.

    Parameters
    ----------
    option : str
        Name of the option in error messages.
    text : str
        MODULE:NAME.

    Returns
    -------
    object

    Raises
    ------
    ValueError
        If the text has another form, there is no such module or name, or the module cannot be imported.
    """
    said, (module, _, name) = f"--{option} {text}", text.partition(":")
    if not FORM.fullmatch(text):
        raise ValueError(f'--{option}: expected MODULE:NAME, such as mynets:make_net, got "{text}"')
    if not {"", str(Path.cwd())} & {*sys.path}:
        sys.path.insert(0, str(Path.cwd()))  # where python -m has it
    try:
        found: Any = importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{module}.".startswith(f"{error.name}."):
            advice = "; leave out .py" if module.endswith(".py") else ""
            raise ValueError(
                f"{said}: expected a module in {Path.cwd()} or among Python's packages, found no {error.name}{advice}"
            ) from None
        raise ValueError(f"{said}: the module cannot be imported: {_explain(error)}") from error
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            known = [name for name in dir(found) if not name.startswith("_")]
            raise ValueError(f'{said}: there is no "{part}" in it{nearest(part, known) if known else ""}') from None
    _found[said] = None
    return found


def call(option: str, text: str, function: Callable[..., Any], *args: Any, **settings: Any) -> Any:
    """Call a function that an option names.

    Parameters
    ----------
    option, text : str
        As for `find`.
    function : callable
        The function, or one that was made by it.
    *args, **settings
        Its arguments.

    Returns
    -------
    object

    Raises
    ------
    ValueError
        If it raises an error; the message has it, with file and line.
    """
    try:
        return function(*args, **settings)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        given = ", ".join([*map(str, args), *(f"{name}={value}" for name, value in settings.items())]) or "nothing"
        raise ValueError(f"--{option} {text}: called with {given}, it raised {_explain(error)}") from error


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Context manager for a command, within which errors of layers and optimizers that an option names are ValueErrors.

    Errors of anynet that say what to do stay as they are, as do all errors if no option names code.
    """
    _found.clear()
    try:
        yield
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1:]
        said = isinstance(error, Error | OSError | ValueError) or not isinstance(error, Exception)
        if not _found or (said and last != _own(error)[-1:]):
            raise
        raise ValueError(f"{' '.join(_found)}: in use, it raised {_explain(error)}") from error


def _explain(error: BaseException) -> str:
    """Return the class and message of an error, and the last place outside of anynet and of libraries."""
    own = _own(error)
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {first_line(error)}{where}"


def _own(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the places that an error came through outside of anynet and of libraries."""
    paths = (sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
    others = (str(Path(anynet.__file__).parent), *paths, "<")
    return [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(others)]
