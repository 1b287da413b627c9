"""Text for people: settings by name, and numbers in percent."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

FIXED_SPACE = "\N{NO-BREAK SPACE}"
"""Stands for a space where a text is not to be broken."""


def format_value(value: Any, digits: int = 6) -> str:
    """Return a setting's value as text: "yes" or "no", so many digits of a float, "none" for an empty text.

    Parameters
    ----------
    value : bool, int, float, str or None
        Value of a setting.
    digits : int

    Returns
    -------
    str

    Examples
    --------
    >>> format_value(True), format_value(1 / 3), format_value(2 / 3, digits=3), format_value("")
    ('yes', '0.333333', '0.667', 'none')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (f"{value:.{digits}g}" if isinstance(value, float) else str(value)) or "none"


def format_seconds(seconds: float) -> str:
    """Return a time in seconds as text: with a digit after the point if there are less than ten.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str

    Examples
    --------
    >>> format_seconds(0.34), format_seconds(9.96), format_seconds(72.3)
    ('0.3', '10', '72')
    """
    return f"{seconds:.1f}" if seconds < 9.95 else f"{seconds:.0f}"


def format_settings(settings: Mapping[str, Any]) -> str:
    """Return settings as names and values, separated by commas.

    Parameters
    ----------
    settings : mapping from str
        Values by name.

    Returns
    -------
    str

    Examples
    --------
    >>> format_settings({"lr": 0.01, "flip": True, "hidden": ""})
    'lr 0.01, flip yes, hidden none'
    """
    return ", ".join(f"{name} {format_value(value)}" for name, value in settings.items())


def format_count(n: int, noun: str) -> str:
    """Return a number and a noun, in the plural unless the number is 1.

    Parameters
    ----------
    n : int
    noun : str
        In the singular.

    Returns
    -------
    str

    Examples
    --------
    >>> format_count(1, "member"), format_count(1000, "member")
    ('1 member', '1,000 members')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def format_numbers(numbers: Sequence[int]) -> str:
    """Return increasing numbers as text: as a range if they are consecutive, else separated by commas.

    Parameters
    ----------
    numbers : sequence of int
        One or more.

    Returns
    -------
    str

    Examples
    --------
    >>> format_numbers([2, 3, 4]), format_numbers([2, 4]), format_numbers([7])
    ('2-4', '2, 4', '7')
    """
    consecutive = len(numbers) > 1 and list(numbers) == list(range(numbers[0], numbers[-1] + 1))
    return f"{numbers[0]}-{numbers[-1]}" if consecutive else ", ".join(map(str, numbers))


def format_difference(a: str, b: str, most: int = 200) -> tuple[str, str]:
    """Return two texts, such as those of two nets, in a line each; the parts that differ if they are long.

    Parameters
    ----------
    a, b : str
    most : int
        Largest number of characters of each.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> format_difference("Net(Linear(3, 4), ReLU(), Linear(4, 5))", "Net(Linear(3, 4), ReLU(), Linear(4, 6))", most=30)
    ('...Linear(4, 5))', '...Linear(4, 6))')
    """
    same, start = next((i for i, (c, d) in enumerate(zip(a, b, strict=False)) if c != d), min(len(a), len(b))), 0
    if max(len(a), len(b)) > most:
        # Where it may begin: at the difference, behind the comma ahead of it, at a call that it is in.
        around, depth = [same, same - len(a[:same].rpartition(", ")[2])], 0
        for each in reversed([*re.finditer(r"([\d.]+ )?\w*\(|\)", a[:same])]):
            depth += 1 if each[0] == ")" else -1
            if depth < 0:
                around, depth = [*around, each.start()], 0
        start = min(at for at in around if same - at <= most // 2)
    one, other = (
        "..." * (start > 0) + printable(text[start:], most) + "..." * (len(text) - start > most) for text in (a, b)
    )
    return one, other


def format_percent(mean: float, deviation: float | None = None) -> str:
    """Return a fraction in percent with two decimals, followed by its deviation if there is one.

    Parameters
    ----------
    mean : float
        Fraction, usually 0 to 1.
    deviation : float, optional
        Standard deviation, as a fraction.

    Returns
    -------
    str

    Examples
    --------
    >>> format_percent(0.5), format_percent(0.5, 0.012)
    ('50.00', '50.00 ± 1.20')
    """
    return f"{100 * mean:.2f}" + ("" if deviation is None else f" ± {100 * deviation:.2f}")


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return a text as lines that are broken behind commas, semicolons and colons alone.

    Parameters
    ----------
    text : str
    width : int
        Largest number of characters, unless there is no place to break a line.
    indent : str
        What lines behind the first one begin with.

    Returns
    -------
    list of str

    Examples
    --------
    >>> wrapped("lr 0.001, weight_decay 1.5e-05, l2 0.1", 24)
    ['lr 0.001,', 'weight_decay 1.5e-05,', 'l2 0.1']
    """
    fixed = "".join(
        FIXED_SPACE if c == " " and before not in ",;:" else c for before, c in zip(" " + text, text, strict=False)
    )
    lines = textwrap.wrap(fixed, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [line.replace(FIXED_SPACE, " ") for line in lines]


def first_line(error: BaseException) -> str:
    """Return an error's message in one short line; those of libraries may be pages long, and begin with a rule.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    str
    """
    return next((line.strip()[:200] for line in str(error).splitlines() if line.strip(" =")), type(error).__name__)


def printable(text: str, most: int = 200) -> str:
    r"""Return the beginning of a text from a file in one line, without characters that could command a terminal.

    Parameters
    ----------
    text : str
    most : int
        Number of characters.

    Returns
    -------
    str

    Examples
    --------
    >>> printable("a\nb\x1b[0m", most=4)
    'a b?'
    """
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text[:most])
