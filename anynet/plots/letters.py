"""Letters of texts in pictures: fonts for those that the usual font lacks, and escapes for those of no font."""

import logging
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

import matplotlib
from matplotlib.font_manager import FontEntry, FontProperties, findfont, fontManager, get_font

REGULAR = (400, "400", "normal", "regular", "book")
"""Weights of fonts that texts are not drawn bold with."""
PLACEHOLDERS = "Last Resort"
"""Beginning of the name of a font that has the same few signs for all letters."""

_added, _nowhere = list[str](), set[str]()


@contextmanager
def any_weight() -> Iterator[None]:
    """Context manager in which a font without bold letters serves for these, too, without a message."""
    logger = logging.getLogger("matplotlib.font_manager")
    logger.addFilter(_is_no_weight)
    try:
        yield
    finally:
        logger.removeFilter(_is_no_weight)


def _is_no_weight(record: logging.LogRecord) -> bool:
    return "Failed to find font weight" not in record.getMessage()


def added_fonts() -> list[str]:
    """Return the families of fonts that were found for letters of earlier texts."""
    return [*_added]


def drawable(text: str) -> str:
    r"""Return a text with escapes in place of the letters that no font has, to be called while `styled`.

    If an installed font has letters that the families of ``font.family`` lack, it becomes one of these.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> drawable("naïve\x07")
    'naïve\\x07'
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    missing = _missing({*text} - {"\n"} - _nowhere)
    if missing:
        _find_fonts(missing)
    return "".join(c.encode("unicode_escape").decode() if c in _nowhere else c for c in text)


def columns(text: str) -> int:
    """Return the width of a line in letters, of which Chinese and similar ones are two wide.

    Parameters
    ----------
    text : str

    Returns
    -------
    int

    Examples
    --------
    >>> columns("cat"), columns("\N{CJK UNIFIED IDEOGRAPH-732B}")
    (3, 2)
    """
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _missing(letters: Iterable[str]) -> set[str]:
    """Return the letters that none of the families in use has."""
    fonts = [findfont(FontProperties(family=[family])) for family in matplotlib.rcParams["font.family"]]
    return {c for c in letters if not any(_has(font, c) for font in fonts)}


@cache
def _has(font: str, letter: str) -> bool:
    return get_font(font).get_char_index(ord(letter)) != 0


def _find_fonts(missing: set[str]) -> None:
    """Add installed fonts that have letters, those without serifs first, to the families in use."""
    usable = filter(_is_usable, fontManager.ttflist)
    for entry in sorted(usable, key=lambda entry: ("Sans" not in entry.name, entry.name)):
        try:
            font = get_font(entry.fname)
        except (OSError, RuntimeError):  # the file is gone, or of a kind that cannot be read
            continue
        found = {c for c in missing if font.scalable and font.get_char_index(ord(c)) != 0}
        if found:
            _added.append(entry.name)
            matplotlib.rcParams["font.family"] = [*matplotlib.rcParams["font.family"], entry.name]
            missing = missing - found
        if not missing:
            return
    _nowhere.update(missing)


def _is_usable(entry: FontEntry) -> bool:
    return entry.style == "normal" and entry.weight in REGULAR and not entry.name.startswith(PLACEHOLDERS)
