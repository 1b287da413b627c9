"""``anynet search``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from anynet.app import search as searches
from anynet.app.config import Config, Count, Quiet
from anynet.app.ending import ending_with_signals
from anynet.app.grouping import STACK_SIZE
from anynet.app.keeping import draw_all
from anynet.app.run_report.own_pages import own_pages
from anynet.app.search.samplers import Sampler
from anynet.app.space_text import parse_space
from anynet.app.tables import print_table
from anynet.app.trackers import tracker_names
from anynet.core.meter import progress_shown


def search(
    *,
    over: Annotated[list[str], Parameter(negative="")],
    out: Path,
    preset: str | None = None,
    trials: Count | None = None,
    sampler: Sampler | None = None,
    fine: Count | None = None,
    fine_epochs: Count | None = None,
    fine_train: str | None = None,
    prune: bool = True,
    stack_size: Count = STACK_SIZE,
    quiet: Quiet = False,
    log: Annotated[list[str] | None, Parameter(negative="")] = None,
    storage: Annotated[str | None, Parameter(env_var="ANYNET_STORAGE")] = None,
    dask: str | None = None,
    config: Config = Config(),  # noqa: B008
) -> None:
    """Search hyperparameters: train at points of a space, and rank them by validation accuracy.

    After an interruption, run the same command again to continue; a larger --trials or --fine adds trials. Several
    processes with the same command share the work.

    Parameters
    ----------
    over
        Setting to search; repeat for more. lr=0.001,0.01: values (with + for a comma: hidden=50+30,100).
        l2=1e-5..1e-1: range, log-uniform. momentum=0.5..0.99..linear: range, uniform.
    out
        Folder for the results, new or to be continued.
    preset
        Preset to start from, e.g. garcia-sanz/2, or a config.toml; other options override it.
    trials
        Number of points, 10,000 at most; required if there is a range. More than a search had continue it.
    sampler
        qmc (evenly spread; default for ranges), tpe (ten of qmc, then where the best ones were), random, or grid (all
        combinations; default for lists alone).
    fine
        Number of points of a second stage, in ranges around the best three of the first.
    fine_epochs
        Number of epochs of the second stage. Default: --epochs.
    fine_train
        Training images of the second stage. Default: --train.
    prune
        Stop a trial if its best validation accuracy, from a quarter of the epochs (rounded down) on, is below the
        median of the finished trials at that epoch; the first five always finish.
    stack_size
        Number of trials trained together as one stack, at most. Trials are stacked if they differ only in learning
        rate, schedule, warm-up, momentum, weight decay, l2 and init.
    quiet
        Show no progress.
    log
        Trackers in which each trial is a run, in folders of their names in that of the results: tensorboard.
    storage
        URL of a storage that machines share, in which the search has the name of --out: postgresql://host/database,
        mysql://host/database, redis://host/0 or journal:///shared/file. Default: --out.
    dask
        Scheduler of a Dask cluster whose workers train the trials, such as host:8786; local starts a worker per core.
    """
    trackers = tracker_names(log or ())
    if fine is None and (fine_epochs or fine_train):
        raise ValueError("--fine-epochs and --fine-train: expected --fine with them; give its number of points")
    finer = replace(config, epochs=fine_epochs or config.epochs, train=fine_train or config.train)
    stage = None if fine is None else searches.Fine(fine, base=finer)
    message = f"interrupted; run the same command again to continue {out}"
    with ending_with_signals(message), progress_shown(not quiet):
        ranked = searches.search(
            config,
            parse_space(over),
            out,
            trials=trials,
            sampler=sampler,
            fine=stage,
            prune=prune,
            seed=config.seed,
            stack_size=stack_size,
            log=trackers,
            storage=storage,
            dask=dask,
        )
        draw_all(own_pages(out))
    print_table(ranked.table())
    print(f"results in {out}")
