"""The door of a search: arguments and all known points are validated before anything is written."""

import itertools
import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import optuna

from anynet.app.build_optimizer import check_varied
from anynet.app.config import Config
from anynet.app.experiment import prepare
from anynet.app.grouping import STACK_SIZE
from anynet.app.search import search_folder
from anynet.app.search.fine import Fine
from anynet.app.search.ranked import Trials
from anynet.app.search.samplers import Sampler, choose_sampler, corners, known_points
from anynet.app.search.search_settings import MOST_TRIALS, merge, search_settings
from anynet.app.search.search_stages import COARSE, SearchStages
from anynet.app.search.stores.open_store import open_store
from anynet.app.search.stores.storage_url import parse_url
from anynet.app.space import Grid, Point, Space, convert_space
from anynet.backends import backend as choose_backend
from anynet.core.extras import install_command
from anynet.core.meter import Meter
from anynet.data import Batches
from anynet.data.sources import find

if TYPE_CHECKING:
    from anynet.app.search.dask_pool import DaskPool


def search(
    base: Config,
    space: Space,
    folder: str | Path,
    *,
    trials: int | None = None,
    sampler: str | None = None,
    fine: Fine | None = None,
    prune: bool = True,
    seed: int = 42,
    stack_size: int = STACK_SIZE,
    log: Sequence[str] = (),
    storage: str | None = None,
    dask: str | None = None,
) -> Trials:
    """Train once for each point of a space, and rank the trials by validation accuracy.

    Parameters
    ----------
    base : Config
        Settings that are not searched.
    space : mapping from str to Grid or Range
        Values to try, by setting.
    folder : str or Path
        Folder for the results. Processes that call `search` with equal arguments share the work, and the same call
        continues an interrupted search. A call with more `trials`, or with more trials of `fine`, adds them to those
        that are there; one with fewer returns all that are there.
    trials : int, optional
        Number of points to draw, required by all samplers but "grid".
    sampler : str, optional
        One of

        * "qmc", a scrambled Sobol' sequence, which covers each range evenly after any number of points; the default
          if there is a range;
        * "tpe", which after ten points of "qmc" takes those that a tree-structured Parzen estimator proposes. They
          depend on `stack_size` and, if several processes share the search, on their timing;
        * "random", independent draws;
        * "grid", all combinations; the default without a range.

        A search that is continued keeps its sampler.
    fine : Fine, optional
        Second stage, around the best points of the first.
    prune : bool
        Stop trials whose validation accuracy, from a quarter of their epochs on, is below the median of the finished
        trials at that epoch. If several processes share the search, this depends on their timing.
    seed : int
        Seed of the points. The seed of the training is that of `base`.
    stack_size : int
        Number of trials that a process trains as one stack, if ``anynet.app.grouping.stack_key`` allows. Results are
        those of separate trials, except that trials of one stack do not prune each other.
    log : sequence of str
        Names of trackers, as returned by ``anynet.app.trackers.tracker_names``, in which each trial is a run.
    storage : str, optional
        URL of the storage of the trials, where the search has the name of the folder:
        ``postgresql://user:password@host/database``, ``mysql://...``, ``redis://...`` or ``journal:///shared/file``.
        Processes that share the search may have folders of their own. Default: the folder.
    dask : str, optional
        Address of a Dask scheduler, such as ``host:8786``, whose workers train the trials; "local" starts a worker for
        each core. This process alone draws and records them, so it takes neither `storage` nor `log` beside it.

    Returns
    -------
    Trials
        All trials, the best first.

    Raises
    ------
    FileExistsError
        If the folder holds something else than a search.
    TypeError, ValueError
        If a point cannot be trained, a stage has more than ``MOST_TRIALS`` points, the folder holds a search with other
        settings, or all coarse trials diverged before a fine stage. Points are validated before anything is written:
        all or, with "tpe", the first ones and the corners of the space.
    StorageError, DaskError
        If the storage or the scheduler cannot be reached; the message has no password.
    BackendError, DataError, DownloadError, OutOfMemoryError
        As ``anynet.app.experiment.prepare`` and `anynet.fit` do.
    """
    folder, space = Path(folder), convert_space(space)
    if stack_size < 1:
        raise ValueError(f"stack_size: expected 1 or more, got {stack_size}")
    if fine is not None:
        fine.check(space)
    _check_counts(space, trials, fine)
    if dask is not None and (storage is not None or log):
        other = "--storage" if storage is not None else "--log"
        raise ValueError(
            f"--dask: expected no {other} beside it, since one process records what others train; drop one"
        )
    store = open_store(storage, folder)
    search_folder.check_storage(folder, storage and parse_url(storage).shown)
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it would announce each study, in the midst of the bar
    with store.in_use(), nullcontext() if dask is None else _open_pool(dask) as pool:
        there = store.read_settings()
        chosen = choose_sampler(sampler if there is None else sampler or there["sampler"], space, trials)
        choose_backend(base.backend, base.precision)  # before images are downloaded
        found = find(base.data)
        finer = fine.base if fine and fine.base else base
        bases = _resolve_data(base, found), _resolve_data(finer, found)
        settings = search_settings(bases, space, trials, fine, prune, seed, chosen)
        if there is None or merge(there, settings, store.shown) != there:
            _validate(bases, found, _points_to_validate(chosen, space, trials, seed))
        folder.mkdir(parents=True, exist_ok=True)
        return SearchStages(folder, store, found, bases, space, settings, stack_size, log, pool).run(fine)


def _open_pool(dask: str) -> "DaskPool":
    """Return the workers of a Dask cluster. Raises ValueError if Dask is not installed."""
    if find_spec("distributed") is None:
        raise ValueError(f"--dask: expected the package distributed; install it with: {install_command('dask')}")
    from anynet.app.search.dask_pool import DaskPool  # it takes half a second

    return DaskPool(dask)


def _points_to_validate(sampler: Sampler, space: Space, trials: int | None, seed: int) -> list[Point]:
    points = known_points(sampler, space, trials, seed, COARSE)
    return [*corners(space), *points] if sampler == "tpe" else points


def _validate(bases: tuple[Config, Config], found: tuple[str, Batches], points: list[Point]) -> None:
    configs = list(dict.fromkeys(bases))
    with Meter(total=len(configs) * len(points), desc="validating points", leave=False) as meter:
        for i, (config, point) in enumerate(itertools.product(configs, points), start=1):
            at_point = replace(config, **point)
            check_varied(at_point, point)
            if prepare(at_point, found).data.val is None:
                raise ValueError(f"val: expected validation images, which rank trials, got {at_point.val}; use auto")
            meter.bar.update()
            meter.say(f"validating points: {i} of {len(configs) * len(points)}", keep=False)


def _check_counts(space: Space, trials: int | None, fine: Fine | None) -> None:
    grids = [len(part.values) for part in space.values() if isinstance(part, Grid)]
    every = math.prod(grids) if len(grids) == len(space) else 0
    for name, count in (("trials", trials or 0), ("fine", fine.trials if fine else 0), ("space", every)):
        if count > MOST_TRIALS:
            raise ValueError(f"{name}: expected at most {MOST_TRIALS:,} points, got {count:,}; try fewer")


def _resolve_data(config: Config, found: tuple[str, Batches]) -> Config:
    """Replace "auto" by the data set it led to, so that a search is never continued on other images."""
    return replace(config, data="synthetic") if found[0] == "synthetic" else config
