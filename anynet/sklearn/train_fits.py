"""Training of one net, or of several as a stack, each until it has converged."""

import warnings
from collections.abc import Sequence
from functools import partial

from anynet.sklearn.fit_stack import FitStack
from anynet.sklearn.net_fits import Course, NetFit
from anynet.training.stack import take


def train(fits: Sequence[NetFit], course: Course) -> None:
    """Train nets as one stack, until each has converged or has diverged, or the epochs are over.

    Members that ended are left out of the stack once half of it has.

    Parameters
    ----------
    fits : sequence of NetFit
        They get losses, carry and error. Their nets differ in initializers only, and their optimizers as members' may.
    course : Course
    """
    live = list(fits)
    stack = FitStack(live, course)
    carry = stack.start()
    ended: set[int] = set()  # places in the stack
    try:
        for epoch in range(course.epochs):
            after = stack.train_epoch(carry, epoch)
            losses, diverged = stack.read(after)
            carry = after
            for k, fit in enumerate(live):
                if k in ended:
                    continue
                last = epoch + 1 == course.epochs
                if diverged[k]:
                    fit.error = stack.error(k, int(diverged[k]), epoch)
                elif not fit.add_epoch(losses[k], partial(stack.member, carry, k)) and not last:
                    continue
                ended.add(k)
                fit.end(stack.member(carry, k))
            if course.verbose:
                print(f"epoch {epoch + 1}/{course.epochs}: loss {', '.join(f'{loss:.6g}' for loss in losses)}")
            if len(ended) == len(live):
                return
            if 2 * len(ended) >= len(live):
                kept = [k for k in range(len(live)) if k not in ended]
                live, ended = [live[k] for k in kept], set()
                smaller = FitStack(live, course, stack)
                carry = take(kept, carry) if smaller.stacked else stack.member(carry, kept[0])
                stack = smaller
    except KeyboardInterrupt:
        if not all(fit.losses for fit in fits):
            raise
        warnings.warn("training was interrupted; the last whole epoch is kept", stacklevel=2)
        for k, fit in enumerate(live):
            if k not in ended:
                fit.end(stack.member(carry, k))
