"""Outputs of the layers of a net, and the table of them."""

from collections.abc import Iterable
from math import prod
from typing import NamedTuple

from anynet.nn.layer import Layer
from anynet.nn.layer_text import short

HEADER = ("layer", "", "output", "parameters", "multiply-adds")


class Output(NamedTuple):
    """Output of a layer of a net for a sample.

    Attributes
    ----------
    name : str
        Dotted name of the layer.
    layer : Layer
    n : int or None
        Number of features; of images, of channels. None if it depends on an input that is not known.
    image : (int, int) or None
        Rows and columns of an image; None of features.
    is_container : bool
        True if the layer does what its own layers do, which have outputs too.
    """

    name: str
    layer: Layer
    n: int | None
    image: tuple[int, int] | None = None
    is_container: bool = False

    @property
    def pixels(self) -> int:
        """Number of pixels; 1 of features."""
        return prod(self.image or (1,))

    @property
    def values(self) -> int:
        """Number of values, for all pixels; 0 of a layer that gives as many as it takes."""
        return (self.layer.features()[1] or 0) * self.pixels

    @property
    def multiply_adds(self) -> int:
        """Number of multiply-adds for a sample, for all pixels."""
        return self.layer.multiply_adds() * self.pixels


def summary(outputs: Iterable[Output]) -> str:
    """Return a table of layers: output shapes, parameters, multiply-adds per sample, and their totals.

    Parameters
    ----------
    outputs : iterable of Output
        What the layers give, in the order of the rows.

    Returns
    -------
    str
        One line per layer, between a header and the totals. The batch size is N; a number of features that depends on
        the input is n. Pixels are shown as images, (N, H, W, C).

    Examples
    --------
    >>> from anynet import Linear, ReLU
    >>> print(summary([Output("0", ReLU(), 3072), Output("1", Linear(3072, 10), 10)]))
    layer                output       parameters  multiply-adds
    0  ReLU()            (N, 3072)             0              0
    1  Linear(3072, 10)  (N, 10)          30,730         30,720
    total                                 30,730         30,720
    """
    rows, multiply_adds, parameters = [HEADER], 0, 0
    for output in outputs:
        layer, own, products = output.layer, 0, 0
        if not output.is_container:
            own, products = sum(prod(p.shape) for p in layer.parameters().values()), output.multiply_adds
        shape = ", ".join(map(str, ("N", *(output.image or ()), output.n or "n")))
        text = type(layer).__name__ if output.is_container else short(layer)
        rows.append((output.name, text, f"({shape})", f"{own:,}", f"{products:,}"))
        parameters, multiply_adds = parameters + own, multiply_adds + products
    rows.append(("total", "", "", f"{parameters:,}", f"{multiply_adds:,}"))
    return _table(rows)


def _table(rows: list[tuple[str, str, str, str, str]]) -> str:
    """Align the columns; a name in the header and in the totals may reach into the second column."""
    names = max(len(row[0]) for row in rows[1:-1])
    layers = [f"{row[0]:<{names}}  {row[1]}" if row[1] else row[0] for row in rows]
    width, output = max(map(len, layers)), max(len(row[2]) for row in rows)
    return "\n".join(
        f"{layer:<{width}}  {row[2]:<{output}}  {row[3]:>12}  {row[4]:>13}"
        for layer, row in zip(layers, rows, strict=True)
    )
