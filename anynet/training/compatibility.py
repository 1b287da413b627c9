"""Checks that a net, a data set, an optimizer and settings can be used together, before anything is trained."""

import math

import numpy as np
from array_api_compat import array_namespace

from anynet.backends import to_numpy
from anynet.backends.options import check_dtype
from anynet.core.array_checks import check_finite
from anynet.core.checks import describe
from anynet.core.formatting import first_line, format_count
from anynet.core.typing import Array
from anynet.data import Dataset
from anynet.data.batch import check_batch_size
from anynet.data.dataset import ARRAYS
from anynet.data.samples import is_uint8
from anynet.nn import Layer, Sequential
from anynet.nn.losses import CrossEntropy
from anynet.optim import Optimizer
from anynet.optim.lookahead import Lookahead
from anynet.training.early_stopping import check_validation
from anynet.training.rates import check_rates
from anynet.training.settings import TrainSettings
from anynet.training.single_samples import refuse_single_samples

FEW = 2
"""Number of class numbers with which a loss is tried."""


def check_compatible(net: Sequential, data: Dataset, optimizer: Optimizer, settings: TrainSettings) -> None:
    """Check that a net, a data set, an optimizer and settings can be used together.

    Parameters
    ----------
    net : Sequential
    data : Dataset
        That passes `check_data`.
    optimizer : Optimizer
    settings : TrainSettings

    Raises
    ------
    TypeError
        If net or optimizer is of another type.
    ValueError
        If the net does not fit the data, the batch size does not fit the samples, batches of one are to be normalized,
        a learning rate is negative or not finite, or Lookahead takes more steps than there are.
    """
    if not isinstance(net, Sequential):
        raise TypeError(f"net: expected a Sequential, got {describe(net)}")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer: expected an optimizer, such as SGD(0.01), got {describe(optimizer)}")
    for name in optimizer.PER_MEMBER:
        if isinstance(getattr(optimizer, name), tuple):
            raise ValueError(
                f'{optimizer}: {name} of a net is one number; nets that differ are members=[{{"{name}": ...}}]'
            )
    check_batch_size(settings.batch_size, len(data.train))
    refuse_single_samples(net, settings.batch_size)
    values = data.train.x.shape[1]
    if net.n_in not in (None, values):
        raise ValueError(f"{net} takes {net.n_in} features, but the samples of {data.name} have {values}")
    if net.image_out(net.image) is not None:
        raise ValueError(f"{net} gives images; add Flatten() or GlobalPool() ahead of the last Linear")
    n_out = values if net.n_out is None else net.n_out
    if n_out != data.n_out:
        wanted = f"{data.n_out} classes"
        way = "; if they are numbers to predict, make them floats" if n_out == 1 else ""
        if not data.classes:
            wanted = f"{format_count(data.n_out, 'number')} to predict for each sample"
            way = "; floats are numbers to predict, integers are classes: y.astype(int)"
        targets = "y" if data.name == ARRAYS else data.name
        raise ValueError(f"{net} gives {format_count(n_out, 'output')}, but {targets} has {wanted}{way}")
    if not net.n_parameters:
        raise ValueError(f"{net} has no parameters, so there is nothing to train; add a layer such as Linear")
    for name, layer in net.named_layers().items():
        if name != "0" and type(layer).state_from is not Layer.state_from:
            raise ValueError(f"layer {name}, {layer}: expected as the first layer, whose inputs are training samples")
    optimizer.check(net.layout)
    total = settings.epochs * settings.steps(len(data.train))
    if isinstance(settings.averaging, Lookahead) and settings.averaging.steps > total:
        raise ValueError(f"lookahead: expected at most the {total} steps of the training, got {settings.lookahead}")
    for each in (optimizer, *optimizer.parts):
        check_rates(each, settings.epochs, settings.steps(len(data.train)))


def check_data(data: Dataset, settings: TrainSettings, *, stacked: bool = False) -> None:
    """Check that the parts of a data set fit each other, the loss and the augmentation.

    Parameters
    ----------
    data : Dataset
    settings : TrainSettings
    stacked : bool
        True if several nets are trained at the same time.

    Raises
    ------
    TypeError
        If the loss does not take such targets.
    ValueError
        If a part is empty, has samples of another shape, labels out of range, values that are not finite in the dtype,
        weights that are none, the crop does not fit the samples, or there is no validation part to stop early by.
    """
    check_validation(data, settings.patience)
    check_dtype(settings.dtype, "float32")
    shape = data.train.shape
    for which, part in data.parts.items():
        place = f"the {which} set of {data.name}"
        if not len(part):
            raise ValueError(f"{place} is empty; it needs a sample at least")
        if part.x.shape[1] != data.train.x.shape[1] or (len(part.shape) == len(shape) and part.shape != shape):
            raise ValueError(f"{place} has samples of shape {part.shape}, not {shape}")
        if is_uint8(part.x) != is_uint8(data.train.x):
            raise ValueError(f"{place} has samples of {part.x.dtype}, training ones of {data.train.x.dtype}; cast one")
        check_finite(f"{place}: x", part.x, settings.dtype)
        if data.classes:
            _check_class_numbers(place, part.y, len(data.classes))
        else:
            check_finite(f"{place}: y", part.y, settings.dtype)
            if part.y.shape[1] != data.n_out:
                raise ValueError(f"{place} has {part.y.shape[1]} numbers to predict each, not {data.n_out}")
        if part.weights is not None:
            _check_weights(place, part.weights, settings)
    _check_loss(data, settings, leading=stacked or any(part.weights is not None for part in data.parts.values()))
    if (settings.augmented or settings.tta != "none") and len(shape) != 3:
        raise ValueError(
            f"flip, crop, cutout, reverse and tta need samples of shape (channels, rows, columns), and those of "
            f"{data.name} have shape {shape}; Split(x, y, shape) says what shape they have"
        )
    side = min(shape[1:], default=1)
    if not 0 <= settings.crop < side:
        raise ValueError(f"crop: expected 0 to {side - 1} pixels, got {settings.crop}")
    if settings.tta == "shift" and side < 2:
        raise ValueError(f"tta: expected images of 2 x 2 pixels or more with shift, got {shape}")
    if not 0 <= settings.cutout <= side:
        raise ValueError(f"cutout: expected 0 to {side} pixels, got {settings.cutout}")


def _check_class_numbers(place: str, y: Array, classes: int) -> None:
    xp = array_namespace(y)
    low, high = (int(to_numpy(each)) for each in (xp.min(y), xp.max(y)))
    if low < 0 or high >= classes:
        raise ValueError(f"{place}: expected labels 0 to {classes - 1}, one for each class, got {low} to {high}")


def _check_weights(place: str, weights: Array, settings: TrainSettings) -> None:
    check_finite(f"{place}: weights", weights, settings.dtype)
    xp, most = array_namespace(weights), float(np.finfo(settings.dtype).max)
    low, high = (float(to_numpy(each)) for each in (xp.min(weights), xp.max(weights)))
    if low < 0 or high < 1 / most or high * weights.shape[0] > math.sqrt(most):  # their sum divides, and is multiplied
        expected = f"weights of 0 or more, not all 0 and none above {math.sqrt(most) / weights.shape[0]:.1g}"
        raise ValueError(f"{place}: expected {expected}, got {low:g} to {high:g}")
    if isinstance(settings.loss, CrossEntropy) and settings.loss.class_weights is not None:
        raise ValueError(f"{place}: expected weights of classes or of samples, got both; multiply them into one")


def _check_loss(data: Dataset, settings: TrainSettings, *, leading: bool) -> None:
    """Raise TypeError or ValueError unless the loss takes such targets, and gives what a loss gives: it is tried."""
    if settings.loss is None:
        return
    name = getattr(settings.loss, "__name__", settings.loss)
    for part in data.parts.values():
        y = to_numpy(part.y[:FEW, ...]).astype(np.int64) if data.classes else to_numpy(part.y).astype(float)
        try:
            got = settings.loss(np.zeros((len(y), data.n_out)), y)
        except (TypeError, ValueError) as error:
            kind = "class numbers" if data.classes else "floating-point numbers"
            advice = "" if data.classes else "; losses.mean_squared_error, Huber and binary_cross_entropy may"
            message = f"loss: {name} does not take the targets of {data.name}, {kind} ({first_line(error)}){advice}"
            raise (TypeError if isinstance(error, TypeError) else ValueError)(message) from None
        _check_loss_and_gradient(name, got, (), (len(y), data.n_out))
        if leading:
            shape = (2, len(y), data.n_out)
            _check_loss_and_gradient(name, settings.loss(np.zeros(shape), y), (2,), shape)


def _check_loss_and_gradient(name: object, got: object, loss: tuple[int, ...], grad: tuple[int, ...]) -> None:
    """Raise TypeError or ValueError unless `got` is a loss and a gradient of these shapes."""
    if not isinstance(got, tuple) or len(got) != 2:
        many = f" of {len(got)}" if isinstance(got, tuple) else ""
        raise TypeError(f"loss: expected {name} to return the loss and its gradient, got {describe(got)}{many}")
    shapes = tuple(np.shape(each) for each in got)
    if shapes != (loss, grad):
        axes = "; for several nets, and samples with weights, outputs have more axes in front" if len(grad) > 2 else ""
        raise ValueError(
            f"loss: expected {name} to return a loss of shape {loss} and a gradient of shape {grad} for outputs of "
            f"shape {grad}, got {shapes[0]} and {shapes[1]}{axes}"
        )
