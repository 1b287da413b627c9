"""HTML as notebooks show it, parsed; and kernels that are none."""

import re
import sys
from types import SimpleNamespace
from xml.etree import ElementTree

WIDE, LONG = 80, 10
"""Largest numbers of columns and of lines of a repr."""


def shown(value):
    """Return the HTML of an object as a tree. It has no colors, scripts and addresses, and the repr is short."""
    lines = repr(value).splitlines()
    assert len(lines) <= LONG
    assert max(map(len, lines)) <= WIDE
    html = value._repr_html_()
    # A namespace's name is no color; the rest of "color" belongs to currentColor alone.
    assert not re.search(r"(?<!current)color|background|#[0-9a-f]{3}|https?:|<script|<link|<style", html, re.IGNORECASE)
    return ElementTree.fromstring(html)


def title(tree):
    """Return the first line."""
    return tree.find("p/strong").text


def table(tree, number=0):
    """Return the texts of the cells of a table, row by row."""
    return [[cell.text or "" for cell in row] for row in tree.findall(".//table")[number].iter("tr")]


def pretend_kernel(monkeypatch, *, kernel=True):
    """Let the program seem to run in a notebook, or in IPython's terminal. Return the texts that are displayed."""
    shell, texts = SimpleNamespace(kernel=object() if kernel else None), []

    def display(data, **options):
        texts.append(data["text/plain"])
        return SimpleNamespace(update=lambda data, **options: texts.append(data["text/plain"]))

    shown = SimpleNamespace(get_ipython=lambda: shell, display=SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython", shown)
    return texts
