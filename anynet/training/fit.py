"""Training a net, or several at once."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypedDict, Unpack, cast, overload

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from anynet.backends import Backend
from anynet.backends import backend as choose_backend
from anynet.core.history import Epoch
from anynet.data.augmentation import Augmentation
from anynet.data.dataset import Dataset
from anynet.data.normalization import Normalization, normalization
from anynet.nn import Sequential
from anynet.nn.losses import Loss, softmax_cross_entropy
from anynet.optim import Optimizer
from anynet.training.check import check
from anynet.training.course import Course, load
from anynet.training.members import Member, check_nets, common_optimizer, members_of
from anynet.training.progress import Progress
from anynet.training.run import Run
from anynet.training.runs import Runs
from anynet.training.together import train_alone, train_members


class Settings(TypedDict, total=False):
    """The settings of ``fit`` that one net has as well as several."""

    loss: Loss
    l2: float
    epochs: int
    batch_size: int
    seed: int
    order_seed: int | None
    backend: Backend | str | None
    precision: str | None
    dtype: str
    normalize: str
    flip: bool
    crop: int
    reverse: bool
    drop_last: bool
    memory_budget: int | None
    progress: bool | None


@overload
def fit(
    net: Sequential,
    data: Dataset,
    optimizer: Optimizer,
    *,
    on_epoch: Callable[[Epoch], None] | None = None,
    **settings: Unpack[Settings],
) -> Run: ...
@overload
def fit(
    net: Sequential,
    data: Dataset,
    optimizer: Optimizer,
    *,
    members: Sequence[Mapping[str, Any]] | None = None,
    seeds: Iterable[int] | None = None,
    on_epoch: Callable[[dict[int, Epoch]], Collection[int] | None] | None = None,
    **settings: Unpack[Settings],
) -> Runs: ...
def fit(
    net: Sequential,
    data: Dataset,
    optimizer: Optimizer,
    *,
    members: Sequence[Mapping[str, Any]] | None = None,
    seeds: Iterable[int] | None = None,
    loss: Loss = softmax_cross_entropy,
    l2: float = 0.0,
    epochs: int = 20,
    batch_size: int = 100,
    seed: int = 42,
    order_seed: int | None = None,
    backend: Backend | str | None = None,
    precision: str | None = None,
    dtype: str = "float32",
    normalize: str = "standardize",
    flip: bool = False,
    crop: int = 0,
    reverse: bool = False,
    drop_last: bool = False,
    memory_budget: int | None = None,
    progress: bool | None = None,
    on_epoch: Callable[[Any], Any] | None = None,
) -> Run | Runs:
    """Train a net on a data set's training images, and test it; or several nets at once, on the same batches.

    loss: ``losses.softmax_cross_entropy`` or ``losses.hinge``. l2: λ of the penalty λ Σ W² (see ``anynet.nn.l2``).
    seed: what the first weights are drawn from. order_seed: what the batches and their variation are drawn from; by
        default the seed.
    backend: as from ``anynet.backend``, or its name; by default what ANYNET_BACKEND says, and else NumPy.
    precision: to what operands of products are rounded, "float32", "tf32" or "bf16"; see ``anynet.backend``. By default
        the backend's own, which is float32 where it is named.
    dtype: "float32" or "float64". normalize: see ``anynet.data.normalization``.
    flip, crop, reverse: see ``anynet.data.Augmentation``.
    drop_last: whether to leave out an epoch's last, shorter batch.
    memory_budget: bytes of the device's memory that images may stay in; by default half of what is free. Sets that do
        not fit are streamed, with the same result.
    progress: whether to show a progress bar on stderr; by default where that is a terminal.
    on_epoch: called after every epoch with its line of the history; with members, with a dict of their lines by number.
        It may then return the numbers of members to drop: these keep what they have, and are trained no more.

    members: for each of several nets, the settings that it has of its own: "seed", "l2", "lr" (a rate or a schedule),
        "momentum", or a whole "optimizer", and "net", where initializers differ. ``Runs`` are returned, each as if
        trained alone with its settings and this ``order_seed``. A net that diverges keeps what it had after the epoch
        before, and the others go on.
    seeds: short for members that differ in nothing but the seed.

    Control-C ends training early: what there was after the last whole epoch is tested and returned; members whose turn
    had not come, because there were not cores or memory for all at once, are left out.

    Raises ValueError or TypeError for settings out of range, and MemoryError for a net that does not fit the free
    memory, before any work, and whenever memory runs out, with the sizes and what may fit; BackendError for a backend
    or a precision that there is not here; DivergedError, naming epoch, step and learning rate, once the cost of a net
    that is trained alone is not finite.
    """
    alone = Member(net, optimizer, l2, seed)
    if seeds is not None:
        if members is not None:
            raise ValueError('members and seeds: expected one of them; a member\'s seed is its setting "seed"')
        members = [{"seed": each} for each in seeds]
    stacked = members is not None
    nets = [alone] if members is None else members_of(alone, members)
    for k, member in enumerate(nets):
        try:
            check(
                member.net,
                data,
                member.optimizer,
                l2=member.l2,
                epochs=epochs,
                batch_size=batch_size,
                flip=flip,
                crop=crop,
                reverse=reverse,
                seed=member.seed,
            )
        except (TypeError, ValueError) as error:
            raise (type(error)(f"member {k}: {error}") if stacked else error) from None
    check_nets(nets)
    common_optimizer(nets)
    if not isinstance(backend, Backend):
        backend = choose_backend(backend)
    if precision is not None:
        backend = backend.with_precision(precision)
    backend.dtype(dtype)
    train_images, val_images, test_images = load(data, backend, memory_budget)
    host = cast(tuple[NDArray[np.float64], ...], normalization(normalize, data.train.images))
    course = Course(
        data=data,
        train=train_images,
        val=val_images,
        test=test_images,
        normalization=Normalization(*(backend.asarray(part.astype(dtype)) for part in host)),
        augmentation=Augmentation(flip, crop, reverse) if flip or crop or reverse else None,
        loss=loss,
        epochs=epochs,
        batch_size=batch_size,
        order_seed=seed if order_seed is None else order_seed,
        drop_last=drop_last,
        backend=backend,
        dtype=dtype,
    )
    total = epochs * course.steps * batch_size * len(nets)
    with tqdm(total=total, unit="img", unit_scale=True, disable=None if progress is None else not progress) as bar:
        if not stacked:
            return train_alone(course, alone, Progress(bar), on_epoch)
        runs = tuple(train_members(course, nets, Progress(bar), on_epoch))
    return Runs(runs, data.test, len(runs) < len(nets) or any(run.interrupted for run in runs))
