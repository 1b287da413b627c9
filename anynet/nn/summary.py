"""Table of a net's layers."""

from collections.abc import Iterable, Iterator, Mapping
from math import prod

from anynet.nn.layer import Layer, short
from anynet.nn.sizes import image_in, input_features

HEADER = ("layer", "", "output", "parameters", "multiply-adds")


def summary(layers: Mapping[str, Layer]) -> str:
    """Return a table of layers: output shapes, parameters, multiply-adds per sample, and their totals.

    Parameters
    ----------
    layers : mapping of str to Layer
        Layers by name, in the order in which they run.

    Returns
    -------
    str
        One line per layer, between a header and the totals. The batch size is N; a number of features that depends on
        the input is n. Pixels are shown as images, (N, H, W, C).

    Examples
    --------
    >>> from anynet import Linear, ReLU
    >>> print(summary({"0": ReLU(), "1": Linear(3072, 10)}))
    layer                output       parameters  multiply-adds
    0  ReLU()            (N, 3072)             0              0
    1  Linear(3072, 10)  (N, 10)          30,730         30,720
    total                                 30,730         30,720
    """
    n = input_features(layers.values())
    rows, multiply_adds, parameters = [HEADER], 0, 0
    for (name, layer), image in zip(layers.items(), images_out(layers.values()), strict=True):
        n_in, n_out = layer.features()
        n = n_out or n_in or n
        own = sum(prod(p.shape) for p in layer.parameters().values())
        products = layer.multiply_adds() * prod(image or (1,))
        shape = ", ".join(map(str, ("N", *(image or ()), n or "n")))
        rows.append((name, short(layer), f"({shape})", f"{own:,}", f"{products:,}"))
        parameters, multiply_adds = parameters + own, multiply_adds + products
    rows.append(("total", "", "", f"{parameters:,}", f"{multiply_adds:,}"))
    return _table(rows)


def images_out(layers: Iterable[Layer]) -> Iterator[tuple[int, int] | None]:
    """Yield rows and columns of the output of each layer, in the order in which they run; None of features."""
    image = None
    for layer in layers:
        image = layer.image_out(image_in(layer) if layer.takes_images else image)
        yield image


def values_out(layers: Iterable[Layer]) -> list[int]:
    """Return how many values of a sample each layer gives: features, of all pixels; 0 where it gives what it takes."""
    layers = list(layers)
    return [
        (layer.features()[1] or 0) * prod(image or (1,))
        for layer, image in zip(layers, images_out(layers), strict=True)
    ]


def _table(rows: list[tuple[str, str, str, str, str]]) -> str:
    """Align the columns; a name in the header and in the totals may reach into the second column."""
    names = max(len(row[0]) for row in rows[1:-1])
    layers = [f"{row[0]:<{names}}  {row[1]}" if row[1] else row[0] for row in rows]
    width, output = max(map(len, layers)), max(len(row[2]) for row in rows)
    return "\n".join(
        f"{layer:<{width}}  {row[2]:<{output}}  {row[3]:>12}  {row[4]:>13}"
        for layer, row in zip(layers, rows, strict=True)
    )
