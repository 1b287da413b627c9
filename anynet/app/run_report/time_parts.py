"""Parts of the time of a run."""

from typing import Any, NamedTuple

from anynet.core.history import History

NAMES = {
    "start": "start: reading and moving images, building the net",
    "training": "training steps",
    "evaluation": "evaluation after epochs",
    "training and evaluation": "training steps and evaluation after epochs",
    "checkpoints": "checkpoints",
    "test": "test",
    "earlier": "before the run went on",
}
"""Texts for the parts of the time in ``result.json``, in the order of a run."""


class Part(NamedTuple):
    """A part of the time, in seconds and as a fraction."""

    name: str
    seconds: float
    share: float


def time_parts(result: dict[str, Any]) -> list[Part]:
    """Return the parts of a run's time that were measured, and what is left.

    Parameters
    ----------
    result : dict
        Content of ``result.json``.

    Returns
    -------
    list of Part
        Empty if no parts were measured.
    """
    measured = result.get("seconds_of")
    if measured is None or "seconds" not in result:
        return []
    parts = {name: float(measured[key]) for key, name in NAMES.items() if key in measured}
    whole = float(result["seconds"]) + float(measured.get("start", 0))
    parts["other: progress, files of each epoch"] = max(0.0, whole - sum(parts.values()))
    return [Part(name, seconds, seconds / whole if whole else 0.0) for name, seconds in parts.items()]


def seconds_per_epoch(history: History) -> float | None:
    """Return the mean time of an epoch without the first one, in which steps are compiled; of that, if it is alone."""
    if not history:
        return None
    if len(history) == 1:
        return history[0].seconds
    return (history[-1].seconds - history[0].seconds) / (len(history) - 1)
