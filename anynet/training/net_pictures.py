"""Pictures of a trained net: weights of its first layer, outputs of a layer, and images that it confuses."""

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anynet.backends import to_numpy
from anynet.core.typing import Array
from anynet.data.samples import is_picture
from anynet.nn import Conv2d, Linear, Sequential
from anynet.nn.layer_text import short
from anynet.training.given import as_samples
from anynet.training.predictor import Predictor
from anynet.training.score import class_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pictured_layer(net: Sequential, shape: tuple[int, ...]) -> str | None:
    """Return the name of the first layer with weights if these can be drawn.

    Parameters
    ----------
    net : Sequential
    shape : tuple of int
        Shape of a sample.

    Returns
    -------
    str or None
        Name of a convolution, or of a linear layer of all values of gray or colored pictures.
    """
    for name, layer in net.named_layers().items():
        if isinstance(layer, Conv2d):
            return name
        if isinstance(layer, Linear):
            return name if is_picture(shape) and layer.n_in == prod(shape) else None
        if any(parameter.is_weight for parameter in layer.parameters().values()):
            return None
    return None


def draw_weights(predictor: Predictor, when: str) -> "Figure":
    """Return the picture of a net's weights, with the end of its title: see `Run.plot_weights`."""
    from anynet import plots  # here, so that training without plots does not import Matplotlib

    ((net, params, *_),), shape, classes = predictor.nets, predictor.shape, predictor.classes
    name = pictured_layer(net, shape)
    if name is None:
        expected = "a net whose first weights are of a convolution, or of the pixels of gray or colored images"
        raise ValueError(f"plot_weights: expected {expected}, got {net} for samples of shape {shape}")
    W: NDArray[Any] = np.asarray(predictor.backend.to_host(net.layout.split(params)[f"{name}.W"]))
    if W.ndim == 4:
        return plots.convolution_kernels(W, f"{predictor.dataset}: kernels of layer {name}{when}")
    if net.takes_images:  # whose channels are last
        channels, rows, columns = shape
        W = W.reshape(rows, columns, channels, -1).transpose(2, 0, 1, 3).reshape(W.shape)
    is_last = name == [*net.named_layers()][-1]
    labels = tuple(map(str, classes)) if is_last else ()
    return plots.weights(W, shape, f"{predictor.dataset}: weights of the first layer{when}", labels)


def draw_feature_maps(predictor: Predictor, x: Any, layer: str | int, when: str = "") -> "Figure":
    """Return the picture of a layer's outputs: see `Run.plot_feature_maps`.

    Parameters
    ----------
    predictor : Predictor
        Of one net.
    x : array_like, shape (N, values) or (N, *shape)
    layer : str or int
    when : str
        End of the title.

    Returns
    -------
    Figure
    """
    from anynet import plots

    samples = as_samples(x, predictor.shape, predictor.input_dtype)
    if not samples.shape[0]:
        raise ValueError("x: expected one image or more, got none")
    images = _images("plot_feature_maps", predictor, samples)
    name, net = str(layer), predictor.nets[0].net
    maps = predictor.layer_output(x, name)
    leaves = {each: short(leaf) for each, leaf in net.named_layers().items()}
    kind = leaves.get(name) or type(net.named_containers()[name]).__name__
    return plots.feature_maps(images, maps, f"{predictor.dataset}: outputs of layer {name}, {kind}{when}")


def draw_confused_images(predictor: Predictor, x: Any, y: Any, label: Any = None) -> "Figure":
    """Return the picture of confused images: see `Run.plot_confused_images`."""
    from anynet import plots

    classes = predictor.classes
    if not classes:
        raise ValueError("plot_confused_images: expected a net of classes, got one that predicts numbers")
    if label is not None and label not in classes:
        raise ValueError(f"label: expected one of {', '.join(map(repr, classes))}, got {label!r}")
    samples = as_samples(x, predictor.shape, predictor.input_dtype)
    images = _images("plot_confused_images", predictor, samples)
    truth = class_numbers(y, classes)
    if truth.shape != (len(images),) or not len(images):
        raise ValueError(f"y: expected {len(images)} labels, one for each image and one at least, got {truth.shape}")
    only = None if label is None else classes.index(label)
    if only is not None and only not in truth:
        raise ValueError(f"label: expected that of an image, got {label!r}, which y has not")
    probabilities = to_numpy(predictor.predict_proba(x))
    return plots.confused_images(images, probabilities, truth, [*map(str, classes)], predictor.dataset, only)


def _images(method: str, predictor: Predictor, samples: Array) -> NDArray[Any]:
    """Return samples as images, shape (N, channels, rows, columns)."""
    if len(predictor.shape) != 3:
        raise ValueError(
            f"{method}: expected a net of samples of shape (channels, rows, columns), got one of {predictor.shape}"
        )
    return to_numpy(samples).reshape(-1, *predictor.shape)
