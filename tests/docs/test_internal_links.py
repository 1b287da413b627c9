"""The build of the site finds links of its pages that lead nowhere."""

import runpy
from pathlib import Path

import pytest

EXTENSION = Path(__file__).parents[2] / "docs" / "_extensions" / "internal_links.py"
PAGE = """<a href="https://example.org/x#y"></a> <a href="{}"></a> <h2 id="here &amp; there">&lt;a href="no"&gt;</h2>"""


@pytest.mark.parametrize(
    ("link", "dead"),
    [
        ("../b.html#here%20%26%20there", False),
        ("#here & there", False),
        ("../image.png?version=2", False),
        ("../image.svg", True),
        ("../b.html#there", True),
        ("b.html", True),
        ("../../b.html", True),
    ],
)
def test_dead_links_are_found(link, dead, tmp_path):
    pytest.importorskip("sphinx")
    (tmp_path / "a").mkdir()
    pages = [tmp_path / "a" / "a.html", tmp_path / "b.html"]
    for page, text in zip(pages, [PAGE.format(link), PAGE.format("a/a.html")], strict=True):
        page.write_text(text, encoding="utf-8")
    (tmp_path / "image.png").touch()
    found = runpy.run_path(str(EXTENSION))["dead_links"](tmp_path, pages)
    assert found == ([("a/a.html", link)] if dead else [])
