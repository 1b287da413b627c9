"""Settings in words, for people to read."""

from collections.abc import Mapping
from typing import Any


def shown(value: Any) -> str:
    """A setting's value: yes or no, six digits of a number, and "none" for an empty text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (f"{value:g}" if isinstance(value, float) else str(value)) or "none"


def described(settings: Mapping[str, Any]) -> str:
    """Settings by name, one behind the other.

    >>> described({"lr": 0.01, "flip": True, "hidden": ""})
    'lr 0.01, flip yes, hidden none'
    """
    return ", ".join(f"{name} {shown(value)}" for name, value in settings.items())
