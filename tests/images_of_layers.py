"""Layers of images for tests, and how many pixels they take and give."""

from math import prod

from anynet import AvgPool2d, Conv2d, GlobalPool, Layer, MaxPool2d, Residual
from anynet.nn.flatten_images import FlattenImages

IMAGE = (5, 4)
"""Rows and columns: odd and even, so that strides of 2 meet both."""


def layers_of_images(n_in: int, n_out: int) -> dict[str, Layer]:
    """One layer of each kind, with n_in channels of images; n_out is that of convolutions without groups."""
    layers: dict[str, Layer] = {
        "Conv2d": Conv2d(n_out, (3, 2), stride=(2, 1)),
        "Conv2d in groups": Conv2d(2 * n_in, 2, padding=(0, 1, 2, 1), groups=n_in, bias=False),
        "MaxPool2d": MaxPool2d(3, stride=2, padding="same"),
        "AvgPool2d": AvgPool2d((2, 3), stride=1, padding=(1, 0, 0, 2)),
        "GlobalPool": GlobalPool(),
        "Flatten of images": FlattenImages(),
        "Residual with a shortcut": Residual(
            Conv2d(n_out, 3, stride=2), shortcut=Conv2d(n_out, 1, stride=2, bias=False)
        ),
    }
    return {name: layer.with_image(*IMAGE).with_input(n_in) for name, layer in layers.items()}


def samples_of(layer: Layer) -> tuple[int, int]:
    """Numbers of samples, pixels, that a layer takes and gives for an image; 1 of other layers."""
    if not layer.takes_images:
        return 1, 1
    return prod(layer.image), prod(layer.image_out(layer.image) or (1,))
