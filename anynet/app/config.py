"""The settings of one training run, as typed on the command line and kept in ``config.toml``."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from cyclopts import App, CycloptsError, Parameter
from cyclopts.config import Dict
from cyclopts.validators import Number

from anynet.backends import DTYPES, PRECISIONS

Positive = Annotated[float, Parameter(validator=Number(gt=0))]
NotNegative = Annotated[float, Parameter(validator=Number(gte=0))]
Count = Annotated[int, Parameter(validator=Number(gte=1))]
NotNegativeCount = Annotated[int, Parameter(validator=Number(gte=0))]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of one run; the defaults are those of ``python train.py``."""

    data: str = "auto"
    """auto: $ANYNET_DATA, else the cache, else a download, else synthetic. cifar10: the same without synthetic.
    synthetic: drawn pictures. Anything else: a folder or archive of CIFAR-10."""
    train: str = "45000"
    """Training images: how many, from the front; or batch files, as in data_batch_1,data_batch_3."""
    val: str = "5000"
    """Validation images: how many, from the back; or batch files. With test_batch the best epoch is chosen on the
    test images, and its test accuracy is no honest estimate."""
    normalize: str = "standardize"
    """none (to [0, 1]), center or standardize, by the training images' mean and deviation per pixel; per colour channel
    with :channel behind."""
    flip: bool = False
    """Mirror each image left to right with probability one half."""
    crop: NotNegativeCount = 0
    """Cut each image at random from a frame with this many black pixels around it."""
    reverse: bool = False
    """With probability one half for each batch, reverse all values of each of its images at once: rows, columns and
    colour channels, as one student report's code did where a left-right flip was meant."""

    hidden: str = "512,128"
    """Widths of the hidden layers, as in 50,30; "" for one layer."""
    activation: Literal["relu", "leaky-relu", "sigmoid", "tanh"] = "relu"
    """Behind every hidden layer."""
    batch_norm: bool = True
    """Batch normalisation before every activation."""
    init: str = "he"
    """Where weights start: he, xavier, zeros, or normal:0.01, which sets biases as well."""
    loss: Literal["cross-entropy", "hinge"] = "cross-entropy"
    """Softmax cross-entropy, or the multi-class hinge."""
    l2: NotNegative = 3e-3
    """λ of the penalty λ Σ W²; for the convention with λ/2, give half of it."""

    optimizer: Literal["sgd", "adam"] = "sgd"
    """Stochastic gradient descent, or Adam."""
    lr: Positive = 0.02
    """Learning rate, or where its schedule starts."""
    momentum: Annotated[float, Parameter(validator=Number(gte=0, lt=1))] = 0.9
    """Of sgd."""
    nesterov: bool = False
    """Look ahead with the momentum."""
    schedule: str = "cosine"
    """constant; exponential:G (rate G^epoch); decay:K (rate exp(-K epoch)); step:F:N (times F every N epochs);
    cosine."""
    warmup: NotNegative = 0.0
    """Epochs of linear warm-up ahead of the schedule."""
    epochs: Count = 20
    """How often every image is seen."""
    batch_size: Count = 100
    """Images a step."""
    drop_last: bool = False
    """Leave out an epoch's last batch where it is shorter."""

    backend: str | None = None
    """numpy, cupy, torch or jax, with a device behind where wanted, as in cupy:1. Default: $ANYNET_BACKEND, else
    numpy."""
    dtype: Literal[DTYPES] = "float32"  # type: ignore[valid-type]
    """Of parameters and activations."""
    precision: Literal[*PRECISIONS] = "float32"  # type: ignore[valid-type]
    """To what operands of products of float32 arrays are rounded: float32 (not at all), tf32 or bf16, on GPUs."""
    seed: NotNegativeCount = 42
    """Of the first weights and, unless it has a seed of its own, of the order."""
    order_seed: NotNegativeCount | None = None
    """Of the batches' order and the augmentation. Default: the seed."""
    memory_budget: Annotated[float, Parameter(validator=Number(gte=0, lt=1e6))] | None = None
    """GB of the device's memory that images may stay in; the others are streamed. Default: half of what is free."""

    @property
    def order(self) -> int:
        """The seed that the batches' order and the augmentation are drawn from."""
        return self.seed if self.order_seed is None else self.order_seed

    @property
    def val_name(self) -> str:
        """What the validation images truly are, for whoever draws them: "validation" or "test"."""
        return "test" if self.val == "test_batch" else "validation"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class CheckConfig(Config):
    """Settings of a gradient check: a run's, in double precision."""

    dtype: Literal[DTYPES] = "float64"  # type: ignore[valid-type]
    """Of everything. float32 holds a tolerance of a few thousandths at best, and is too coarse to tell kinks."""


def write(config: Config, path: Path, without: Collection[str] = ()) -> None:
    """Write the settings as TOML; those that are None, and the named ones, are left out."""
    values = {name: value for name, value in asdict(config).items() if value is not None and name not in without}
    path.write_text(tomli_w.dumps(values), encoding="utf-8")


def read(path: Path) -> Config:
    """Read settings that ``write`` wrote, checked as if they had been typed.

    Raises FileNotFoundError, or ValueError that names the file and what is wrong in it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; expected the folder of a run")
    try:
        return config_of(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None


def config_of(values: Mapping[str, Any], source: str) -> Config:
    """Settings by name, checked as if they had been typed; the others are the defaults.

    Raises ValueError that names the source, the setting and what is allowed there.
    """

    def take(config: Config = Config()) -> Config:
        return config

    settings = App(config=Dict(dict(values), source=source), default_command=take, result_action="return_value")
    try:
        config: Config = settings([], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise ValueError(f"{source}: {error}") from None
    return config
