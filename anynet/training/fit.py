"""Training a net, epoch by epoch."""

import math
import sys
import time
from collections.abc import Callable

import numpy as np
from tqdm import tqdm

from anynet.backends import Backend
from anynet.backends import backend as choose_backend
from anynet.data.augmentation import Augmentation
from anynet.data.dataset import IMAGE_SHAPE, Split
from anynet.data.loader import Loader, check_batch_size
from anynet.data.normalization import Normalization, normalization
from anynet.data.splits import Dataset
from anynet.layers import Sequential
from anynet.losses import Loss, softmax_cross_entropy
from anynet.optimizers import Optimizer
from anynet.training.history import Epoch
from anynet.training.loop import BatchLoop
from anynet.training.measure import Measure, Measured
from anynet.training.run import Run, Snapshot
from anynet.training.step import Carry, Fixed, start, train_step


class DivergedError(ArithmeticError):
    """Training whose cost is no longer finite."""


def fit(
    net: Sequential,
    data: Dataset,
    optimizer: Optimizer,
    *,
    loss: Loss = softmax_cross_entropy,
    l2: float = 0.0,
    epochs: int = 20,
    batch_size: int = 100,
    seed: int = 42,
    backend: Backend | str | None = None,
    dtype: str = "float32",
    normalize: str = "standardize",
    flip: bool = False,
    crop: int = 0,
    reverse: bool = False,
    drop_last: bool = False,
    memory_budget: int | None = None,
    progress: bool | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Run:
    """Train a net on a data set's training images, and test it.

    loss: ``losses.softmax_cross_entropy`` or ``losses.hinge``. l2: λ of the penalty λ Σ W² (see ``anynet.penalties``).
    backend: as from ``anynet.backend``, or its name; by default what ANYNET_BACKEND says, and else NumPy.
    dtype: "float32" or "float64". normalize: see ``anynet.data.normalization``.
    flip, crop, reverse: see ``anynet.data.Augmentation``.
    drop_last: whether to leave out an epoch's last, shorter batch.
    memory_budget: bytes of the device's memory that images may stay in; by default half of what is free. Sets that do
        not fit are streamed, with the same result.
    progress: whether to show a progress bar on stderr; by default where that is a terminal.
    on_epoch: called after every epoch with its line of the history.

    Control-C ends training early: what there was after the last whole epoch is tested and returned.

    Raises ValueError for settings out of range, before any work; BackendError for a backend that cannot run here;
    DivergedError, naming epoch, step and learning rate, once the cost is not finite.
    """
    check(net, data, optimizer, l2=l2, epochs=epochs, batch_size=batch_size, flip=flip, crop=crop, reverse=reverse)
    if not isinstance(backend, Backend):
        backend = choose_backend(backend)
    backend.dtype(dtype)
    train, val, test = load(data, backend, memory_budget)
    inputs = Normalization(
        *(backend.asarray(part.astype(dtype)) for part in normalization(normalize, data.train.images))
    )
    penalty = backend.asarray(np.asarray(l2, dtype)) if l2 else None
    augmentation = Augmentation(flip, crop, reverse) if flip or crop or reverse else None
    fixed = Fixed(inputs, penalty)
    train_epoch = BatchLoop(train_step(net, loss, optimizer), backend, augmentation)
    measure = Measure(net, loss, backend, inputs, penalty)

    steps = len(train) // batch_size if drop_last else math.ceil(len(train) / batch_size)
    carry = start(net, optimizer, *net.init(seed, like=backend.asarray(np.zeros(1, dtype))))
    history: list[Epoch] = []
    last = best = Snapshot(0, carry.params, carry.state)
    interrupted, began = False, time.perf_counter()
    hidden = None if progress is None else not progress
    with tqdm(total=epochs * steps * batch_size, unit="img", unit_scale=True, disable=hidden) as bar:
        try:
            for epoch in range(epochs):
                rates = [optimizer.schedule(epoch + i / steps) for i in range(steps)]
                lr = backend.asarray(np.asarray(rates, dtype))
                batches = train.shuffled(batch_size, seed, epoch, augmentation, drop_last=drop_last)
                carry = train_epoch(carry, fixed, batches, lr, lambda n: bar.update(n * batch_size))
                now = Snapshot(epoch + 1, carry.params, carry.state)
                on_train, on_val = (measure(now.params, now.state, part) for part in (train, val))
                check_finite(carry, on_train, epoch, rates)
                row = Epoch(epoch + 1, rates[-1], *on_train, *on_val, time.perf_counter() - began)
                better = not history or on_val.accuracy > history[best.epoch - 1].val_accuracy
                # At once, so that Control-C finds all or nothing of an epoch.
                history, last, best = [*history, row], now, now if better else best
                bar.set_postfix_str(
                    f"epoch {epoch + 1}/{epochs}: loss {on_train.loss:.3f}, accuracy {on_train.accuracy:.1%}, "
                    f"validation {on_val.accuracy:.1%}"
                )
                if on_epoch is not None:
                    on_epoch(row)
        except KeyboardInterrupt:
            if not history:
                raise
            interrupted = True
    return Run(
        net=net,
        backend=backend,
        dtype=dtype,
        seed=seed,
        dataset=data.name,
        classes=data.classes,
        history=history,
        last=last,
        best=best,
        normalization=inputs,
        test=measure(last.params, last.state, test),
        best_test=measure(best.params, best.state, test),
        seconds=time.perf_counter() - began,
        interrupted=interrupted,
    )


def check(
    net: Sequential,
    data: Dataset,
    optimizer: Optimizer,
    *,
    l2: float,
    epochs: int,
    batch_size: int,
    flip: bool = False,
    crop: int = 0,
    reverse: bool = False,
) -> None:
    """Raises TypeError or ValueError for settings out of range, and for a net that does not fit the data."""
    for name, value, kind in (("net", net, Sequential), ("data", data, Dataset), ("optimizer", optimizer, Optimizer)):
        if not isinstance(value, kind):
            raise TypeError(f"{name}: expected a {kind.__name__}, got {value!r}")
    if epochs < 1:
        raise ValueError(f"epochs: expected 1 or more, got {epochs}")
    if not 0 <= l2 < math.inf:
        raise ValueError(f"l2: expected 0 or more, got {l2}")
    _check_images(data, flip=flip, crop=crop, reverse=reverse)
    check_batch_size(batch_size, len(data.train))
    pixels = data.train.images.shape[1]
    if net.n_in not in (None, pixels):
        raise ValueError(f"{net} takes {net.n_in} features, but the images of {data.name} have {pixels}")
    if net.n_out not in (None, len(data.classes)):
        raise ValueError(f"{net} gives {net.n_out} logits, but {data.name} has {len(data.classes)} classes")
    for epoch in range(epochs):
        try:
            rate = optimizer.schedule(epoch)
        except OverflowError:
            rate = math.inf
        if not 0 <= rate < math.inf:
            raise ValueError(f"{optimizer}: the learning rate of epoch {epoch + 1} is {rate}")


def _check_images(data: Dataset, *, flip: bool, crop: int, reverse: bool) -> None:
    pixels = data.train.images.shape[1]
    for which in ("train", "val", "test"):
        part: Split = getattr(data, which)
        if not len(part):
            raise ValueError(f"the {which} set of {data.name} is empty; it needs an image at least")
        if part.images.shape[1] != pixels:
            raise ValueError(f"the {which} set of {data.name} has {part.images.shape[1]} pixels an image, not {pixels}")
        low, high = part.labels.min(), part.labels.max()
        if low < 0 or high >= len(data.classes):
            raise ValueError(
                f"the {which} set of {data.name}: expected labels 0 to {len(data.classes) - 1}, one for each class, "
                f"got {low} to {high}"
            )
    if not 0 <= crop < IMAGE_SHAPE[-1]:
        raise ValueError(f"crop: expected 0 to {IMAGE_SHAPE[-1] - 1} pixels, got {crop}")
    if (flip or crop or reverse) and pixels != math.prod(IMAGE_SHAPE):
        raise ValueError(
            f"flip, crop and reverse need images of shape {IMAGE_SHAPE}, and those of {data.name} have {pixels} values"
        )


def load(data: Dataset, backend: Backend, memory_budget: int | None) -> list[Loader]:
    """Loaders of the training, validation and test images; on the device as far as the budget, in bytes, goes."""
    if memory_budget is None:
        memory = backend.memory()
        memory_budget = sys.maxsize if memory is None else memory.free // 2
    loaders = []
    for part in (data.train, data.val, data.test):
        resident = part.images.nbytes <= memory_budget
        memory_budget -= part.images.nbytes if resident else 0
        loaders.append(Loader(part, backend, resident=resident))
    return loaders


def check_finite(carry: Carry, measured: Measured, epoch: int, rates: list[float]) -> None:
    """Raises DivergedError where the epoch's cost, or the loss of one of its steps, was not finite."""
    diverged = int(carry.diverged)
    if math.isfinite(measured.cost) and not diverged:
        return
    step = diverged - epoch * len(rates) if diverged else len(rates)
    raise DivergedError(
        f"the cost is no longer finite in epoch {epoch + 1}, at step {step} of {len(rates)}, with learning rate "
        f"{rates[step - 1]:g}; a lower rate, a warm-up or normalised inputs may help"
    )
