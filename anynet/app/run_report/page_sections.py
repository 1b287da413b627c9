"""Sections of a page: those for which there is content, in their order."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Section(NamedTuple):
    """A section: the anchor, the heading and the template."""

    id: str
    title: str
    template: str


def sections(kind: str, values: Mapping[str, Any]) -> list[Section]:
    """Return the sections of a page.

    Parameters
    ----------
    kind : {"run", "runs", "sweep", "search"}
    values : mapping from str
        What the templates are given.

    Returns
    -------
    list of Section
    """
    parts, shown = values.get("parts", ()), values.get("predictions", ())
    ended = any(part.files.result and not part.files.diverged for part in parts)
    found = {
        "results": ("Results", kind == "runs"),
        "members": ("Members and ensemble", kind == "sweep"),
        "ranking": ("Ranking", kind == "search"),
        "search_picture": ("Accuracy over the settings", values.get("picture") is not None),
        "importances": ("Which settings matter", bool(values.get("importances"))),
        "divergence": ("Divergence", any(part.files.divergence for part in parts)),
        "settings": ("Settings", True),
        "curves": ("Curves", values.get("curves") is not None),
        "confusion": ("Confusions", bool(shown)),
        "classes": ("Precision and recall", bool(shown)),
        "calibration": ("Calibration", bool(shown)),
        "mistakes": ("Worst mistakes", bool(shown)),
        "numbers": ("Errors", bool(values.get("scatters"))),
        "no_analysis": ("Confusions and mistakes", ended and not shown and not values.get("scatters")),
        "filters": ("Learnt filters", any(part.net.filters or (part.net.summary and part.net.note) for part in parts)),
        "times": ("Where the time went", any(part.files.history for part in parts)),
        "again": ("How to make it again", True),
    }
    return [Section(name.replace("_", "-"), title, f"{name}.html") for name, (title, there) in found.items() if there]
