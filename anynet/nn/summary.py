"""Table of a net's layers."""

from collections.abc import Mapping
from math import prod

from anynet.nn.layer import Layer, short
from anynet.nn.sizes import input_features

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
        the input is n.

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
    counts = [sum(prod(p.shape) for p in layer.parameters().values()) for layer in layers.values()]
    rows = [HEADER]
    for (name, layer), count in zip(layers.items(), counts, strict=True):
        n_in, n_out = layer.features()
        n = n_out or n_in or n
        rows.append((name, short(layer), f"(N, {n or 'n'})", f"{count:,}", f"{layer.multiply_adds():,}"))
    multiply_adds = sum(layer.multiply_adds() for layer in layers.values())
    rows.append(("total", "", "", f"{sum(counts):,}", f"{multiply_adds:,}"))
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
