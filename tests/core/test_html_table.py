"""Tables for notebooks are well-formed, without colors and addresses, and text in them cannot be markup."""

from base64 import b64decode
from xml.etree import ElementTree

import pytest

from anynet.core.html_table import Html, html_block, html_details, html_image, html_table

NASTY = "<script>alert('x')</script> & \"quoted\""


def sides(row):
    return [cell.get("style").partition(";")[0].removeprefix("text-align:") for cell in row]


def test_cells_are_texts_and_columns_of_numbers_are_on_the_right():
    rows = [["a", "1,024", "(N, 3)", "1.5e-07"], [NASTY, "", "-", "51.20 ± 0.30"]]
    table = ElementTree.fromstring(html_table(["name", "size", NASTY, "mean"], rows, caption=NASTY, foot="abcd"))
    texts = [[cell.text or "" for cell in row] for row in table.iter("tr")]
    assert texts == [["name", "size", NASTY, "mean"], *rows, [*"abcd"]]
    assert table.find("caption").text == NASTY
    assert [cell.tag for row in table.find("tbody") for cell in row] == ["th", "td", "td", "td"] * 2
    plain = ElementTree.fromstring(html_table(["name", "size", "shape", "mean"], rows))
    assert [sides(row) for row in plain.iter("tr")] == [["left", "right", "left", "right"]] * 3


def test_blocks_hold_html_and_texts():
    made = html_block(NASTY, NASTY, "", Html("<em>1</em>"), html_details(NASTY, html_image(b"png", NASTY, (3, 4))))
    block = ElementTree.fromstring(made)
    assert block.find("p/strong").text == NASTY
    assert [p.text for p in block.findall("p")] == [None, NASTY]
    assert block.find("em").text == "1"
    assert block.find("details/summary").text == NASTY
    image = block.find("details/img")
    assert (image.get("alt"), image.get("width"), image.get("height")) == (NASTY, "3", "4")
    assert b64decode(image.get("src").removeprefix("data:image/png;base64,")) == b"png"


def test_rows_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="zip"):
        html_table(["a", "b"], [["1"]])
