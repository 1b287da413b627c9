"""Text for people: settings by name, and numbers in percent."""

from collections.abc import Mapping
from typing import Any


def format_value(value: Any) -> str:
    """Return a setting's value as text: "yes" or "no", six digits of a number, "none" for an empty text.

    Parameters
    ----------
    value : bool, int, float, str or None
        Value of a setting.

    Returns
    -------
    str

    Examples
    --------
    >>> format_value(True), format_value(1 / 3), format_value("")
    ('yes', '0.333333', 'none')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (f"{value:g}" if isinstance(value, float) else str(value)) or "none"


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
