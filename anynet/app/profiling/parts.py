"""Parts of a training step, and the labels that assign recorded operations to them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from anynet.compiler import Graph, Node, label_operations
from anynet.core.typing import Array, Arrays
from anynet.nn import Layer, Parameter, Sequential
from anynet.nn.container import Container
from anynet.nn.losses import Loss
from anynet.nn.sizes import image_in

LOAD, LOSS, UPDATE = "load", "loss", "update"
PRODUCTS = {"matmul", "tensordot", "convolve", "convolve_to_input", "convolve_to_kernel"}


class Label(NamedTuple):
    """The purpose of an operation.

    Attributes
    ----------
    row : str
        Name of a row of the table: a layer's, ``LOAD``, ``LOSS`` or ``UPDATE``.
    direction : {"forward", "backward", ""}
        Empty for operations of no layer.
    """

    row: str
    direction: str = ""


class Part(NamedTuple):
    """A part of a step whose time is shown.

    Attributes
    ----------
    label : Label
    products : bool
        True for the matrix products and convolutions there, False for everything else.
    """

    label: Label
    products: bool


@dataclass(frozen=True)
class Labeled(Layer):
    """A layer whose operations are labeled when they are recorded.

    Parameters
    ----------
    layer : Layer
    name : str
        Name of its row.
    """

    layer: Layer
    name: str

    @property
    def takes_images(self) -> bool:
        """True if the layer takes images."""
        return self.layer.takes_images

    @property
    def image(self) -> tuple[int, int] | None:
        """Rows and columns of the images that the layer takes."""
        return image_in(self.layer)

    def image_out(self, image: tuple[int, int] | None) -> tuple[int, int] | None:
        """Return those of the layer."""
        return self.layer.image_out(image)

    def features(self) -> tuple[int | None, int | None]:
        """Return those of the layer."""
        return self.layer.features()

    def parameters(self) -> dict[str, Parameter]:
        """Return those of the layer."""
        return self.layer.parameters()

    def state(self) -> dict[str, Parameter]:
        """Return that of the layer."""
        return self.layer.state()

    @property
    def uses_rng(self) -> bool:
        """True if the layer takes ``rng``."""
        return self.layer.uses_rng

    def forward(
        self, params: Arrays, state: Arrays, x: Array, *, train: bool, rng: Array | None = None
    ) -> tuple[Array, Any, Arrays]:
        """Return the layer's result, labeled "forward"."""
        more = {"rng": rng} if self.uses_rng else {}
        with label_operations(x, Label(self.name, "forward")):
            return self.layer.forward(params, state, x, train=train, **more)

    def backward(self, params: Arrays, cache: Any, dy: Array) -> tuple[Array, Arrays]:
        """Return the layer's gradients, labeled "backward"."""
        with label_operations(dy, Label(self.name, "backward")):
            return self.layer.backward(params, cache, dy)

    def parameter_gradients(self, params: Arrays, cache: Any, dy: Array) -> Arrays:
        """Return the layer's gradients, labeled "backward"."""
        with label_operations(dy, Label(self.name, "backward")):
            return self.layer.parameter_gradients(params, cache, dy)


def labeled_net(net: Sequential) -> Sequential:
    """Return the net with labeled layers.

    Parameters
    ----------
    net : Sequential

    Returns
    -------
    Sequential
        Nested in the same way, with the same parameters. What a `Residual` adds is labeled as its last layer.
    """
    done, left = list[str](), iter(names(net))

    def labeled(layer: Layer) -> Layer:
        if isinstance(layer, Container):
            inner = type(layer)(*map(labeled, layer))
            return inner if isinstance(inner, Sequential) else Labeled(inner, done[-1])
        done.append(next(left))
        return Labeled(layer, done[-1])

    return Sequential(*map(labeled, net))


def labeled_loss(loss: Loss) -> Loss:
    """Return the loss with labeled operations.

    Parameters
    ----------
    loss : callable
        As in `anynet.losses`.

    Returns
    -------
    callable
    """

    def labeled(logits: Array, labels: Array) -> tuple[Array, Array]:
        with label_operations(logits, Label(LOSS)):
            return loss(logits, labels)

    return labeled


def names(net: Sequential) -> list[str]:
    """Return the names of a net's layers: place, class and sizes.

    Parameters
    ----------
    net : Sequential

    Returns
    -------
    list of str
        Such as "0 Linear 3072-50".
    """
    return [f"{i} {type(layer).__name__} {_sizes(layer)}".rstrip() for i, layer in net.named_layers().items()]


def _sizes(layer: Layer) -> str:
    """Return the whole numbers among its settings; of a layer of images, its numbers of channels."""
    sizes = [*filter(None, layer.features())] if layer.takes_images else vars(layer).values()
    return "-".join(str(value) for value in sizes if type(value) is int)


def label_others(graph: Graph, images: Sequence[Node]) -> None:
    """Label the operations of neither layers nor loss.

    Operations on images before the first layer are labeled ``LOAD``; all others, on the vector of parameters,
    ``UPDATE``.

    Parameters
    ----------
    graph : Graph
        Changed in place.
    images : sequence of Node
        Inputs from which batches are made.
    """
    loaded = set(images)
    for node in graph.nodes:
        if node.label is None and not loaded.isdisjoint(node.inputs):
            loaded.add(node)
        if node.label is None:
            node.label = Label(LOAD if node in loaded else UPDATE)


def shares(group: Sequence[Node]) -> dict[Part, float]:
    """Return the fractions of a call's time by part; each of its operations counts the same.

    Parameters
    ----------
    group : sequence of Node
        Operations of the call.

    Returns
    -------
    dict of float
        Sums to 1.
    """
    counted = Counter(Part(node.label or Label(UPDATE), node.op in PRODUCTS) for node in group)
    return {part: n / len(group) for part, n in counted.items()}
