"""Matrix products on all cores: convolutions of images of one pixel, by kernels of one element.

A step that shares its loops among threads cannot have products by BLAS: the threads of BLAS wait busily for the next
one for a while, on the cores that the step's own threads need.
"""

from anynet.compiler.graph import Args, Kwargs, Node
from anynet.compiler.numpy.native.convolutions import sums_over_elements
from anynet.compiler.numpy.native.image_blocks import Reach, as_images
from anynet.compiler.numpy.native.kernel import Host, Kernel
from anynet.compiler.numpy.native.kernel_gradients import sums_over_pixels
from anynet.compiler.numpy.native.kernel_panels import has_form

PIXEL = 1, 1
REACH = Reach(PIXEL, PIXEL, PIXEL, (0, 0))
"""A kernel of one element at an image of one pixel."""


def kernel(node: Node, args: Args, kwargs: Kwargs, out: Host) -> list[Kernel] | None:
    """Return the kernels of a product (``matmul``) of matrices, if they can read and write the arrays."""
    if node.op != "matmul" or kwargs:
        return None
    a, b = args
    if a.ndim < 2 or b.ndim < 2 or not has_form(a, b, out):
        return None
    into = out[..., None, None, None, :, :]
    if a.strides[-2] == a.itemsize < a.strides[-1]:  # samples.T @ gradients: sums over rows of both
        return sums_over_pixels(as_images(a.mT, PIXEL), as_images(b, PIXEL), into, REACH)
    return sums_over_elements(as_images(a, PIXEL), b[..., None, None, None, :, :], as_images(out, PIXEL), REACH)
