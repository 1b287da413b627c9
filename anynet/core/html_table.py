"""Tables and pictures in HTML, by which results show themselves in notebooks, light or dark."""

import base64
import re
from collections.abc import Iterable, Sequence
from html import escape

NUMBER = re.compile(r"[-+]?\d[\d.,]*(e[-+]?\d+)?( ?%)?( ± [\d.,]+ ?%?)?", re.ASCII)
"""Cells of columns that are aligned to the right."""

LINE = "1px solid currentColor"


class Html(str):
    """Text that is HTML already, where other text is escaped."""

    __slots__ = ()


def html_text(text: str) -> Html:
    """Return a text with its special characters escaped; HTML as it is."""
    return text if isinstance(text, Html) else Html(escape(text))


def html_block(title: str, *parts: str) -> Html:
    """Return a title and what is below it; parts that are empty are left out.

    Parameters
    ----------
    title : str
    *parts : str
        HTML, or texts, which become paragraphs.

    Returns
    -------
    Html
    """
    texts = (part if isinstance(part, Html) else f"<p>{html_text(part)}</p>" for part in parts if part)
    return Html(f"<div><p><strong>{html_text(title)}</strong></p>{''.join(texts)}</div>")


def html_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "", foot: Sequence[str] = ()
) -> Html:
    """Return a table, with texts escaped. Columns of numbers are aligned to the right.

    It has no colors of its own and loads nothing.

    Parameters
    ----------
    header : sequence of str
        Heading of each column.
    rows : iterable of sequence of str
        The first cell of each is its heading.
    caption : str
        Text above the table.
    foot : sequence of str
        Last row, such as totals.

    Returns
    -------
    Html

    Examples
    --------
    >>> table = html_table(["layer", "parameters"], [["<0>", "1,000"]])
    >>> re.findall("<t[hd] [^>]*>([^<]*)", table)
    ['layer', 'parameters', '&lt;0&gt;', '1,000']
    """
    body, foot = [list(row) for row in rows], list(foot)
    columns = zip(header, *body, *([foot] if foot else []), strict=True)
    numeric = [all(NUMBER.fullmatch(cell) or not cell for cell in cells) for _, *cells in columns]
    sides = ["right" if number and (body or foot) else "left" for number in numeric]

    def line(cells: Sequence[str], above: str = "0") -> str:
        kinds = [("th scope='row'", "th"), *[("td", "td")] * (len(cells) - 1)]
        return "".join(
            f"<{start} style='{_style(side, above)}'>{html_text(cell)}</{end}>"
            for (start, end), side, cell in zip(kinds, sides, cells, strict=True)
        )

    titles = "".join(
        f"<th scope='col' style='{_style(side)};border-bottom:{LINE}'>{html_text(text)}</th>"
        for side, text in zip(sides, header, strict=True)
    )
    above = f"<caption style='text-align:left'>{html_text(caption)}</caption>" if caption else ""
    inner = "".join(f"<tr>{line(row)}</tr>" for row in body)
    end = f"<tfoot><tr>{line(foot, LINE)}</tr></tfoot>" if foot else ""
    return Html(
        f"<table style='border-collapse:collapse;margin:0.5em 0'>{above}<thead><tr>{titles}</tr></thead>"
        f"<tbody>{inner}</tbody>{end}</table>"
    )


def html_details(summary: str, content: str) -> Html:
    """Return content that is shown when a reader opens it."""
    return Html(f"<details><summary>{html_text(summary)}</summary>{html_text(content)}</details>")


def html_image(png: bytes, text: str, size: tuple[int, int] | None = None) -> Html:
    """Return a picture that is part of the page.

    Parameters
    ----------
    png : bytes
        A PNG file.
    text : str
        What it shows, for readers who do not see it.
    size : (int, int), optional
        Width and height on the page, in its pixels; pixels of the picture stay sharp.

    Returns
    -------
    Html
    """
    shown = " style='max-width:100%'"
    if size is not None:
        shown = f" width='{size[0]}' height='{size[1]}' style='image-rendering:pixelated'"
    return Html(f"<img src='{png_address(png)}' alt='{escape(text)}'{shown}/>")


def png_address(png: bytes) -> str:
    """Return an address that holds a PNG file."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def _style(side: str, above: str = "0") -> str:
    line = f";border-top:{above}" if above != "0" else ""
    whole = ";white-space:nowrap" if side == "right" else ""  # -1.5e-03 is not broken at its signs
    return f"text-align:{side};padding:0.2em 0.7em{line}{whole}"
