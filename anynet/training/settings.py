"""The settings of a training: each one described, given a default and validated in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypedDict, cast

from anynet.backends import Backend
from anynet.core.checks import nearest
from anynet.data import Augmentation
from anynet.data.normalization import AUTO
from anynet.nn.losses import Loss
from anynet.optim.averaging import Averaging
from anynet.optim.lookahead import Lookahead
from anynet.training.evaluation_interval import interval
from anynet.training.setting_checks import check_ranges, convert_types

ELSEWHERE = {
    "lr": "; the optimizer has the learning rate, such as SGD(0.01)",
    "learning_rate": "; the optimizer has it, such as SGD(0.01)",
    "label_smoothing": "; loss=anynet.losses.CrossEntropy(label_smoothing=...) smooths labels",
    "verbose": "; progress=True shows a bar, and on_epoch is called after every epoch",
    "weights": "; anynet.data.from_arrays(x, y, weights=...) makes data with weights of samples",
    "sample_weight": "; anynet.data.from_arrays(x, y, weights=...) makes data with weights of samples",
}
"""Names that one may look for among the settings, and where they are."""


ARGUMENTS = (
    "val",
    "members",
    "seeds",
    "callbacks",
    "on_epoch",
    "progress",
    "checkpoint",
    "checkpoint_every",
    "resume",
    "ranks",
)
"""Arguments of `fit` by name that are no settings."""


class Settings(TypedDict, total=False):
    """Keyword arguments of `fit` and `setup`. `TrainSettings` describes them.

    Type checkers need the names and types once more, for ``Unpack``; a test compares the two.
    """

    loss: Loss | str | None
    l2: float
    clip_norm: float | None
    ema: float | None
    lookahead: str | None
    epochs: int
    patience: int | None
    batch_size: int
    seed: int
    order_seed: int | None
    backend: Backend | str | None
    precision: str | None
    dtype: str
    normalize: str
    flip: bool
    alternate_flip: bool
    crop: int
    border: str
    cutout: int
    reverse: bool
    drop_last: bool
    sync_batch_norm: bool
    evaluate_train: str
    tta: str
    compile: str
    memory_budget: int | None


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """Settings of a training besides net, data and optimizer.

    Parameters
    ----------
    loss : callable or str, optional
        ``loss(outputs, targets)`` returns the mean loss and its gradient by the outputs, such as ``losses.hinge`` or
        ``losses.CrossEntropy(label_smoothing=0.1)``. Or the name of one, such as "hinge" or "huber". Default:
        ``losses.softmax_cross_entropy`` for classes, ``losses.mean_squared_error`` for numbers.
    l2 : float, default 0
        Factor λ of the penalty λ Σ W², 0 or more; see ``anynet.penalties``.
    clip_norm : float, optional
        Largest L2 norm of the gradient of the cost, penalty included, above 0: longer gradients are scaled down to it
        before the optimizer sees them, for each net alone. Default: no limit.
    ema : float, optional
        Decay of a moving average of the parameters after each step, above 0 and below 1, such as 0.999. The averages
        are what is evaluated and kept, with the running statistics of the parameters. Default: no average.
    lookahead : str, optional
        "STEPS:RATE", such as "5:0.5", instead of `ema`: Lookahead. Slow weights begin as the initial parameters. After
        every so many steps they go a part of the way to the parameters, above 0 and at most 1, and the parameters are
        set to them. They are evaluated and kept, as averages are. Default: none.
    epochs : int, default 20
        Number of passes over the training samples, 1 or more.
    patience : int, optional
        Early stopping: training ends when the best epoch in validation lies this many epochs back, 1 or more; of
        several nets each alone. Default: all epochs are trained.
    batch_size : int, default 100
        Samples per step, 1 to the number of training samples. The default is cut to that number.
    seed : int, default 42
        Seed of the initial parameters, 0 to 2^64 - 1.
    order_seed : int, optional
        Seed of the batches' order and of augmentation. Default: `seed`.
    backend : Backend or str, optional
        As returned by ``anynet.backend``, or its name. Default: library and device of the samples, if they are arrays
        of PyTorch, JAX or CuPy; otherwise the environment variable ANYNET_BACKEND, else NumPy.
    precision : {"float32", "tf32", "bf16"}, optional
        Precision of the matrix products of float32 arrays, and on CuPy of large activations that are stored for bf16;
        tf32 and bf16 on GPUs only. Default: that of `backend`.
    dtype : {"float32", "float64"}, default "float32"
        Data type of parameters and activations.
    normalize : str, default "auto"
        "none" (uint8 to [0, 1], others unchanged), "center" or "standardize", by mean and deviation of each pixel or
        feature of the training samples; of each color channel with ":channel" appended. "auto" is
        "standardize:channel" for nets of images, unless they begin with `Flatten`, and otherwise "standardize".
    flip : bool, default False
        Mirror each image left to right with probability 1/2.
    alternate_flip : bool, default False
        Mirror each image left to right in every other epoch; half of them, drawn at random, in the first.
    crop : int, default 0
        Crop each image at random from a frame with a border of this many pixels.
    border : {"black", "reflect"}, default "black"
        Border of `crop`: black pixels, or the image mirrored at its outermost pixels.
    cutout : int, default 0
        Side of a square of pixels, within each image and at random, that are 0 after normalization.
    reverse : bool, default False
        Reverse all values of every image of a batch with probability 1/2.
    drop_last : bool, default False
        Leave out the last batch of an epoch if it is shorter than the others.
    sync_batch_norm : bool, default True
        If several processes train one net, normalize with the statistics of the whole batch. If False, each uses those
        of its share, without waiting for the others.
    evaluate_train : str, default "every:1"
        Epochs after which cost, loss and accuracy of the training samples are measured, without augmentation:
        "every:N", the epochs N, 2 N, 3 N, ..., or "never". It changes nothing else, and may take a third of the time.
    tta : {"none", "mirror", "shift"}, default "none"
        Test-time augmentation of the test at the end and of predictions: outputs are the mean of those for the image
        and its mirror image; with "shift" also for both moved by a pixel; see ``anynet.data.Views``.
    compile : {"auto", "on", "off"}, default "auto"
        How steps run: "auto" compiles them as far as the backend can, and one `CompileWarning` says why they are slower
        than usual; "on" raises `CompileError` instead; "off" runs each step as it is written.
    memory_budget : int, optional
        Bytes of the device's memory that samples may occupy, 0 or more. Those that do not fit are streamed, with the
        same results. Default: half of the free memory.

    Attributes
    ----------
    PER_MEMBER : tuple of str
        Names of the settings in which nets that are trained as members of one stack may differ. Optimizers have an
        attribute of the same name.

    Raises
    ------
    TypeError
        If a value is of another type. Integers of NumPy are converted to int.
    ValueError
        If a value is out of range. Backend, precision and dtype are validated when the backend is chosen.
    """

    PER_MEMBER: ClassVar[tuple[str, ...]] = ("l2", "seed")

    loss: Loss | None = None
    l2: float = 0.0
    clip_norm: float | None = None
    ema: float | None = None
    lookahead: str | None = None
    epochs: int = 20
    patience: int | None = None
    batch_size: int = 100
    seed: int = 42
    order_seed: int | None = None
    backend: Backend | str | None = None
    precision: str | None = None
    dtype: str = "float32"
    normalize: str = AUTO
    flip: bool = False
    alternate_flip: bool = False
    crop: int = 0
    border: str = "black"
    cutout: int = 0
    reverse: bool = False
    drop_last: bool = False
    sync_batch_norm: bool = True
    evaluate_train: str = "every:1"
    tta: str = "none"
    compile: str = "auto"
    memory_budget: int | None = None

    def __post_init__(self) -> None:
        convert_types(self)
        check_ranges(self)

    @classmethod
    def of(cls, settings: Mapping[str, Any], arguments: tuple[str, ...] = ()) -> "TrainSettings":
        """Return settings made of keyword arguments. Raises TypeError that names the nearest setting or argument."""
        names = [field.name for field in fields(cls)]
        for name in settings:
            if name not in names:
                raise TypeError(
                    f'there is no setting "{name}"{ELSEWHERE.get(name) or nearest(name, [*names, *arguments])}'
                )
        return cls(**settings)

    @property
    def keywords(self) -> Settings:
        """The settings as keyword arguments of `fit` and `setup`."""
        return cast(Settings, {field.name: getattr(self, field.name) for field in fields(self)})

    @property
    def averaging(self) -> Averaging | None:
        """Decay of the moving average of the parameters, or Lookahead; None if there is neither."""
        return self.ema if self.lookahead is None else Lookahead.of(self.lookahead)

    @property
    def order(self) -> int:
        """Seed of the batches' order and of augmentation."""
        return self.seed if self.order_seed is None else self.order_seed

    @property
    def augmented(self) -> bool:
        """True if images are augmented."""
        return self.flip or self.alternate_flip or self.crop > 0 or self.cutout > 0 or self.reverse

    def augmentation(self, shape: tuple[int, ...], *, channels_last: bool) -> Augmentation | None:
        """Return the random changes of images of a shape (channels, rows, columns), None if there are none."""
        if not self.augmented:
            return None
        own = {name: getattr(self, name) for name in Augmentation._fields if hasattr(self, name)}
        return Augmentation(**own, shape=shape, channels_last=channels_last)

    def evaluates_train(self, epoch: int) -> bool:
        """Return True if the training samples are evaluated after an epoch, counted from 0."""
        every = interval(self.evaluate_train)
        return every is not None and (epoch + 1) % every == 0

    def steps(self, samples: int) -> int:
        """Return the number of batches in an epoch of so many samples."""
        return samples // self.batch_size + (not self.drop_last and samples % self.batch_size > 0)
