"""The parts of a training step, and which of them each recorded operation belongs to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from anynet.compiler import Graph, Node, label_operations
from anynet.core.typing import Array, Arrays
from anynet.nn import Layer, Parameter, Sequential
from anynet.nn.losses import Loss

LOAD, LOSS, UPDATE = "load", "loss", "update"
PRODUCTS = {"matmul", "tensordot"}


class Label(NamedTuple):
    """What an operation is done for: a row of the table, and of a layer "forward" or "backward"."""

    row: str
    direction: str = ""


class Part(NamedTuple):
    """A label, and whether it is the matrix products there or everything else."""

    label: Label
    products: bool


@dataclass(frozen=True)
class Labelled(Layer):
    """The layer itself, but where its operations are recorded, they are labelled with this name."""

    layer: Layer
    name: str

    def features(self) -> tuple[int | None, int | None]:
        return self.layer.features()

    def parameters(self) -> dict[str, Parameter]:
        return self.layer.parameters()

    def state(self) -> dict[str, Parameter]:
        return self.layer.state()

    @property
    def uses_rng(self) -> bool:
        return self.layer.uses_rng

    def forward(
        self, params: Arrays, state: Arrays, x: Array, *, train: bool, rng: Array | None = None
    ) -> tuple[Array, Any, Arrays]:
        more = {"rng": rng} if self.uses_rng else {}
        with label_operations(x, Label(self.name, "forward")):
            return self.layer.forward(params, state, x, train=train, **more)

    def backward(self, params: Arrays, cache: Any, dy: Array) -> tuple[Array, Arrays]:
        with label_operations(dy, Label(self.name, "backward")):
            return self.layer.backward(params, cache, dy)

    def parameter_gradients(self, params: Arrays, cache: Any, dy: Array) -> Arrays:
        with label_operations(dy, Label(self.name, "backward")):
            return self.layer.parameter_gradients(params, cache, dy)


def labelled_net(net: Sequential) -> Sequential:
    """The same net of labelled layers."""
    left = iter(names(net))

    def labelled(inner: Sequential) -> Sequential:
        return Sequential(
            *(labelled(layer) if isinstance(layer, Sequential) else Labelled(layer, next(left)) for layer in inner)
        )

    return labelled(net)


def labelled_loss(loss: Loss) -> Loss:
    """The same loss, labelled."""

    def labelled(logits: Array, labels: Array) -> tuple[Array, Array]:
        with label_operations(logits, Label(LOSS)):
            return loss(logits, labels)

    return labelled


def names(net: Sequential) -> list[str]:
    """Each layer's place, kind and sizes, as in "0 Linear 3072-50"."""
    return [f"{i} {type(layer).__name__} {_sizes(layer)}".rstrip() for i, layer in net.named_layers().items()]


def _sizes(layer: Layer) -> str:
    return "-".join(str(value) for value in vars(layer).values() if type(value) is int)


def label_others(graph: Graph, images: Sequence[Node]) -> None:
    """Label what neither layers nor loss did: to load is what is done with images until a layer has them.

    images: the inputs that batches are made of. Everything else is work on the parameters' vector: to update.
    """
    loaded = set(images)
    for node in graph.nodes:
        if node.label is None and not loaded.isdisjoint(node.inputs):
            loaded.add(node)
        if node.label is None:
            node.label = Label(LOAD if node in loaded else UPDATE)


def shares(group: Sequence[Node]) -> dict[Part, float]:
    """Which part of a call's time belongs where, when it runs these operations: as much to each of them."""
    counted = Counter(Part(node.label or Label(UPDATE), node.op in PRODUCTS) for node in group)
    return {part: n / len(group) for part, n in counted.items()}
