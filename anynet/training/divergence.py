"""Reports on a cost that is no longer finite: the steps before it, repeated and looked at.

Batches are a function of seed and epoch, so the steps of the epoch are repeated from the state at its start. That takes
at most as long as these steps did, and is done after the divergence alone: other steps cost nothing.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anynet.core.random import at_step
from anynet.core.typing import Array
from anynet.core.validated import validated
from anynet.data.batch import Batch
from anynet.nn import BatchNorm, Sequential
from anynet.nn.l2 import add_l2_gradient
from anynet.optim.schedules import Warmup
from anynet.training.errors import DivergedError
from anynet.training.inputs import Inputs
from anynet.training.members import Member
from anynet.training.net_input import net_input
from anynet.training.stack import Stack
from anynet.training.step import Carry
from anynet.training.weighted_loss import batch_loss

STEPS_BEFORE = 10
"""Number of steps before the first bad one that a report has."""

COMMON_RATE = 0.01
"""Learning rate to start from where a tenth of the one that failed is still far too high, above ten times this one."""
USUAL_NORMS = 0.01, 100.0
"""Range of the norms of gradients of a training that has not failed yet; others are no limit to clip at."""

AT_ONCE = "smaller samples, targets or initial weights, since it was so before the first update"
"""Advice where the learning rate is not the cause."""

Named = dict[str, NDArray[np.floating]]
"""Arrays of one member on the host, by name."""


def find_diverged(
    known: Sequence[DivergedError | None],
    diverged: NDArray[np.floating],
    costs: Sequence[float],
    epoch: int,
    rates: NDArray[np.float64],
) -> list[DivergedError | None]:
    """Return an error for each member whose cost is no longer finite.

    Parameters
    ----------
    known : sequence of DivergedError or None
        Errors of epochs before.
    diverged : ndarray, shape (members,)
        That of the carry.
    costs : sequence of float
        Measured on the training samples after the epoch; where they were not evaluated, other numbers that are not
        finite if a net is not.
    epoch : int
        Counted from 0.
    rates : ndarray, shape (steps, members)
        Learning rates of the epoch.

    Returns
    -------
    list of DivergedError or None
        A known one, or one of this epoch.
    """
    found = list(known)
    for k, (since, cost) in enumerate(zip(diverged, costs, strict=True)):
        if found[k] is None and (since or not math.isfinite(cost)):
            step = int(since) - epoch * len(rates) if since else len(rates)
            found[k] = DivergedError(epoch + 1, step, len(rates), float(rates[step - 1, k]))
    return found


def with_reports(
    inputs: Inputs, stack: Stack, carry: Carry, errors: Mapping[int, DivergedError]
) -> Mapping[int, DivergedError]:
    """Return errors of members that diverged in the same epoch with reports, or as they are if that fails.

    Parameters
    ----------
    inputs : Inputs
    stack : Stack
    carry : Carry
        At the start of the epoch.
    errors : dict of DivergedError
        By the member's place in the stack.

    Returns
    -------
    dict of DivergedError
    """
    with suppress(Exception), np.errstate(all="ignore"), inputs.backend.matmul_precision():
        rows = _repeat(inputs, stack, stack.members[0].net, carry, errors)
        reported = {}
        for i, error in errors.items():
            bad = ((row["step"], name) for row in rows[i] if (name := row["first_not_finite"]))
            step, first = next(bad, (error.step, "the cost"))
            at_once = error.epoch == step == 1 and first.startswith(("output", "the loss", "parameter"))
            advice = _advice(stack.members[i], error, [row["gradient_norm"] for row in rows[i]])
            report = {
                "epoch": error.epoch,
                "step": error.step,
                "steps": error.steps,
                "lr": error.lr,
                "first_not_finite": f"{first} (step {step})",
                "try": [AT_ONCE, *advice] if at_once else advice,
                "steps_before": rows[i],
            }
            reported[i] = DivergedError(error.epoch, error.step, error.steps, error.lr, report)
        return reported
    return errors


def _repeat(
    inputs: Inputs, stack: Stack, net: Sequential, carry: Carry, errors: Mapping[int, DivergedError]
) -> dict[int, list[dict[str, Any]]]:
    epoch = next(iter(errors.values())).epoch - 1
    batches, whole, rates = inputs.batches(epoch), inputs.whole_batches(epoch), stack.rates(epoch)
    on_device, done = stack.rows(epoch, rates), 0
    rows: dict[int, list[dict[str, Any]]] = {i: [] for i in errors}
    looked_at = {s for error in errors.values() for s in range(max(error.step - 1 - STEPS_BEFORE, 0), error.step)}

    def run(carry: Carry, start: int, stop: int) -> Carry:
        after: Carry = stack.train_epoch(carry, stack.fixed, batches.part(start, stop), on_device[start:stop, ...])
        return after

    for s in sorted(looked_at):
        carry = run(carry, done, s) if s > done else carry
        (batch,) = whole.part(s, s + 1)
        before, done = carry, s + 1
        carry = run(carry, s, done)
        for i, error in errors.items():
            if error.step - 1 - STEPS_BEFORE <= s < error.step:
                row = {"step": s + 1, "lr": float(rates[s, i])}
                rows[i].append(row | _look(inputs, stack, net, before, carry, batch, i))
    return rows


def _look(
    inputs: Inputs, stack: Stack, net: Sequential, before: Carry, after: Carry, batch: Batch, i: int
) -> dict[str, Any]:
    """Return loss and norms of a step, and the first of its arrays that is not finite."""

    def on_host(named: Mapping[str, Array]) -> Named:
        return {name: _member(inputs.backend.to_host(array), i, stacked=stack.stacked) for name, array in named.items()}

    x, fixed = net_input(net, batch.inputs(stack.fixed.normalization)), stack.fixed
    rng = at_step(fixed.key, before.step) if net.uses_rng and fixed.key is not None else None
    with validated():
        logits, cache, _ = net.forward(before.params, before.state, x, train=True, rng=rng)
        value, dlogits = batch_loss(inputs.loss, logits, batch)
    grads = net.parameter_gradients(before.params, cache, dlogits)
    if fixed.l2 is not None:
        grads = add_l2_gradient(net.layout, grads, before.params, fixed.l2)
    params, gradients = on_host(net.layout.split(before.params)), on_host(net.layout.split(grads))
    loss = on_host({"loss": value})

    def in_order() -> Iterator[tuple[str, Named]]:
        yield "parameter", params
        yield "running statistic", on_host(before.state)
        if not np.isfinite(loss["loss"]).all():
            with validated():
                for n in range(1, len(net.layers)):
                    own = _of_layers(n, net.layout.split(before.params))
                    output, *_ = net[:n].forward(own, _of_layers(n, before.state), x, train=True, rng=rng)
                    yield "output of", on_host({_layer(net, n - 1): output})
            yield "output of", on_host({_layer(net, len(net.layers) - 1): logits})
        yield "the", loss
        yield "gradient of", gradients
        yield "updated parameter", on_host(net.layout.split(after.params))

    found = (f"{kind} {name}" for kind, named in in_order() for name, array in named.items() if _is_bad(array))
    return {
        "loss": _number(float(loss["loss"])),
        "gradient_norm": _norm(*gradients.values()),
        "parameter_norm": _norm(*params.values()),
        "gradient_norms": {name: _norm(array) for name, array in gradients.items()},
        "parameter_norms": {name: _norm(array) for name, array in params.items()},
        "first_not_finite": next(found, None),
    }


def _layer(net: Sequential, n: int) -> str:
    """Return the name of a layer, as in the names of its parameters, with its class."""
    return f"layer {n}, {type(net.layers[n]).__name__}, counted from 0"


def _member(array: NDArray[Any], i: int, *, stacked: bool) -> NDArray[Any]:
    return array[i] if stacked else array


def _of_layers(n: int, named: Mapping[str, Array]) -> dict[str, Array]:
    return {name: array for name, array in named.items() if int(name.split(".")[0]) < n}


def _is_bad(array: NDArray[np.floating]) -> bool:
    return not np.isfinite(array).all()


def _norm(*arrays: NDArray[np.floating]) -> float | str:
    return _number(math.sqrt(sum(float(np.sum(np.square(array, dtype=np.float64))) for array in arrays)))


def _number(number: float) -> float | str:
    """Return the number, or "inf" or "nan", which JSON does not have, as text."""
    return number if math.isfinite(number) else str(number)


def _advice(member: Member, error: DivergedError, norms: Sequence[float | str]) -> list[str]:
    net, optimizer, settings = member
    tenth, (low, high) = error.lr / 10, USUAL_NORMS
    rate = f"a tenth of the learning rate, {tenth:.2g}"
    advice = [rate if tenth <= 10 * COMMON_RATE else f"a much lower learning rate ({COMMON_RATE} is a common start)"]
    if settings.clip_norm is None:
        usual = [norm for norm in norms if isinstance(norm, float) and low <= norm <= high]
        limit, why = (f"{min(usual):.2g}", ", the smallest norm of the gradient before") if usual else ("1", "")
        advice.append(f"clip_norm={limit} (--clip-norm {limit}){why}")
    if error.epoch == 1 and not isinstance(optimizer.lr, Warmup):
        advice.append("a warm-up of an epoch (--warmup 1)")
    if settings.normalize == "none":
        advice.append('normalize="standardize"')
    if not any(isinstance(layer, BatchNorm) for layer in net.named_layers().values()):
        advice.append("batch normalization")
    return advice
