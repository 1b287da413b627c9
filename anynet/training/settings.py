"""The settings of a training: each one described, given a default and validated in one place."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypedDict, TypeVar, cast

from anynet.backends import Backend, check_compile
from anynet.core.checks import describe, nearest, real_number, true_or_false, whole_number
from anynet.core.seeding import check_seed
from anynet.data.normalization import check_kind
from anynet.nn.losses import BY_NAME, Loss
from anynet.training.evaluation_interval import interval

Function = TypeVar("Function", bound=Callable[..., Any])


ELSEWHERE = {
    "lr": "; the optimizer has the learning rate, such as SGD(0.01)",
    "learning_rate": "; the optimizer has it, such as SGD(0.01)",
    "verbose": "; progress=True shows a bar, and on_epoch is called after every epoch",
    "weights": "; anynet.data.from_arrays(x, y, weights=...) makes data with weights of samples",
    "sample_weight": "; anynet.data.from_arrays(x, y, weights=...) makes data with weights of samples",
}
"""Names that one may look for among the settings, and where they are."""


class Settings(TypedDict, total=False):
    """Keyword arguments of `fit` and `setup`. `TrainSettings` describes them.

    Type checkers need the names and types once more, for ``Unpack``; a test compares the two.
    """

    loss: Loss | str | None
    l2: float
    clip_norm: float | None
    ema: float | None
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
    crop: int
    reverse: bool
    drop_last: bool
    evaluate_train: str
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
        Precision of the matrix products of float32 arrays; tf32 and bf16 on GPUs only. Default: that of `backend`.
    dtype : {"float32", "float64"}, default "float32"
        Data type of parameters and activations.
    normalize : str, default "standardize"
        "none" (uint8 to [0, 1], others unchanged), "center" or "standardize", by mean and deviation of each pixel or
        feature of the training samples; of each color channel with ":channel" appended.
    flip : bool, default False
        Mirror each image left to right with probability 1/2.
    crop : int, default 0
        Crop each image at random from a frame with a black border of this many pixels.
    reverse : bool, default False
        Reverse all values of every image of a batch with probability 1/2.
    drop_last : bool, default False
        Leave out the last batch of an epoch if it is shorter than the others.
    evaluate_train : str, default "every:1"
        Epochs after which cost, loss and accuracy of the training samples are measured, without augmentation:
        "every:N", the epochs N, 2 N, 3 N, ..., or "never". It changes nothing else, and may take a third of the time.
    compile : {"auto", "on", "off"}, default "auto"
        How steps run: "auto" compiles them as far as the backend can, and one `CompileWarning` says why they are slower
        than usual; "on" raises `CompileError` instead; "off" runs each step as it is written.
    memory_budget : int, optional
        Bytes of the device's memory that samples may occupy, 0 or more. Those that do not fit are streamed, with the
        same results. Default: half of the free memory.

    Raises
    ------
    TypeError
        If a value is of another type. Integers of NumPy are converted to int.
    ValueError
        If a value is out of range. Backend, precision and dtype are validated when the backend is chosen.

    Attributes
    ----------
    PER_MEMBER : tuple of str
        Names of the settings in which nets that are trained as members of one stack may differ. Optimizers have an
        attribute of the same name.
    """

    PER_MEMBER: ClassVar[tuple[str, ...]] = ("l2", "seed")

    loss: Loss | None = None
    l2: float = 0.0
    clip_norm: float | None = None
    ema: float | None = None
    epochs: int = 20
    patience: int | None = None
    batch_size: int = 100
    seed: int = 42
    order_seed: int | None = None
    backend: Backend | str | None = None
    precision: str | None = None
    dtype: str = "float32"
    normalize: str = "standardize"
    flip: bool = False
    crop: int = 0
    reverse: bool = False
    drop_last: bool = False
    evaluate_train: str = "every:1"
    compile: str = "auto"
    memory_budget: int | None = None

    def __post_init__(self) -> None:
        self._check_types()
        check_seed(self.seed)
        check_seed(self.order, "order_seed")
        if self.epochs < 1:
            raise ValueError(f"epochs: expected 1 or more, got {self.epochs}")
        if self.patience is not None and self.patience < 1:
            raise ValueError(f"patience: expected 1 or more, or None for all epochs, got {self.patience}")
        if not 0 <= self.l2 < math.inf:
            raise ValueError(f"l2: expected 0 or more, got {self.l2}")
        if self.clip_norm is not None and not 0 < self.clip_norm < math.inf:
            raise ValueError(f"clip_norm: expected more than 0, finite, or None for no limit, got {self.clip_norm}")
        if self.ema is not None and not 0 < self.ema < 1:
            raise ValueError(f"ema: expected more than 0, less than 1, or None for no average, got {self.ema}")
        check_kind(self.normalize)
        check_compile(self.compile)
        interval(self.evaluate_train)
        if self.memory_budget is not None and self.memory_budget < 0:
            raise ValueError(f"memory_budget: expected 0 bytes or more, got {self.memory_budget}")

    def _check_types(self) -> None:
        kinds: dict[str, Callable[[str, Any], Any]] = {
            **dict.fromkeys(("l2", "clip_norm", "ema"), real_number),
            **dict.fromkeys(("epochs", "patience", "batch_size", "seed", "order_seed", "crop"), whole_number),
            "memory_budget": whole_number,
            **dict.fromkeys(("flip", "reverse", "drop_last"), true_or_false),
        }
        for name, convert in kinds.items():
            value = getattr(self, name)
            if value is not None or name not in ("clip_norm", "ema", "patience", "order_seed", "memory_budget"):
                object.__setattr__(self, name, convert(name, value))  # as frozen dataclasses do
        for name, kind, expected in (
            ("backend", Backend | str | None, 'a name, such as "numpy", or what anynet.backend returns'),
            ("precision", str | None, 'a name, such as "float32"'),
            ("dtype", str, 'a name, such as "float32"'),
            ("normalize", str, 'a name, such as "standardize"'),
            ("evaluate_train", str, '"every:N", such as "every:5", or "never"'),
            ("compile", str, '"auto", "on" or "off"'),
        ):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(f"{name}: expected {expected}, got {describe(value)}")
        if isinstance(self.loss, str):
            if self.loss not in BY_NAME:
                raise ValueError(f'loss: there is no "{self.loss}"{nearest(self.loss, BY_NAME)}')
            object.__setattr__(self, "loss", BY_NAME[self.loss])
        if self.loss is not None and (not callable(self.loss) or isinstance(self.loss, type)):
            raise TypeError(f"loss: expected a function, such as anynet.losses.hinge, got {describe(self.loss)}")

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "TrainSettings":
        """Return settings made of keyword arguments. Raises TypeError that names the nearest setting for others."""
        names = [field.name for field in fields(cls)]
        for name in settings:
            if name not in names:
                raise TypeError(f'there is no setting "{name}"{ELSEWHERE.get(name) or nearest(name, names)}')
        return cls(**settings)

    @property
    def keywords(self) -> Settings:
        """The settings as keyword arguments of `fit` and `setup`."""
        return cast(Settings, {field.name: getattr(self, field.name) for field in fields(self)})

    @property
    def order(self) -> int:
        """Seed of the batches' order and of augmentation."""
        return self.seed if self.order_seed is None else self.order_seed

    @property
    def augmented(self) -> bool:
        """True if images are augmented."""
        return self.flip or self.crop > 0 or self.reverse

    def evaluates_train(self, epoch: int) -> bool:
        """Return True if the training samples are evaluated after an epoch, counted from 0."""
        every = interval(self.evaluate_train)
        return every is not None and (epoch + 1) % every == 0

    def steps(self, samples: int) -> int:
        """Return the number of batches in an epoch of so many samples."""
        return samples // self.batch_size + (not self.drop_last and samples % self.batch_size > 0)


def accepts_settings(function: Function) -> Function:
    """Give a function that takes ``**settings`` the signature and the documentation of `TrainSettings`.

    Parameters
    ----------
    function : callable
        Its last parameter is ``**settings``, documented in one line: "**settings : see `TrainSettings`".

    Returns
    -------
    callable
        The same function.
    """
    signature = inspect.signature(function)
    own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    parameters = [*own, *inspect.signature(TrainSettings).parameters.values()]
    function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    described = inspect.getdoc(TrainSettings)
    if function.__doc__ and described:
        _, _, after = described.partition("Parameters\n----------\n")
        section, _, _ = after.partition("\n\n")
        function.__doc__ = inspect.cleandoc(function.__doc__).replace("**settings : see `TrainSettings`", section)
    return function
