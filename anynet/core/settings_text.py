"""Values that are made of settings, such as layers and optimizers, as text and as a table."""

import re
from dataclasses import fields, is_dataclass
from typing import Any

from anynet.core.formatting import FIXED_SPACE, wrapped
from anynet.core.html_table import Html, html_block, html_table

WIDTH = 80
"""Number of columns of a line of a repr."""

SHORT_CALL = re.compile(r"\([^()]{,40}\)")


class ShownSettings:
    """Base class of frozen dataclasses of settings.

    Their repr is in lines of at most `WIDTH` columns, and what ``str`` returns is the same in one line, for messages.
    A subclass that has a repr of its own is shown as that says.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.__repr__ = cls.__repr__  # type: ignore[method-assign]  # now its own, in place of which dataclass makes none

    def __repr__(self) -> str:
        return in_lines(self._text())

    def __str__(self) -> str:
        return self._text() if type(self).__repr__ is ShownSettings.__repr__ else repr(self)

    def _repr_html_(self) -> str:
        rows = [(name, text_of(value)) for name, value in settings_of(self).items()]
        title = type(self).__name__ if type(self).__repr__ is ShownSettings.__repr__ else repr(self)
        return html_block(title, html_table(("setting", "value"), rows) if rows else Html())

    def _text(self) -> str:
        """Return the value in one line, with all settings."""
        settings = (f"{name}={text_of(value)}" for name, value in settings_of(self).items())
        return f"{type(self).__name__}({', '.join(settings)})"


def text_of(value: object) -> str:
    """Return the repr of a value, in one line where it is settings."""
    return str(value) if isinstance(value, ShownSettings) else repr(value)


def settings_of(value: object) -> dict[str, Any]:
    """Return the fields of a dataclass that its repr shows, by name; none of another class."""
    shown = [field.name for field in fields(value) if field.repr] if is_dataclass(value) else []
    return {name: getattr(value, name) for name in shown}


def in_lines(text: str) -> str:
    r"""Return a text in lines of at most `WIDTH` columns, the first of which is not indented.

    Parameters
    ----------
    text : str
        It is broken behind commas and the like, but not within short calls.

    Returns
    -------
    str

    Examples
    --------
    >>> in_lines("Net(" + "Linear(10), " * 7 + "ReLU())")
    'Net(Linear(10), Linear(10), Linear(10), Linear(10), Linear(10), Linear(10),\n    Linear(10), ReLU())'
    """
    whole = SHORT_CALL.sub(lambda call: call[0].replace(" ", FIXED_SPACE), re.sub(r"\n *", " ", text))
    return "\n".join(wrapped(whole, WIDTH, "    "))
