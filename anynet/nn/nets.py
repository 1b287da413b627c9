"""Well-known convolutional nets, as functions of the shape of an image and the number of classes.

Each is a page of layers: copy one to change it. ``python train.py --net anynet.nn.nets:resnet18`` trains one.

Examples
--------
>>> net = resnet18((3, 32, 32), 10)
>>> net.n_parameters, net.multiply_adds()
(11173962, 556037120)
"""

import math

from anynet.core.pixels import Shape
from anynet.nn.activations import ReLU
from anynet.nn.batch_norm import BatchNorm
from anynet.nn.conv2d import Conv2d
from anynet.nn.flatten import Flatten
from anynet.nn.gated_activations import GELU
from anynet.nn.initializers import PartialIdentity, Uniform
from anynet.nn.layer import Layer
from anynet.nn.linear import Linear
from anynet.nn.patch_whitening import PatchWhitening
from anynet.nn.pooling import GlobalPool, MaxPool2d
from anynet.nn.residual import Residual
from anynet.nn.scale import Scale
from anynet.nn.sequential import Sequential


def lenet(shape: Shape, classes: int) -> Sequential:
    """Return LeNet-5 with ReLU and max-pooling.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, rows and columns of an image, 28 x 28 or 32 x 32 pixels; at least 16 x 16.
    classes : int
        Number of classes.

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        If images are smaller.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner (1998), Gradient-based learning applied to document recognition, section II.B.
    https://doi.org/10.1109/5.726791
    """
    _check_size("lenet", shape, 16)
    first = 2 if shape[1] == 28 else 0  # the images of MNIST have a border of two pixels there
    return Sequential(
        *(Conv2d(6, 5, padding=first), ReLU(), MaxPool2d(2)),
        *(Conv2d(16, 5, padding="valid"), ReLU(), MaxPool2d(2)),
        *(Flatten(), Linear(120), ReLU(), Linear(84), ReLU(), Linear(classes)),
        input_shape=shape,
    )


def resnet9(shape: Shape, classes: int, width: float = 1.0) -> Sequential:
    """Return the residual net of nine layers that was made for quick training on CIFAR-10.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, rows and columns of an image, at least 8 x 8 pixels. The last pooling is over what is left of them, 4
        x 4 pixels of 32 x 32.
    classes : int
        Number of classes.
    width : float
        Factor of the numbers of channels.

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        If images are smaller.

    References
    ----------
    Page (2018), How to train your ResNet 4: architecture. https://myrtle.ai/learn/how-to-train-your-resnet-4-architecture/
    """
    _check_size("resnet9", shape, 8)
    left = shape[1] // 8, shape[2] // 8
    first, second, third, last = (round(channels * width) for channels in (64, 128, 256, 512))
    return Sequential(
        *_convolution(first),
        *(*_convolution(second), MaxPool2d(2), Residual(*_convolution(second), *_convolution(second))),
        *(*_convolution(third), MaxPool2d(2)),
        *(*_convolution(last), MaxPool2d(2), Residual(*_convolution(last), *_convolution(last))),
        *(MaxPool2d(left), Flatten(), Linear(classes)),
        input_shape=shape,
    )


def resnet18(shape: Shape, classes: int, width: float = 1.0) -> Sequential:
    """Return ResNet-18 for small images: its first convolution is of 3 x 3 pixels, without stride and pooling.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, rows and columns of an image.
    classes : int
        Number of classes.
    width : float
        Factor of the numbers of channels.

    Returns
    -------
    Sequential

    References
    ----------
    He, Zhang, Ren, Sun (2016), Deep residual learning for image recognition, section 4. https://arxiv.org/abs/1512.03385
    """
    stages = [(64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)]
    blocks = [_block(round(c * width), stride, new=i > 0 and i % 2 == 0) for i, (c, stride) in enumerate(stages)]
    return Sequential(
        *_convolution(round(64 * width)),
        *(layer for block in blocks for layer in (block, ReLU())),
        *(GlobalPool(), Linear(classes)),
        input_shape=shape,
    )


def airbench94(shape: Shape, classes: int, width: float = 1.0) -> Sequential:
    """Return the net that was made to reach 94 % on CIFAR-10 quickly.

    Scales of `BatchNorm`, the biases of the last layer and the last factor are not trained there; ``python train.py
    --preset airbench94`` does the same.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, rows and columns of an image, at least 25 x 25 pixels. Of 49 x 49 and more the last pooling leaves
        more than one pixel.
    classes : int
        Number of classes.
    width : float
        Factor of the numbers of channels.

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        If images are smaller.

    References
    ----------
    Jordan (2024), 94 % on CIFAR-10 in 3.29 seconds on a single GPU. https://arxiv.org/abs/2404.00498; as in
    airbench94_muon.py of https://github.com/KellerJordan/cifar10-airbench, but with GELU by tanh.
    """
    _check_size("airbench94", shape, 25)
    widths = [round(channels * width) for channels in (64, 256, 256)]
    return Sequential(
        *(PatchWhitening(2, bias_init=Uniform(math.sqrt(2))), GELU()),
        *(layer for channels in widths for layer in _group(channels)),
        *(
            MaxPool2d(3),
            Flatten(),
            Linear(classes, init=Uniform(math.sqrt(3 * widths[-1]))),
            Scale(value=1 / widths[-1]),
        ),
        input_shape=shape,
    )


def _check_size(name: str, shape: Shape, least: int) -> None:
    """Refuse what is no shape of an image, and images of fewer than `least` x `least` pixels."""
    if not isinstance(shape, tuple | list) or len(shape) != 3:
        raise ValueError(f"{name}: expected a shape (channels, rows, columns), such as (3, 32, 32), got {shape}")
    if min(shape[1:]) < least:
        raise ValueError(f"{name}: expected images of {least} x {least} pixels or more, got {shape[1]} x {shape[2]}")


def _group(channels: int) -> tuple[Layer, ...]:
    """Return two convolutions, each with batch normalization and GELU; the first one with max-pooling."""
    first, second = (Conv2d(channels, bias=False, init=PartialIdentity()) for _ in range(2))
    norm, gelu = BatchNorm(momentum=0.4, eps=1e-12), GELU()
    return first, MaxPool2d(2), norm, gelu, second, norm, gelu


def _convolution(channels: int) -> tuple[Layer, ...]:
    """Return a convolution of 3 x 3 pixels, batch normalization and ReLU."""
    return Conv2d(channels, padding=1, bias=False), BatchNorm(), ReLU()


def _block(channels: int, stride: int, *, new: bool) -> Residual:
    """Return two convolutions with a residual connection: a projection if the number of channels is new."""
    shortcut = Sequential(Conv2d(channels, 1, stride=stride, padding="valid", bias=False), BatchNorm()) if new else None
    return Residual(
        *(Conv2d(channels, 3, stride=stride, padding=1, bias=False), BatchNorm(), ReLU()),
        *(Conv2d(channels, padding=1, bias=False), BatchNorm()),
        shortcut=shortcut,
    )
