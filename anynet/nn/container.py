"""Layers in a fixed order: their sizes, their parameters, and the table of them."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import ClassVar, Self, overload

from anynet.core.checks import store
from anynet.core.pixels import Shape
from anynet.nn.checked_layer import checked
from anynet.nn.equal_layers import equal
from anynet.nn.layer import Layer, Parameter
from anynet.nn.layer_names import by_place
from anynet.nn.layer_text import shortened_list
from anynet.nn.layout import Layout
from anynet.nn.sizes import check_neighbors, image_in, input_features, with_inputs
from anynet.nn.summary import Output, html_summary, summary


@dataclass(frozen=True, init=False, repr=False)
class Container(Layer):
    """Base class of `Sequential`: layers in a fixed order, as an immutable value.

    Two containers are equal if their layers are, where arrays that layers hold are compared by shape, dtype and values.
    A container has a length, can be indexed and iterated over, and a slice is a container too. Parameters and state are
    named after the layer's place: "0.W", "1.gamma", "2.0.W".

    Parameters
    ----------
    *layers : Layer
        At least one. Containers among them stay nested.

    Raises
    ------
    TypeError
        If an argument is not a layer.
    ValueError
        If there is no layer, or the sizes of two neighbors do not match.
    """

    has_row: ClassVar[bool] = True
    """False if the table of a net has no row for the container, because it does no more than its layers."""

    layers: tuple[Layer, ...]

    def __init__(self, *layers: Layer) -> None:
        if not layers:
            raise ValueError(f"a {type(self).__name__} needs at least one layer")
        for i, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"layer {i}: expected a layer, such as Linear(3072, 10) or ReLU(), got {layer!r}")
        store(self, "layers", layers)
        store(self, "layers", self._sized_layers(None, None))
        for chain in self._chains():
            check_neighbors(chain)

    def _chains(self) -> list[dict[int, Layer]]:
        """Return the layers that run one after another, by place. If there are more chains, they have one input."""
        return [dict(enumerate(self.layers))]

    def _sized_layers(self, n_in: int | None, image: tuple[int, int] | None) -> tuple[Layer, ...]:
        """Return the layers with the sizes that follow from the input's."""
        return tuple(layer for chain in self._chains() for layer in with_inputs(chain.values(), n_in, image))

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @overload
    def __getitem__(self, i: int) -> Layer: ...
    @overload
    def __getitem__(self, i: slice) -> Self: ...
    def __getitem__(self, i: int | slice) -> Layer:
        return type(self)(*self.layers[i]) if isinstance(i, slice) else self.layers[i]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Container) or type(other) is not type(self):
            return NotImplemented
        return equal(self.layers, other.layers)

    def __hash__(self) -> int:
        # Not of the layers' fields: arrays have no hash, or PyTorch's one, which differs for equal values.
        return hash(tuple((type(layer), *layer.features()) for layer in self.layers))

    def _text(self) -> str:
        return f"{type(self).__name__}({shortened_list(self.layers)})"

    def summary(self) -> str:
        """Return a table of the layers: output shapes, parameters, multiply-adds per sample, and their totals."""
        return summary(self._rows)

    def _repr_html_(self) -> str:
        return html_summary(type(self).__name__, self._rows)

    @property
    def _rows(self) -> list[Output]:
        rows = [each for each in self.outputs() if not isinstance(each.layer, Container) or each.layer.has_row]
        return sorted(rows, key=lambda row: [*map(int, row.name.split("."))])

    def outputs(self, n: int | None = None, image: tuple[int, int] | None = None, ahead: str = "") -> Iterator[Output]:
        """Yield what each layer gives, containers and the layers in them, in the order in which they run.

        Parameters
        ----------
        n : int, optional
            Number of features or channels of the input. Default: what the layers say.
        image : (int, int), optional
            Rows and columns of the input, likewise.
        ahead : str
            What names of layers begin with.

        Yields
        ------
        Output
        """
        n = self.features()[0] if n is None else n
        image = self.image if image is None else image
        for chain in self._chains():
            given, size = n, image
            for i, layer in chain.items():
                if is_container := isinstance(layer, Container):
                    yield from layer.outputs(given, size, f"{ahead}{i}.")
                taken, own = layer.features()
                given, size = own or taken or given, layer.image_out(size)
                yield Output(f"{ahead}{i}", layer, given, size, is_container)

    def named_layers(self) -> dict[str, Layer]:
        """Return the layers that are not containers, by dotted name.

        Returns
        -------
        dict of Layer
            In the order in which they run; "2.0" is the first layer of the container in place 2.
        """
        return {
            f"{i}.{name}" if name else f"{i}": leaf
            for i, layer in enumerate(self.layers)
            for name, leaf in (layer.named_layers() if isinstance(layer, Container) else {"": layer}).items()
        }

    def named_containers(self) -> dict[str, "Container"]:
        """Return the layers that are containers, at any depth, by dotted name."""
        inner = {f"{i}": layer for i, layer in enumerate(self.layers) if isinstance(layer, Container)}
        return inner | {
            f"{i}.{name}": layer for i, each in inner.items() for name, layer in each.named_containers().items()
        }

    def with_input(self, n_in: int) -> Self:
        """Return the container with the sizes of its layers for an input of `n_in` features."""
        return self.with_layers(self._sized_layers(n_in, None))

    def with_image(self, rows: int, columns: int) -> Self:
        """Return the container with the sizes of its layers for images of `rows` x `columns` pixels."""
        return self.with_layers(self._sized_layers(None, (rows, columns)))

    def with_layers(self, layers: tuple[Layer, ...]) -> Self:
        """Return the container with other layers in the places of its own; itself if they are the same objects."""
        return self if all(map(operator.is_, layers, self.layers)) else type(self)(*layers)

    @cached_property
    def takes_images(self) -> bool:
        """True if a layer takes images."""
        return any(layer.takes_images for layer in self.layers)

    @cached_property
    def image(self) -> tuple[int, int] | None:
        """Rows and columns of the images that the first layer of images takes; None if not known, or without one."""
        return next((image_in(layer) for layer in self.layers if layer.takes_images), None)

    @cached_property
    def image_shape(self) -> Shape | None:
        """Channels, rows and columns of the images that the net takes; None if it takes features."""
        channels, _ = self.features()
        if not self.takes_images or channels is None or self.image is None:
            return None
        return channels, *self.image

    def image_out(self, image: tuple[int, int] | None) -> tuple[int, int] | None:
        """Return the rows and columns of the output; None if it has features in place of pixels."""
        for layer in self._chains()[0].values():
            image = layer.image_out(image)
        return image

    def features(self) -> tuple[int | None, int | None]:
        """Return the numbers of input and output features; of images, of channels."""
        return input_features(self.layers), self.n_out

    @cached_property
    def n_in(self) -> int | None:
        """Number of values of a sample; None if any number will do, or if it is not known yet."""
        n_in = input_features(self.layers)
        if not self.takes_images or n_in is None:
            return n_in
        return None if self.image is None else n_in * prod(self.image)

    @cached_property
    def n_out(self) -> int | None:
        """Number of output features; None if it is the number of input features."""
        chain = self._chains()[0].values()
        outputs = (n_out for _, n_out in (layer.features() for layer in reversed(chain)))
        return next((n_out for n_out in outputs if n_out is not None), None)

    @cached_property
    def n_parameters(self) -> int:
        """Number of parameters of one member, without the padding of the vector."""
        return sum(prod(p.shape) for p in self._parameters.values())

    @property
    def uses_rng(self) -> bool:
        """True if any layer uses random numbers."""
        return any(layer.uses_rng for layer in self.layers)

    def multiply_adds(self) -> int:
        """Return the sum over the layers, for all pixels of an image."""
        return sum(output.multiply_adds for output in self.outputs() if not output.is_container)

    def parameters(self) -> dict[str, Parameter]:
        """Return the parameters of all layers by name, in the layers' order."""
        return dict(self._parameters)

    def state(self) -> dict[str, Parameter]:
        """Return the state of all layers by name, in the layers' order."""
        return dict(self._state)

    @cached_property
    def _parameters(self) -> dict[str, Parameter]:
        return by_place(layer.parameters() for layer in self.layers)

    @cached_property
    def _state(self) -> dict[str, Parameter]:
        return by_place(layer.state() for layer in self.layers)

    @cached_property
    def layout(self) -> Layout:
        """Places of the parameters in the parameter vector."""
        return Layout(self._parameters)

    @cached_property
    def _checked(self) -> tuple[Layer, ...]:
        return checked(self.layers)

    @cached_property
    def _leaves_before(self) -> list[int]:
        """Number of layers that are not containers before each layer."""
        sizes = [len(layer.named_layers()) if isinstance(layer, Container) else 1 for layer in self.layers]
        return [sum(sizes[:i]) for i in range(len(sizes))]
