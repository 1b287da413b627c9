"""``anynet train``, which is also ``python train.py``."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from anynet.app.config import Config, Count, Quiet
from anynet.app.ending import ending_with_signals
from anynet.app.experiment import prepare
from anynet.app.keeping import draw_until_interrupted, harmless
from anynet.app.model_card.own_cards import own_cards
from anynet.app.resuming import (
    NEVER,
    check_interval,
    check_resumable,
    has_checkpoints,
    how_to_go_on,
    is_finished,
    read_started,
)
from anynet.app.run_report.own_pages import own_pages
from anynet.app.several_processes import join, speaking_once
from anynet.app.space import Point
from anynet.app.sweep import sweep_points, train_sweep
from anynet.app.trackers import tracker_names
from anynet.app.train_run import train_run
from anynet.compiler import UntraceableError
from anynet.core.formatting import format_count, format_numbers, format_percent, format_seconds, format_value
from anynet.core.held_signals import HeldSignals
from anynet.core.meter import announce, progress_shown
from anynet.core.ranks import Ranks
from anynet.core.streams import print_wrapped
from anynet.training import DivergedError

if TYPE_CHECKING:
    from anynet.app.tables import FittingTable


def train(
    *,
    out: Path | None = None,
    preset: str | None = None,
    seeds: Count | None = None,
    sweep: Annotated[list[str] | None, Parameter(negative="")] = None,
    profile: Annotated[bool, Parameter(negative="")] = False,
    resume: Path | None = None,
    checkpoint_every: str = "1",
    log: Annotated[list[str] | None, Parameter(negative="")] = None,
    quiet: Quiet = False,
    config: Config = Config(),  # noqa: B008
) -> None:
    """Train a classifier, by default on CIFAR-10.

    Parameters
    ----------
    out
        New folder for the results. Default: runs/ and the time.
    preset
        Preset to start from, e.g. garcia-sanz/2, or a config.toml; other options override it.
    seeds
        Number of nets to train, with this many consecutive seeds from --seed on and the same batches; 10,000 at most,
        also with --sweep.
    sweep
        Values of a setting, e.g. lr=0.001,0.01; repeat for all combinations. Allowed: lr, l2, momentum,
        weight_decay, init, schedule, warmup and seed.
    profile
        Time some steps and print the time of each layer; do not train.
    resume
        Folder of a run or a sweep to go on with, from its last checkpoint. Of its settings --epochs may be raised, and
        --backend, --precision, --compile, --memory-budget, --evaluate-train and --data (a folder of the same images)
        may change.
    checkpoint_every
        Epochs between checkpoints, or seconds as in 30s, or never.
    log
        Trackers to log the training with, in folders of their names in that of the results: tensorboard. A resumed
        training goes on with those that it has.
    quiet
        Show no progress: on a terminal no bar, elsewhere no line an epoch.
    """
    with speaking_once() as ranks:
        names, shown_here = tracker_names(log or ()), ranks is None or ranks.is_first
        if profile and ranks is not None:
            raise ValueError("--profile: expected one process, got several by mpiexec; start it without")
        if resume is not None:
            if out is not None or preset is not None or seeds is not None or sweep or profile:
                raise ValueError("--resume: expected no --out, --preset, --seeds, --sweep or --profile with it")
            started, points = read_started(resume)
            done = check_resumable(config, started, resume)
            check_interval(checkpoint_every)
            if checkpoint_every == NEVER:
                raise ValueError("--checkpoint-every: expected an interval with --resume, got never; leave it out")
            if is_finished(resume, config, done):
                early = ", stopped early; start another run for more"
                advice = "; raise --epochs to go on" if done >= config.epochs else early
                if shown_here:
                    print(f"{resume}: finished after {format_count(done, 'epoch')}{advice}", file=sys.stderr)
                return
            with (
                ending_with_signals(f"interrupted; {resume} is as it was") as signals,
                progress_shown(shown_here and not quiet),
            ):
                announce(f"{resume}: goes on after epoch {done} of {config.epochs}")
                _train(config, points, resume, checkpoint_every, signals, names, ranks, resume=True)
            return
        if profile and (out is not None or seeds is not None or sweep or log):
            raise ValueError("--profile: expected no --out, --seeds, --sweep or --log with it, since it trains nothing")
        if profile:
            from anynet.app.profiling import profile as profile_steps  # here, because training does not need it
            from anynet.app.tables import print_table

            try:
                print_table(profile_steps(prepare(config)))
            except UntraceableError as error:
                raise ValueError(f"--profile: expected a step that can be recorded, but {error}") from error
            return
        points = None if seeds is None and not sweep else sweep_points(config, sweep or (), seeds)
        message = "interrupted before the first epoch ended; nothing was kept"
        with ending_with_signals(message) as signals, progress_shown(shown_here and not quiet):
            _train(config, points, out, checkpoint_every, signals, names, ranks, resume=False)


def _train(
    config: Config,
    points: list[Point] | None,
    path: Path | None,
    every: str,
    signals: HeldSignals,
    log: Sequence[str],
    ranks: Ranks | None,
    *,
    resume: bool,
) -> None:
    if ranks is not None:
        ranks.check_same({"--resume" if resume else "--out": str(path), "--checkpoint-every": every, "--log": str(log)})
        if not ranks.is_first:
            join(config, points, ranks)
            return
    more: dict[str, Any] = {
        "log": log,
        "ranks": ranks,
        "reports": lambda folder: [*own_cards(folder), *own_pages(folder)],
    }
    if points is None:
        try:
            _, folder, result = train_run(config, path, signals, checkpoint_every=every, resume=resume, **more)
        except DivergedError as error:
            if error.file is not None:
                draw_until_interrupted(own_pages(error.file.parent), signals)
            raise
        summary = _tested(result)
    else:
        _, folder, result = train_sweep(config, points, path, signals, checkpoint_every=every, resume=resume, **more)
        if len(result["over_seeds"]) > 1 and "ensemble_test_accuracy" in result:
            with harmless("the table of results cannot be printed"):
                from anynet.app.tables import print_table  # here, because it takes time to import

                print_table(_table(result))
        summary = _summary(result)
    took = f"{format_seconds(result['seconds'])} s"
    print_wrapped(f"{_where(result)}: {summary}; {took}; results in {folder}", sys.stdout)
    if result["interrupted"] and has_checkpoints(folder):
        print(how_to_go_on(folder), file=sys.stderr)


def _tested(result: Mapping[str, Any]) -> str:
    """Return the test accuracies of a run, that of the last epoch once if it is the best."""
    early = ", where training stopped early" if result["stopped_early"] else ""
    if "test_accuracy" not in result:
        return f"not tested, after epoch {result['epochs']}{early}"
    accuracy = f"{result['test_accuracy']:.2%}"
    last = f"test accuracy {accuracy} after epoch {result['epochs']}, the last{early}"
    if "best_val_accuracy" not in result:
        return last
    if result["best_epoch"] == result["epochs"]:
        return f"{last} and the best in validation"
    best = f"{result['best_test_accuracy']:.2%}"
    other = "" if best == accuracy else f"{best} "
    return f"{last}, and {other}after epoch {result['best_epoch']}, the best in validation"


def _where(result: Mapping[str, Any]) -> str:
    interrupted = "interrupted; " if result["interrupted"] else ""
    return f"{interrupted}{result['dataset']}, {result['backend']} on {result['device']}"


def _table(result: Mapping[str, Any]) -> "FittingTable":
    from anynet.app.tables import best_table  # here, because it takes time to import, and one net needs no table

    rows, validated = result["over_seeds"], "best_val_accuracy" in result
    columns = [*rows[0]["settings"], "members", *(["validation, %"] if validated else []), "test, %"]
    by_loss = ", by their training loss" if "train_accuracy" in rows[0] else ""
    which = f", after the {'best epochs' if validated else f'last epoch{by_loss}'}"
    names = ("best_val_accuracy",) * validated + ("best_test_accuracy",)
    return best_table(result["dataset"], "combinations", rows, columns, lambda row: _cells(row, names), which)


def _cells(row: Mapping[str, Any], accuracies: Sequence[str]) -> list[str]:
    return [
        *map(format_value, row["settings"].values()),
        format_numbers(row["members"]) + (f": {len(row['diverged'])} diverged" if row["diverged"] else ""),
        *(_accuracy(row, name) if name in row else "" for name in accuracies),
    ]


def _accuracy(row: Mapping[str, Any], name: str) -> str:
    """Return the mean of an accuracy over the seeds, with its deviation if several nets have one."""
    several = len(row["members"]) - len(row["diverged"]) > 1
    return format_percent(row[name]["mean"], row[name]["deviation"] if several else None)


def _summary(result: Mapping[str, Any]) -> str:
    diverged = f", {len(result['diverged_members'])} diverged" if result["diverged_members"] else ""
    members = f"{format_count(result['members'], 'member')}{diverged}"
    if "ensemble_test_accuracy" not in result:
        return f"{members}: not tested"
    (first, *others), validated = result["over_seeds"], "best_val_accuracy" in result
    accuracies = []
    if not others:
        last, best = (_accuracy(first, name) for name in ("test_accuracy", "best_test_accuracy"))
        if validated and best == last:
            accuracies = [f"{last} % after the last and after the best epochs"]
        else:
            accuracies = [f"{last} % after the last epoch", *([f"{best} % after the best epochs"] if validated else [])]
    if result["members"] - len(result["diverged_members"]) > 1:
        trained = "of the lowest training loss" if "train_accuracy" in first else "the first"
        why = "the best in validation" if validated else trained
        accuracies += [
            f"{result['best_test_accuracy']:.2%} of member {result['best_member']}, {why}",
            f"{result['ensemble_test_accuracy']:.2%} of the ensemble",
        ]
    elif others:
        accuracies = [f"{result['best_test_accuracy']:.2%} of member {result['best_member']}"]
    return f"{members}: test accuracy {', '.join(accuracies)}"
