"""Outputs of the layers of a net, and the table of them."""

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from math import prod
from typing import NamedTuple

from anynet.core.formatting import format_count
from anynet.core.html_table import Html, html_block, html_details, html_table
from anynet.nn.layer import Layer
from anynet.nn.layer_text import short

WIDTH = 80
"""Number of characters of a line, unless names of settings are longer."""

HEADER = ("layer", "", "output", "parameters", "multiply-adds")

MOST_ROWS = 20
"""Number of rows up to which a table in HTML has the layers of containers."""

Row = tuple[str, str, str, str, str]


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


def summary(outputs: Sequence[Output]) -> str:
    """Return a table of layers: output shapes, parameters, multiply-adds per sample, and their totals.

    Parameters
    ----------
    outputs : sequence of Output
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
    rows, (parameters, multiply_adds) = _cells(outputs), _totals(outputs)
    return _table([HEADER, *rows, ("total", "", "", f"{parameters:,}", f"{multiply_adds:,}")])


def html_summary(name: str, outputs: Sequence[Output]) -> Html:
    """Return the table in HTML. Layers of containers are below it, to be opened, where there are many.

    Parameters
    ----------
    name : str
        Class of the net.
    outputs : sequence of Output
        As for `summary`.

    Returns
    -------
    Html
    """
    parameters, multiply_adds = _totals(outputs)
    many = f"{parameters:,} parameters, {multiply_adds:,} multiply-adds for a sample"
    foot = ("total", "", "", f"{parameters:,}", f"{multiply_adds:,}")

    def table(rows: Iterable[Sequence[str]]) -> Html:
        return html_table(HEADER, rows, foot=foot)

    outer = [output for output in outputs if "." not in output.name]
    title = f"{name}: {format_count(len(outer), 'layer')}, {many}"
    if len(outputs) <= MOST_ROWS or len(outer) == len(outputs):
        return html_block(title, table(_cells(outputs)))
    inner = {
        each.name: _totals([own for own in outputs if f"{own.name}.".startswith(f"{each.name}.")]) for each in outer
    }
    sums = [(*row[:3], *(f"{total:,}" for total in inner[row[0]])) for row in _cells(outer)]
    return html_block(title, table(sums), html_details(f"all {len(outputs)} rows", table(_cells(outputs))))


def _own(output: Output) -> tuple[int, int]:
    """Return the numbers of parameters and of multiply-adds of a layer; none of a container, whose layers have them."""
    if output.is_container:
        return 0, 0
    return sum(prod(p.shape) for p in output.layer.parameters().values()), output.multiply_adds


def _totals(outputs: Iterable[Output]) -> tuple[int, int]:
    own = [_own(output) for output in outputs]
    return sum(each[0] for each in own), sum(each[1] for each in own)


def _cells(outputs: Iterable[Output]) -> list[Row]:
    rows = []
    for output in outputs:
        shape = ", ".join(map(str, ("N", *(output.image or ()), output.n or "n")))
        text = type(output.layer).__name__ if output.is_container else short(output.layer)
        parameters, multiply_adds = _own(output)
        rows.append((output.name, text, f"({shape})", f"{parameters:,}", f"{multiply_adds:,}"))
    return rows


def _table(rows: Sequence[Row]) -> str:
    """Align the columns; a name in the header and in the totals may reach into the second column."""
    names = max(len(row[0]) for row in rows[1:-1])
    output, own, products = (max(len(row[i]) for row in rows) for i in (2, 3, 4))
    room = WIDTH - names - output - own - products - 4 * len("  ")
    layers = [
        [f"{name:<{names}}  {line}" for name, line in zip_longest([row[0]], _lines(row[1], room), fillvalue="")]
        if row[1]
        else [row[0]]
        for row in rows
    ]
    width = max(len(line) for lines in layers for line in lines)
    if width + output + 12 + 13 + 3 * len("  ") <= WIDTH:
        own, products = max(own, 12), max(products, 13)
    table = []
    for (first, *others), row in zip(layers, rows, strict=True):
        table += [f"{first:<{width}}  {row[2]:<{output}}  {row[3]:>{own}}  {row[4]:>{products}}", *others]
    return "\n".join(table)


def _lines(text: str, room: int) -> list[str]:
    """Return the text of a layer in lines that fit, broken behind commas and brackets; the others are indented."""
    lines = [""]
    for part in re.findall(r"[^,(]*(?:, |,|\(|$)", text):
        if lines[-1].strip() and len(lines[-1] + part.rstrip()) > room:
            lines[-1] = lines[-1].rstrip()
            lines.append("    ")
        lines[-1] += part
    return lines
