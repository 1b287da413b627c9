"""Trackers of ``--log``: logs of a training in the folder of its results."""

import shutil
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from anynet.callbacks import Callback, TensorBoard
from anynet.core.formatting import printable

TRACKERS = {"tensorboard": TensorBoard}
"""Callbacks by name, which is also that of the folder in which they write."""


def tracker_names(log: Sequence[str]) -> tuple[str, ...]:
    """Return the names of ``--log``, each once: it may be repeated, and each may be several, with commas.

    Parameters
    ----------
    log : sequence of str

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If there is no such tracker, or its package is not installed.
    """
    names = tuple(dict.fromkeys(name.strip() for text in log for name in text.split(",")))
    for name in names:
        if name not in TRACKERS:
            known = ", ".join(TRACKERS)
            raise ValueError(f'--log: expected {known}, got "{printable(name)}"; docs/examples/trackers has others')
        _make(name, Path(name))
    return names


def trackers(
    names: Sequence[str], folder: Path, members: Sequence[str] | None = None, *, anew: bool = False
) -> list[Callback]:
    """Return the callbacks that write into folders of a run, a sweep or a search.

    Parameters
    ----------
    names : sequence of str
        As returned by `tracker_names`. Those that have such a folder, because a run goes on, are added.
    folder : Path
        Of the results.
    members : sequence of str, optional
        Names of the logs of members.
    anew : bool
        If True, logs of these members are removed: their training was killed and begins again.

    Returns
    -------
    list of Callback
    """
    for name, member in product(TRACKERS, members or ()) if anew else ():
        shutil.rmtree(folder / name / member, ignore_errors=True)
    return [_make(name, folder / name, names=members) for name in TRACKERS if name in names or (folder / name).is_dir()]


def _make(name: str, folder: Path, **options: Any) -> Callback:
    try:
        return TRACKERS[name](folder, **options)
    except ModuleNotFoundError as error:
        raise ValueError(f"--log {name}: {error}") from None
