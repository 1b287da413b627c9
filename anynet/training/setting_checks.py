"""Types and ranges of the settings of a training, as `TrainSettings` has them."""

import math
from collections.abc import Callable
from typing import Any

from anynet.backends import Backend, check_compile
from anynet.core.checks import describe, nearest, real_number, store, true_or_false, whole_number
from anynet.core.seeding import check_seed
from anynet.data.augmentation import BORDERS
from anynet.data.normalization import AUTO, check_kind
from anynet.data.views import KINDS_OF_VIEWS
from anynet.nn.losses import BY_NAME
from anynet.optim.lookahead import Lookahead
from anynet.training.evaluation_interval import interval

CONVERSIONS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("l2", "clip_norm", "ema"), real_number),
    **dict.fromkeys(("epochs", "patience", "batch_size", "seed", "order_seed", "memory_budget"), whole_number),
    **dict.fromkeys(("crop", "cutout"), whole_number),
    **dict.fromkeys(("flip", "alternate_flip", "reverse", "drop_last", "sync_batch_norm"), true_or_false),
}
"""Functions that convert a setting, or refuse it."""

OPTIONAL = ("clip_norm", "ema", "patience", "order_seed", "memory_budget")
"""Settings among those that may be None."""

OTHERS: dict[str, tuple[Any, str]] = {
    "backend": (Backend | str | None, 'a name, such as "numpy", or what anynet.backend returns'),
    "lookahead": (str | None, '"STEPS:RATE", such as "5:0.5"'),
    "precision": (str | None, 'a name, such as "float32"'),
    "dtype": (str, 'a name, such as "float32"'),
    "normalize": (str, 'a name, such as "standardize"'),
    "border": (str, '"black" or "reflect"'),
    "evaluate_train": (str, '"every:N", such as "every:5", or "never"'),
    "tta": (str, '"none", "mirror" or "shift"'),
    "compile": (str, '"auto", "on" or "off"'),
}
"""Types of other settings, and what is expected of them."""


def convert_types(settings: Any) -> None:
    """Convert settings, a loss by its name among them. Raises TypeError for other types, ValueError for other names."""
    for name, convert in CONVERSIONS.items():
        value = getattr(settings, name)
        if value is not None or name not in OPTIONAL:
            store(settings, name, convert(name, value))
    for name, (kind, expected) in OTHERS.items():
        value = getattr(settings, name)
        if not isinstance(value, kind):
            raise TypeError(f"{name}: expected {expected}, got {describe(value)}")
    loss = settings.loss
    if isinstance(loss, str):
        if loss not in BY_NAME:
            raise ValueError(f'loss: there is no "{loss}"{nearest(loss, BY_NAME)}')
        store(settings, "loss", BY_NAME[loss])
    elif loss is not None and (not callable(loss) or isinstance(loss, type)):
        raise TypeError(f"loss: expected a function, such as anynet.losses.hinge, got {describe(loss)}")


def check_ranges(settings: Any) -> None:
    """Raise ValueError if a setting, or a pair of them, is not allowed with any data."""
    check_seed(settings.seed)
    check_seed(settings.order, "order_seed")
    if settings.epochs < 1:
        raise ValueError(f"epochs: expected 1 or more, got {settings.epochs}")
    if settings.patience is not None and settings.patience < 1:
        raise ValueError(f"patience: expected 1 or more, or None for all epochs, got {settings.patience}")
    if not 0 <= settings.l2 < math.inf:
        raise ValueError(f"l2: expected 0 or more, got {settings.l2}")
    if settings.clip_norm is not None and not 0 < settings.clip_norm < math.inf:
        raise ValueError(f"clip_norm: expected more than 0, finite, or None for no limit, got {settings.clip_norm}")
    if settings.ema is not None and not 0 < settings.ema < 1:
        raise ValueError(f"ema: expected more than 0, less than 1, or None for no average, got {settings.ema}")
    if settings.lookahead is not None:
        Lookahead.of(settings.lookahead)
        if settings.ema is not None:
            raise ValueError("ema, lookahead: expected one of them, got both; leave one out")
    if settings.flip and settings.alternate_flip:
        raise ValueError("flip, alternate_flip: expected one of them, got both; leave one out")
    if settings.border not in BORDERS:
        raise ValueError(f'border: there is no "{settings.border}"{nearest(settings.border, BORDERS)}')
    if settings.border != "black" and not settings.crop:
        raise ValueError(f'border: expected crop of 1 pixel or more with "{settings.border}", got 0; leave border out')
    if settings.tta not in KINDS_OF_VIEWS:
        raise ValueError(f'tta: there is no "{settings.tta}"{nearest(settings.tta, KINDS_OF_VIEWS)}')
    if settings.normalize != AUTO:
        check_kind(settings.normalize)
    check_compile(settings.compile)
    interval(settings.evaluate_train)
    if settings.memory_budget is not None and settings.memory_budget < 0:
        raise ValueError(f"memory_budget: expected 0 bytes or more, got {settings.memory_budget}")
