"""Settings of a net's training by name, as a run keeps them."""

from dataclasses import fields
from typing import Any

from anynet.optim.schedules import Constant
from anynet.training.description import ADDRESS, schedule_text
from anynet.training.members import Member

Plain = bool | int | float | str
"""Value of a setting, as JSON and trackers take it."""


def setting_values(member: Member) -> dict[str, Plain]:
    """Return optimizer, learning rate and settings of a net by name; those that are None are left out.

    Parameters
    ----------
    member : Member

    Returns
    -------
    dict of str to bool, int, float or str
        Such as ``{"optimizer": "SGD", "lr": 0.1, "epochs": 20, ...}``; a schedule is a text.
    """
    optimizer, settings = member.optimizer, member.settings
    schedule = optimizer.schedule
    values = {
        **{field.name: getattr(optimizer, field.name) for field in fields(optimizer)},
        **{field.name: getattr(settings, field.name) for field in fields(settings)},
        "lr": schedule.rate if isinstance(schedule, Constant) else schedule_text(schedule, settings.epochs),
    }
    named = {"optimizer": type(optimizer).__name__}
    return named | {name: plain(value) for name, value in values.items() if value is not None}


def plain(value: Any) -> Plain:
    """Return a value as it is if JSON has its type, otherwise as a text."""
    if isinstance(value, bool | int | float | str):
        return value
    return ADDRESS.sub("", str(getattr(value, "__name__", value)))
