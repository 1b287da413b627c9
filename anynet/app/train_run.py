"""Training of one net, from its settings to a folder of results."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from anynet.app.config import Config
from anynet.app.experiment import prepare
from anynet.app.keeping import Page, Picture, draw_until_interrupted
from anynet.app.new_folder import refuse_existing
from anynet.app.resuming import check_interval, checkpoint_arguments
from anynet.app.run_folder import RunFolder
from anynet.app.trackers import trackers
from anynet.core.held_signals import HeldSignals
from anynet.core.meter import announce
from anynet.core.ranks import Ranks
from anynet.training import Epoch, Run


def train_run(
    config: Config,
    folder: Path | None,
    signals: HeldSignals,
    *,
    checkpoint_every: str = "1",
    resume: bool = False,
    log: Sequence[str] = (),
    ranks: Ranks | None = None,
    reports: Callable[[Path], Sequence[Page]] = lambda folder: (),
) -> tuple[Run, Path, dict[str, Any]]:
    """Train one net and write its run folder. Nothing is written before all settings are validated.

    Parameters
    ----------
    config : Config
        Settings.
    folder : Path or None
        New folder for the results; if None, ``runs/`` followed by the time.
    signals : HeldSignals
        Entered; they are held back as soon as there is something to keep.
    checkpoint_every : str
        As for `anynet.fit`, or "never".
    resume : bool
        If True, go on with the run in `folder`.
    log : sequence of str
        Names of trackers, as returned by `anynet.app.trackers.tracker_names`.
    ranks : Ranks, optional
        Processes that train the net together; this one is the first of them.
    reports : callable
        ``reports(folder)`` returns the pages about the run, to be written last.

    Returns
    -------
    run : Run
        As returned by `anynet.fit`.
    folder : Path
        Where net and results are: elsewhere if they could not be written.
    result : dict
        Content of ``result.json``.

    Raises
    ------
    FileExistsError
        If the folder exists.
    OSError
        If the folder cannot be written, or net and results nowhere.
    BackendError, DataError, DivergedError, DownloadError, OutOfMemoryError, TypeError, ValueError
        As `anynet.app.experiment.prepare` and `anynet.fit` do.
    """
    began = time.perf_counter()
    if folder is not None and not resume:
        refuse_existing(folder)
    check_interval(checkpoint_every)
    experiment = prepare(config)
    results = RunFolder(folder, experiment.config, experiment.data.name, resume=resume, anywhere=True)
    with results:
        announce(f"{experiment}{'' if ranks is None else f'; {ranks.size} ranks'}; results in {results.path}")
        if ranks is not None:
            ranks.of_first(results.path)

        def add(epoch: Epoch) -> None:
            signals.hold()  # there is something to keep; training itself is stopped by `anynet.fit`
            results.add(epoch)

        more = checkpoint_arguments(results.path, checkpoint_every, resume=resume)
        trained = experiment.fit(add, more=more | {"callbacks": trackers(log, results.path), "ranks": ranks})
        signals.hold()
        trained = _with_start(trained, time.perf_counter() - began)
        official = experiment.data.official
        del experiment
        result = results.finish(trained, official=official)

        def pages() -> Iterator[Page | Picture]:
            nonlocal trained
            yield from results.pages(trained)
            trained = trained.without_samples()  # which are freed before pictures are drawn
            yield from results.pictures(trained)
            yield from reports(results.path)

        if ranks is None or not trained.interrupted:  # else the launcher is about to kill this process
            draw_until_interrupted(pages(), signals)
    return trained, results.path, result


def _with_start(run: Run, seconds: float) -> Run:
    """Return a run with the part of these seconds that was before its training."""
    here = run.seconds - run.seconds_of.get("earlier", 0.0)
    return replace(run, seconds_of={"start": max(0.0, seconds - here), **run.seconds_of})
