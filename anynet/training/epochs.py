"""The loop over epochs, of one net or of a stack of members."""

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from anynet.compiler import execution
from anynet.core.epoch import Epoch
from anynet.data.samples import is_uint8
from anynet.nn.losses import binary_cross_entropy
from anynet.training.callback_list import Answer
from anynet.training.checkpoints import Checkpoints
from anynet.training.divergence import find_diverged, with_reports
from anynet.training.early_stopping import should_stop, stopped
from anynet.training.epoch_rows import epoch_row
from anynet.training.evaluate import Metrics
from anynet.training.evaluate_at_end import evaluate_at_end
from anynet.training.inputs import Inputs
from anynet.training.loop_cache import LoopCache
from anynet.training.members import Member
from anynet.training.next_state import epochs_left, was_stopped, with_epoch, without_members
from anynet.training.progress import Progress
from anynet.training.rank_checkpoints import load_state
from anynet.training.rank_ending import is_loss, leave
from anynet.training.run import Run
from anynet.training.seconds_of import SecondsOf
from anynet.training.setting_values import setting_values
from anynet.training.snapshot import Snapshot
from anynet.training.stack import Stack, choose, member_weights
from anynet.training.state import TrainingState
from anynet.training.step import Carry


def run_epochs(
    loops: LoopCache,
    members: Sequence[Member],
    *,
    stacked: bool,
    strict: bool,
    progress: Progress,
    report: Callable[[dict[int, Epoch]], Answer],
    checkpoints: Checkpoints | None = None,
) -> list[Run]:
    """Train and test one net or a stack of members.

    Control-C ends training after the last completed epoch, if there is one, and a test at once, without its results.

    Parameters
    ----------
    loops : LoopCache
    members : sequence of Member
    stacked : bool
        If False, there is one member and arrays have no axis of members.
    strict : bool
        If True, a cost that is no longer finite raises DivergedError. Otherwise the member keeps its state of the
        epoch before.
    progress : Progress
    report : callable
        Called after every epoch with the new rows of the histories by member number; returns numbers of members whose
        training ends.
    checkpoints : Checkpoints, optional
        Where to go on from, and to write states to.

    Returns
    -------
    list of Run
        One for each member.

    Raises
    ------
    DivergedError
        If `strict`.
    KeyboardInterrupt
        If Control-C comes before the first epoch is completed.
    """
    inputs, began = loops.inputs, time.perf_counter()
    epochs, patience = inputs.settings.epochs, inputs.settings.patience
    whole = Stack(loops, members, stacked=stacked)
    state, spent = (
        TrainingState.initial(whole.start(), len(members)),
        SecondsOf(asynchronous=inputs.backend.asynchronous),
    )
    if checkpoints is not None:
        state = load_state(checkpoints, state, inputs)
        began -= state.seconds
        spent.seconds |= {"earlier": state.seconds} if state.seconds else {}
        progress.shorten(_images(inputs, epochs * len(members) - epochs_left(state, epochs)))
    stack, interrupted = _part(loops, members, state.places, whole), False
    try:
        while epochs_left(state, epochs):
            places, left = state.places, epochs_left(state, epochs) - len(state.places)
            # One assignment, so that Control-C finds all or nothing of an epoch.
            state, rows = _train_epoch(stack, inputs, state, progress, began, spent, strict=strict)
            answer = report(rows) if rows else Answer(set(), set())
            state = without_members(
                state._replace(dropped=state.dropped | answer.dropped), answer.dropped | answer.stopped
            )
            progress.shorten(_images(inputs, left - epochs_left(state, epochs)))
            if state.places != places and epochs_left(state, epochs):
                stack = _part(loops, members, state.places, whole)
            if checkpoints is not None:
                with spent.part("checkpoints"):
                    checkpoints.save_if_due(state, last=not epochs_left(state, epochs))
    except KeyboardInterrupt as error:
        cause = leave(inputs.ranks, error)
        if any(state.histories) and checkpoints is not None:
            checkpoints.save(state)
        if not any(state.histories) or is_loss(cause):
            raise cause from None
        interrupted = True
    finally:
        if checkpoints is not None:
            with spent.part("checkpoints"):
                checkpoints.finish()
    with spent.part("test"):
        test, best_test, whole_test = evaluate_at_end(whole, inputs, state, progress, interrupted=interrupted)
    return [
        Run(
            net=member.net,
            backend=inputs.backend,
            dtype=inputs.settings.dtype,
            seed=member.settings.seed,
            dataset=inputs.data.name,
            classes=inputs.data.classes,
            shape=inputs.data.train.shape,
            input_dtype="uint8" if is_uint8(inputs.data.train.x) else "float",
            logistic=inputs.loss is binary_cross_entropy,
            tta=inputs.settings.tta,
            history=history,
            last=Snapshot(len(history), *member_weights(state.last, k, stacked=stacked)),
            best=Snapshot(history.best.epoch if history else 0, *member_weights(state.best, k, stacked=stacked)),
            normalization=inputs.normalization,
            test=test[k],
            best_test=best_test[k],
            seconds=time.perf_counter() - began,
            seconds_of=spent.seconds,
            execution=execution(stack.train_epoch.run),
            interrupted=interrupted or not whole_test,
            dropped=k in state.dropped and len(history) < epochs,
            stopped_early=len(history) < epochs and (should_stop(history, patience) or was_stopped(state, k)),
            diverged=state.diverged[k],
            settings=setting_values(member),
            _samples={name: part for name, part in inputs.data.parts.items() if name != "train"},
        )
        for k, (member, history) in enumerate(zip(members, state.histories, strict=True))
    ]


def _train_epoch(
    stack: Stack,
    inputs: Inputs,
    state: TrainingState,
    progress: Progress,
    began: float,
    spent: SecondsOf,
    *,
    strict: bool,
) -> tuple[TrainingState, dict[int, Epoch]]:
    """Return the state after one more epoch, and the new rows of the histories by member number."""
    epoch, places, carry = state.epoch, state.places, state.carry

    def tick(steps: int, each: int = inputs.settings.batch_size * len(places)) -> None:
        progress.update(steps * each)

    rates = stack.rates(epoch)
    rows_of_rates = stack.rows(epoch, rates)
    with spent.part("training"):
        after = stack.train_epoch(carry, stack.fixed, inputs.batches(epoch), rows_of_rates, tick, epoch=epoch)
    with spent.part("evaluation"):
        costs, since, on_train, on_val = _evaluate(stack, inputs, after, epoch)
    diverged = find_diverged([state.diverged[k] for k in places], since, costs, epoch, rates)
    new = {i: e for i, e in enumerate(diverged) if e is not None and state.diverged[places[i]] is None}
    if new:
        reported = with_reports(inputs, stack, carry, new)
        diverged = [reported.get(i, error) for i, error in enumerate(diverged)]
    for error in diverged if strict else ():
        if error is not None:
            raise error
    finite = [error is None for error in diverged]
    rows = {
        k: epoch_row(epoch + 1, float(rates[-1, i]), on_train[i], on_val[i], time.perf_counter() - began)
        for i, k in enumerate(places)
        if finite[i]
    }
    carry = Carry(*choose(finite, after[:4], carry[:4]), *after[4:])
    after_epoch = with_epoch(state, rows, carry, dict(zip(places, diverged, strict=True)))
    return without_members(after_epoch, stopped(after_epoch.histories, inputs.settings.patience)), rows


def _evaluate(
    stack: Stack, inputs: Inputs, after: Carry, epoch: int
) -> tuple[Sequence[float], NDArray[np.floating], Sequence[Metrics | None], Sequence[Metrics | None]]:
    """Return what tells whether a member diverged (see `find_diverged`), and results in training and validation."""
    due = inputs.settings.evaluates_train(epoch)
    parts = {"train": inputs.train if due else None, "val": inputs.val}
    results = {
        name: stack.evaluate(*after.weights, part, epoch=epoch) for name, part in parts.items() if part is not None
    }
    others = () if due else (stack.evaluate.size(*after.weights),)
    read, (*sizes, since) = stack.evaluate.read(list(results.values()), *others, after.diverged)
    metrics: dict[str, Sequence[Metrics]] = dict(zip(results, read, strict=True))
    none = [None] * len(stack.members)
    costs = [each.cost for each in metrics["train"]] if due else sizes[0].tolist()
    return costs, since, metrics.get("train", none), metrics.get("val", none)


def _part(loops: LoopCache, members: Sequence[Member], places: Sequence[int], whole: Stack) -> Stack:
    """Return the stack of the members that are in training."""
    if len(places) == len(members):
        return whole
    return Stack(loops, [members[k] for k in places], stacked=True)


def _images(inputs: Inputs, epochs: int) -> int:
    """Return the number of images of so many epochs, as the progress bar counts them."""
    return epochs * inputs.steps * inputs.settings.batch_size
