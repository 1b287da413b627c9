"""Training the members of a sweep."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from anynet.app.config import Config
from anynet.app.experiment import Experiment, fit_stack, prepare
from anynet.app.keeping import Page, draw_until_interrupted
from anynet.app.new_folder import refuse_existing
from anynet.app.resuming import check_interval, checkpoint_arguments
from anynet.app.space import Point
from anynet.app.sweep.sweep_folder import SweepFolder
from anynet.app.trackers import trackers
from anynet.core.formatting import format_count
from anynet.core.held_signals import HeldSignals
from anynet.core.meter import announce
from anynet.core.ranks import Ranks
from anynet.training import Epoch, Runs


def sweep_experiments(config: Config, points: Sequence[Point]) -> list[Experiment]:
    """Return the members of a sweep, validated; arguments as for `train_sweep`."""
    first = prepare(replace(config, order_seed=config.order, **points[0]))
    return [first.with_settings(**point) for point in points]


def train_sweep(
    config: Config,
    points: Sequence[Point],
    folder: Path | None,
    signals: HeldSignals,
    *,
    checkpoint_every: str = "1",
    resume: bool = False,
    log: Sequence[str] = (),
    ranks: Ranks | None = None,
    reports: Callable[[Path], Sequence[Page]] = lambda folder: (),
) -> tuple[Runs, Path, dict[str, Any]]:
    """Train a net for each point as one stack, on the same batches. Nothing is written before all are validated.

    Parameters
    ----------
    config : Config
        Settings that the members share. Batches are drawn from its order seed, or else its seed.
    points : sequence of dict
        Settings of each member, as returned by `sweep_points`.
    folder : Path or None
        New folder for the results; if None, ``runs/`` followed by the time.
    signals : HeldSignals
        Entered; they are held back as soon as there is something to keep.
    checkpoint_every : str
        As for `anynet.fit`, or "never".
    resume : bool
        If True, go on with the sweep in `folder`.
    log : sequence of str
        Names of trackers, as returned by `anynet.app.trackers.tracker_names`.
    ranks : Ranks, optional
        Processes that train some of the members each; this one is the first of them.
    reports : callable
        ``reports(folder)`` returns the pages about the sweep, to be written last.

    Returns
    -------
    runs : Runs
        As returned by `anynet.fit`.
    folder : Path
        Where nets and results are: elsewhere if they could not be written.
    result : dict
        Content of ``result.json``.

    Raises
    ------
    FileExistsError
        If the folder exists.
    OSError
        If the folder cannot be written, or nets and results nowhere.
    ValueError
        If all members diverged.
    BackendError, DataError, DownloadError, OutOfMemoryError, TypeError, ValueError
        As `anynet.app.experiment.prepare` and `anynet.fit` do.
    """
    if folder is not None and not resume:
        refuse_existing(folder)
    check_interval(checkpoint_every)
    members = sweep_experiments(config, points)
    first = members[0]
    configs = [member.config for member in members]
    results = SweepFolder(folder, points, configs, first.data, resume=resume)
    with results:
        count = format_count(len(members), "member") + ("" if ranks is None else f" on {ranks.size} ranks")
        announce(f"{first}; {count}; results in {results.path}")
        if ranks is not None:
            ranks.of_first(results.path)

        def add(rows: dict[int, Epoch]) -> None:
            signals.hold()  # there is something to keep; training itself is stopped by `anynet.fit`
            results.add(rows)

        more = checkpoint_arguments(results.path, checkpoint_every, resume=resume)
        runs = fit_stack(members, add, more=more | {"callbacks": trackers(log, results.path), "ranks": ranks})
        signals.hold()
        result = results.finish(runs)
        if ranks is None or not runs.interrupted:  # else the launcher is about to kill this process
            draw_until_interrupted(
                chain(results.pages(runs), results.pictures(runs, result), reports(results.path)), signals
            )
    return runs, results.path, result
