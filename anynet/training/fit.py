"""Training one net or several, from settings to results."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack, overload

from anynet.core.checks import describe, true_or_false
from anynet.core.epoch import Epoch
from anynet.core.meter import Meter
from anynet.core.ranks import Ranks
from anynet.data.samples import is_picture
from anynet.nn import Sequential
from anynet.optim import Optimizer
from anynet.training.callback import Callback, Training
from anynet.training.callback_list import Answer, CallbackList
from anynet.training.checkpoint_files import read_histories
from anynet.training.checkpoint_folder import CheckpointFolder
from anynet.training.checkpoints import Interval
from anynet.training.description import describe_training
from anynet.training.given_data import Data
from anynet.training.progress import Progress
from anynet.training.rank_checkpoints import open_folder
from anynet.training.rank_members import train_over_ranks
from anynet.training.run import Run
from anynet.training.runs import Runs
from anynet.training.scheduler import train_members, train_one
from anynet.training.settings import Settings
from anynet.training.settings_signature import accepts_settings
from anynet.training.setup import setup
from anynet.training.stopping import stop_on_signals


@overload
def fit(
    net: Sequential,
    data: Data,
    optimizer: Optimizer,
    *,
    val: float = 0.0,
    callbacks: Sequence[Callback] = (),
    on_epoch: Callable[[Epoch], bool | None] | None = None,
    progress: bool | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int | str = 1,
    resume: bool = False,
    ranks: Ranks | None = None,
    **settings: Unpack[Settings],
) -> Run: ...
@overload
def fit(
    net: Sequential,
    data: Data,
    optimizer: Optimizer,
    *,
    val: float = 0.0,
    members: Sequence[Mapping[str, Any]] | None = None,
    seeds: Iterable[int] | None = None,
    callbacks: Sequence[Callback] = (),
    on_epoch: Callable[[dict[int, Epoch]], Collection[int] | bool | None] | None = None,
    progress: bool | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int | str = 1,
    resume: bool = False,
    ranks: Ranks | None = None,
    **settings: Unpack[Settings],
) -> Runs: ...
@accepts_settings
def fit(
    net: Sequential,
    data: Data,
    optimizer: Optimizer,
    *,
    val: float = 0.0,
    members: Sequence[Mapping[str, Any]] | None = None,
    seeds: Iterable[int] | None = None,
    callbacks: Sequence[Callback] = (),
    on_epoch: Callable[[Any], Any] | None = None,
    progress: bool | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int | str = 1,
    resume: bool = False,
    ranks: Ranks | None = None,
    **settings: Unpack[Settings],
) -> Run | Runs:
    """Train a net on a data set's training samples and test it; or several nets, on the same batches.

    Control-C ends training early: the state after the last completed epoch is tested and returned. Members that were
    not started, because there were not cores or memory for all, are left out. SIGTERM does the same, and then ends the
    process unless the program handles it. The result is also marked as interrupted if a signal comes after the last
    step.

    With `checkpoint` and `resume`, a training that was stopped or killed goes on from its last checkpoint. On the same
    backend and machine it ends with the same bits as one that was not stopped, on others with the same numbers up to
    rounding. `epochs` may be larger than before; all other settings that the results depend on must be the same.

    Parameters
    ----------
    net : Sequential
        The net to train.
    data : Dataset or tuple of arrays
        Training samples, and validation and test samples if there are any; or ``(x, y)`` or ``(x, y, x_val, y_val)``,
        as for ``anynet.data.from_arrays``.
    optimizer : Optimizer
        Such as ``SGD(0.01)``.
    val : float, default 0
        Fraction of the samples in a tuple ``(x, y)`` to split off for validation, of each class alike: whatever
        the seed, those that ``anynet.data.from_arrays(x, y, val=val)`` splits off.
    members : sequence of dict, optional
        For each of several nets the settings that it does not share: "seed", "l2", "lr" (a number or a schedule),
        "momentum", "weight_decay", or an "optimizer" of the same kind that differs in these; and "net", if initializers
        differ. Each result is as if the net had been trained alone with its settings and this `order_seed`. A net that
        diverges keeps its state of the epoch before, and the others continue.
    seeds : iterable of int, optional
        Short for members that differ in the seed only.
    callbacks : sequence of Callback, optional
        What is told when the training begins, after every epoch and at the end, such as
        ``anynet.callbacks.TensorBoard("log")``.
    on_epoch : callable, optional
        Function for the method `Callback.epoch` alone: called after every epoch with its `Epoch`; with members, with a
        dict of `Epoch` by member number. True ends the training. It may also return numbers of members to drop: they
        keep what they have and are trained no further. An error in it ends the training.
    progress : bool, optional
        Show progress on stderr: a bar on a terminal, elsewhere a line an epoch, at most about one a second. Default:
        the bar alone.
    checkpoint : str or Path, optional
        Folder for checkpoints: the last two and the one of the best epoch are kept. Needs safetensors and filelock.
    checkpoint_every : int or str, default 1
        Number of epochs between checkpoints, or of seconds: "30s". An interrupted training writes another one.
    resume : bool, default False
        Go on from the checkpoints in the folder; start from the beginning if there are none.
    ranks : Ranks, optional
        Processes that train together, from ``anynet.mpi.ranks()``; each of them calls `fit` with the same arguments and
        has the same result, up to the samples that a `Run` remembers. One net is trained on a share of every batch on
        each; of several nets, each trains some. The first rank calls callbacks, shows progress and has the checkpoints.
    **settings : see `TrainSettings`

    Returns
    -------
    Run or Runs
        `Runs` if `members` or `seeds` are given.

    Raises
    ------
    TypeError, ValueError
        If settings are out of range or do not fit each other, before any work.
    CheckpointError, FileError
        If the checkpoints are those of another training, in use, there without `resume`, or damaged, or if their folder
        cannot be written. A full disk is a warning: training goes on without checkpoints.
    BackendError
        If the backend or the precision is not available.
    OutOfMemoryError
        If memory does not suffice, before any work or later; the message has the sizes and what may fit.
    CompileError
        If `compile` is "on" and steps run more slowly than the backend can run them.
    DivergedError
        If the cost of a net that is trained alone is no longer finite; it names epoch, step and learning rate.
    RanksError
        If the ranks have other settings, data or versions.
    RankLost
        If another rank ends before the training does; the epochs until then are in the checkpoints.
    """
    first = ranks is None or ranks.is_first
    listeners = CallbackList(
        callbacks if first else (), on_epoch if first else None, stacked=not (members is None and seeds is None)
    )
    resume = true_or_false("resume", resume)
    if checkpoint is not None and not (isinstance(checkpoint, str | Path) and str(checkpoint).strip(" .")):
        raise TypeError(f"checkpoint: expected the name of a folder, got {describe(checkpoint)}")
    if resume and checkpoint is None:
        raise ValueError("resume: expected checkpoint, the folder to go on from; got none")
    every = Interval.of(checkpoint_every)
    ready = setup(net, data, optimizer, val=val, members=members, seeds=seeds, ranks=ranks, **settings)
    inputs, nets, folder = ready.inputs, ready.members, None
    if ranks is not None:
        checkpoint, resume = ranks.of_first((checkpoint, resume))
    if checkpoint is not None:
        texts, epochs = describe_training(nets, inputs.data), ready.settings.epochs
        new_folder = partial(CheckpointFolder, checkpoint, texts, every=every, epochs=epochs)
        folder = open_folder(ranks, new_folder, resume=resume)
    total = ready.settings.epochs * inputs.steps * ready.settings.batch_size * len(nets)
    unit = "img" if is_picture(inputs.data.train.shape) else "sample"
    with (
        nullcontext() if folder is None else folder.locked(),
        Meter(progress if first else False, total=total, unit=unit, unit_scale=True) as meter,
        stop_on_signals((state := Progress(meter, ready.settings.epochs, len(nets))).stop) as received,
    ):

        def report(rows: dict[int, Epoch]) -> Answer:
            state.after_epoch(rows)
            if ranks is None or ready.stacked:
                return listeners.epoch(rows)
            return ranks.first(lambda: listeners.epoch(rows))

        if callbacks and first:
            path = None if folder is None else folder.path
            kept = read_histories(path) if path is not None and resume else ()
            listeners.start(
                Training.of(inputs, nets, stacked=ready.stacked, checkpoint=path, resume=resume, histories=kept)
            )
        try:
            result: Run | Runs
            if ready.stacked:
                train = train_members if ranks is None else train_over_ranks
                runs = tuple(train(inputs, nets, state, report, folder))
                result = Runs(runs, len(runs) < len(nets) or any(run.interrupted for run in runs))
            else:
                result = train_one(inputs, nets[0], state, report, folder)
        except BaseException as error:
            listeners.failed(error)
            raise
        state.finish()
        listeners.end(replace(result, interrupted=True) if received else result)
    return replace(result, interrupted=True) if received else result  # the signal may have come after the last step
