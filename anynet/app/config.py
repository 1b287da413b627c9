"""Settings of one training run, as typed on the command line and stored in ``config.toml``."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import Parameter, Token
from cyclopts.validators import Number

from anynet.backends import COMPILE, DTYPES, PRECISIONS
from anynet.core.checks import nearest
from anynet.data.augmentation import BORDERS
from anynet.data.views import KINDS_OF_VIEWS
from anynet.optim import OPTIMIZERS
from anynet.training import TrainSettings


def whole(kind: Any, tokens: Sequence[Token]) -> int:
    """Return a whole number, such as 100 or 1e8; cyclopts would round others."""
    text = tokens[0].value
    try:
        return int(text)  # exact, however large
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not number.is_integer():
        raise ValueError("Must be a whole number.")
    return int(number)


def known_optimizer(kind: Any, name: str) -> None:
    """Raise ValueError unless this is an optimizer of anynet, or of a module."""
    if name not in OPTIMIZERS and ":" not in name:
        raise ValueError(f"Must be {', '.join(OPTIMIZERS)}, or MODULE:NAME{nearest(name, OPTIMIZERS)}")


def layer_settings(names: Collection[str]) -> list[str]:
    """Return the options of those settings that make layers."""
    return [f"--{name}" for name in LAYER_SETTINGS if name in names]


def refuse_layers(option: str, others: Collection[str]) -> None:
    """Raise ValueError if there are other options that make layers beside the one that names a net of all layers."""
    if others:
        wrong, which = ", ".join(others), "them" if len(others) > 1 else "it"
        raise ValueError(f"{option}: expected no {wrong} with it, since its net has all layers; leave {which} out")


Positive = Annotated[float, Parameter(validator=Number(gt=0, lt=math.inf))]
NotNegative = Annotated[float, Parameter(validator=Number(gte=0, lt=math.inf))]
Quiet = Annotated[bool, Parameter(negative="")]
Count = Annotated[int, Parameter(validator=Number(gte=1), converter=whole)]
NotNegativeCount = Annotated[int, Parameter(validator=Number(gte=0), converter=whole)]

LAYER_SETTINGS = ("hidden", "activation", "norm", "dropout", "init")
"""Settings that make the layers of a net, unless ``net`` does."""

TRAINING = "Training"
"""Group of the options that have no effect on a gradient check."""


@Parameter(name="*", group="Settings")
@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of one training run.

    The defaults are those of ``python train.py``; where a training has a setting of the same name, its default in
    `TrainSettings`, except for the penalty. The texts below the fields are the command line's help.
    """

    data: str = "auto"
    """Data set: auto, cifar10, cifar100, mnist, fashion-mnist, digits (in scikit-learn), synthetic (generated images),
    an archive of CIFAR, or a folder of official files or of class folders of images. Official sets are taken from
    $ANYNET_DATA or the cache, or downloaded; auto is cifar10, or synthetic if that fails."""
    train: str = "auto"
    """Training images: a number, taken from the front, auto (all others), or batch files of CIFAR-10, e.g.
    data_batch_1,data_batch_3."""
    val: str = "auto"
    """Validation images: a number, taken from the back, 0 for none, auto (a tenth), or batch files of CIFAR-10. With
    test_batch the best epoch is chosen on the test images, and its test accuracy is biased."""
    test: Annotated[Count, Parameter(group=TRAINING)] | None = None
    """Test images: a number, taken from the front. Default: all."""
    normalize: str = TrainSettings.normalize
    """Input normalization: none (to [0, 1]), center (subtract the training mean) or standardize (also divide by the
    deviation), per pixel; append :channel for one mean and deviation per color. auto is standardize:channel for
    convolutional and other nets of images, else standardize."""
    flip: Annotated[bool, Parameter(group=TRAINING)] = TrainSettings.flip
    """Mirror each training image left to right with probability 1/2."""
    alternate_flip: Annotated[bool, Parameter(group=TRAINING)] = TrainSettings.alternate_flip
    """Mirror each training image in every other epoch; half of them, drawn at random, in the first."""
    crop: Annotated[NotNegativeCount, Parameter(group=TRAINING)] = TrainSettings.crop
    """Pixels of border, 0 to 31, from which each training image is cropped at random."""
    border: Annotated[Literal[BORDERS], Parameter(group=TRAINING)] = TrainSettings.border  # type: ignore[valid-type]
    """Border of --crop: black pixels, or the image reflected at its outermost pixels."""
    cutout: Annotated[NotNegativeCount, Parameter(group=TRAINING)] = TrainSettings.cutout
    """Side of a square in each training image, 0 to 32 pixels, that is 0 after normalization, at random."""
    reverse: Annotated[bool, Parameter(group=TRAINING)] = TrainSettings.reverse
    """Reverse all 3,072 values of each training image (rows, columns and colors), with probability 1/2 per batch; one
    report did this instead of --flip."""

    hidden: str = "512,128"
    """Widths of the hidden layers, e.g. 50,30; "" for none."""
    activation: Literal[
        "relu", "leaky-relu", "elu", "gelu", "silu", "hardswish", "softplus", "softsign", "sigmoid", "tanh"
    ] = "relu"
    """Activation function after every hidden layer."""
    norm: Literal["batch", "layer", "none"] = "batch"
    """Normalization before every activation: of each feature over the batch, of each sample over its features, or
    none."""
    dropout: Annotated[float, Parameter(validator=Number(gte=0, lt=1))] = 0.0
    """Dropout after every activation: probability of 0, 0 to below 1."""
    init: str = "he"
    """Initial weights: he, xavier, zeros, or normal:STD, e.g. normal:0.01, which sets the biases too; otherwise they
    start at 0."""
    net: str | None = None
    """Function of a Python module that returns the net, MODULE:FUNCTION, called with the shape of a sample, e.g.
    (3, 32, 32), and the number of classes. Instead of --hidden, --activation, --norm, --dropout and --init."""
    loss: Literal["cross-entropy", "hinge"] = "cross-entropy"
    """Loss: softmax cross-entropy or multi-class hinge."""
    label_smoothing: Annotated[float, Parameter(validator=Number(gte=0, lt=1))] = 0.0
    """Share of each label that is spread over all classes, 0 to below 1 (cross-entropy only)."""
    l2: NotNegative = 3e-3
    """L2 penalty λ, 0 or more; it adds λ Σ W² to the loss (not λ/2)."""

    optimizer: Annotated[str, Parameter(group=TRAINING, validator=known_optimizer)] = "sgd"
    """Optimizer: sgd, adam, adamw, rmsprop, lion, muon, or MODULE:NAME, a class (a subclass of anynet.Optimizer) or a
    function of the learning rate schedule."""
    lr: Annotated[Positive, Parameter(group=TRAINING)] = 0.02
    """Initial learning rate, above 0."""
    momentum: Annotated[float, Parameter(group=TRAINING, validator=Number(gte=0, lt=1))] = 0.9
    """Momentum, 0 to below 1 (sgd, rmsprop and muon)."""
    nesterov: Annotated[bool, Parameter(group=TRAINING)] = False
    """Nesterov momentum (sgd only; muon always has it)."""
    weight_decay: Annotated[NotNegative, Parameter(group=TRAINING)] = 0.0
    """Decoupled decay of the weights, 0 or more: lr times this per step (sgd, adamw, lion and muon)."""
    schedule: Annotated[str, Parameter(group=TRAINING)] = "cosine"
    """Learning rate schedule: constant, cosine (to 0), exponential:G (times G per epoch), decay:K (times exp(-K) per
    epoch), step:F:N (times F every N epochs), triangular:P:A:B (from A lr to lr at a fraction P of the epochs, then to
    B lr) or one-cycle."""
    warmup: Annotated[NotNegative, Parameter(group=TRAINING)] = 0.0
    """Epochs of linear warm-up before the schedule, e.g. 0.5."""
    epochs: Annotated[Count, Parameter(group=TRAINING)] = TrainSettings.epochs
    """Number of epochs."""
    patience: Annotated[Count, Parameter(group=TRAINING)] | None = TrainSettings.patience
    """End training when the best epoch in validation lies this many epochs back. Default: train all epochs."""
    clip_norm: Annotated[Positive, Parameter(group=TRAINING)] | None = TrainSettings.clip_norm
    """Largest norm of the gradient of a step, above 0; longer ones are scaled down. Default: no limit."""
    ema: Annotated[float, Parameter(group=TRAINING, validator=Number(gt=0, lt=1))] | None = TrainSettings.ema
    """Decay of a moving average of the parameters, above 0 and below 1, e.g. 0.999, which is evaluated and kept.
    Default: no average."""
    lookahead: Annotated[str, Parameter(group=TRAINING)] | None = TrainSettings.lookahead
    """Lookahead, STEPS:RATE, e.g. 5:0.5, instead of --ema: after every so many steps slow weights go this part of the
    way to the parameters, which are set to them. The slow weights are evaluated and kept. Default: none."""
    batch_size: Annotated[Count, Parameter(group=TRAINING)] = TrainSettings.batch_size
    """Images per step."""
    drop_last: Annotated[bool, Parameter(group=TRAINING)] = TrainSettings.drop_last
    """Skip the last batch of an epoch if it is smaller."""
    sync_batch_norm: Annotated[bool, Parameter(group=TRAINING)] = TrainSettings.sync_batch_norm
    """Under mpiexec: normalize with the statistics of the whole batch, not of each process's share."""
    evaluate_train: Annotated[str, Parameter(group=TRAINING)] = TrainSettings.evaluate_train
    """Epochs after which loss and accuracy of the training images are measured: every:N, or never, which is fastest."""
    tta: Annotated[Literal[KINDS_OF_VIEWS], Parameter(group=TRAINING)] = TrainSettings.tta  # type: ignore[valid-type]
    """Test-time augmentation of the final test and of predictions: none, mirror (mean of the outputs for the image and
    its mirror image), or shift (also for both moved by a pixel)."""

    backend: str | None = None
    """Array library: numpy, cupy, torch or jax, optionally with a device, e.g. torch:cuda or cupy:1. Default:
    $ANYNET_BACKEND, or numpy."""
    dtype: Literal[DTYPES] = TrainSettings.dtype  # type: ignore[valid-type]
    """Dtype of parameters and activations."""
    precision: Literal[*PRECISIONS] = "float32"  # type: ignore[valid-type]
    """Matmul precision: float32, tf32 or bf16 (the last two on GPUs only)."""
    compile: Annotated[Literal[COMPILE], Parameter(group=TRAINING)] = TrainSettings.compile  # type: ignore[valid-type]
    """Compile steps: auto as far as possible, on or refuse, off runs each step as it is written."""
    seed: NotNegativeCount = TrainSettings.seed
    """Seed of the initial weights and, without --order-seed, of the batches."""
    order_seed: Annotated[NotNegativeCount | None, Parameter(group=TRAINING)] = TrainSettings.order_seed
    """Seed of the order of the images and of augmentation. Default: --seed."""
    memory_budget: Annotated[float, Parameter(group=TRAINING, validator=Number(gte=0, lt=1e6))] | None = None
    """GB of device memory for images; sets that do not fit are streamed. Default: half of the free memory."""

    @property
    def order(self) -> int:
        """Seed of the order of the images and of augmentation."""
        return self.seed if self.order_seed is None else self.order_seed

    @property
    def val_name(self) -> str:
        """Name of the validation images in plots, "validation" or "test"."""
        return "test" if self.val == "test_batch" else "validation"


@Parameter(name="*", group="Settings")
@dataclass(frozen=True, kw_only=True)
class CheckConfig(Config):
    """Settings of a gradient check: those of a run, in double precision."""

    dtype: Literal[DTYPES] = "float64"  # type: ignore[valid-type]
    """Dtype of the computation. float32 needs --tolerance 0.01 and misses kinks of ReLU."""
