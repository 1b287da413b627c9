"""Layers of images as PyTorch has them, of the pixels of one net: (N * H * W, C), differentiated by its autograd."""

import pytest

from anynet import AvgPool2d, Conv2d, GlobalPool, Layer, MaxPool2d
from anynet.nn.flatten_images import FlattenImages

torch = pytest.importorskip("torch")
functional = torch.nn.functional


def image_layer(own: Layer, p: dict[str, torch.Tensor], t: torch.Tensor) -> torch.Tensor:
    """A layer's output for pixels."""
    images = t.reshape(-1, *own.image, t.shape[1]).permute(0, 3, 1, 2)
    match own:
        case Conv2d():
            w = p["W"].permute(3, 2, 0, 1).contiguous()
            y = functional.conv2d(_padded(own, images), w, p.get("b"), own.stride, groups=own.groups)
        case MaxPool2d():
            y = functional.max_pool2d(_padded(own, images, -torch.inf), own.kernel, own.stride)
        case AvgPool2d():
            y = functional.avg_pool2d(_padded(own, images), own.kernel, own.stride)
        case GlobalPool():
            return images.mean((2, 3))
        case FlattenImages():
            return images.permute(0, 2, 3, 1).flatten(1)
        case _:
            raise NotImplementedError(own)
    return y.permute(0, 2, 3, 1).flatten(0, 2)


def _padded(own: Conv2d | MaxPool2d | AvgPool2d, images: torch.Tensor, value: float = 0.0) -> torch.Tensor:
    """Images with their padding; "same" as TensorFlow documents it."""
    if own.padding == "valid":
        return images
    if own.padding != "same":
        top, bottom, left, right = (own.padding,) * 4 if isinstance(own.padding, int) else own.padding
        return functional.pad(images, (left, right, top, bottom), value=value)
    sides = []
    kernel, stride = ((a, a) if isinstance(a, int) else a for a in (own.kernel, own.stride or own.kernel))
    for size, length, step in zip(own.image, kernel, stride, strict=True):
        both = max(length - (size % step or step), 0)
        sides.append((both // 2, both - both // 2))
    return functional.pad(images, (*sides[1], *sides[0]), value=value)
