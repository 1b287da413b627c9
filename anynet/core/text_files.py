"""Reading text files that may be damaged: of a bounded size, in UTF-8, as JSON or TOML."""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from anynet.core.errors import FileError, check_is_file
from anynet.core.formatting import printable

MOST_LEVELS = 100
"""Largest number of levels of lists and objects in JSON, so that functions that call themselves can walk through it."""

MOST_DIGITS = sys.float_info.max_10_exp
"""Largest number of digits of a whole number in JSON."""


def read_text(path: Path, most: int, advice: str) -> str:
    """Read a text file in UTF-8; a byte order mark at its start is left out.

    Parameters
    ----------
    path : Path
        The file.
    most : int
        Largest size in bytes; a larger file is not read.
    advice : str
        What to do if it cannot be read.

    Returns
    -------
    str

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileError
        If it is too large, not in UTF-8, or a folder, device or pipe, which may never end.
    """
    check_is_file(path, advice)
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise FileError(path, "", f"at most {most:,} bytes", f"{path.stat().st_size:,}", advice)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(path, f"line {line}", "text in UTF-8", f"byte 0x{data[error.start]:02x}", advice) from None


def read_json(path: Path, most: int, advice: str) -> dict[str, Any]:
    """Read an object from a JSON file; parameters and errors are those of `read_text`."""
    content = _read_json(path, most, advice)
    if not isinstance(content, dict):
        raise FileError(path, "", "a JSON object", f"a {type(content).__name__}", advice)
    return content


def read_json_list(path: Path, most: int, advice: str) -> list[Any]:
    """Read a list from a JSON file; parameters and errors are those of `read_text`."""
    content = _read_json(path, most, advice)
    if not isinstance(content, list):
        raise FileError(path, "", "a JSON list", f"a {type(content).__name__}", advice)
    return content


def _read_json(path: Path, most: int, advice: str) -> Any:
    text = read_text(path, most, advice)
    try:
        content = json.loads(text, object_pairs_hook=_object, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise FileError(path, f"line {error.lineno}", "JSON", f"an error: {error.msg}", advice) from None
    except (RecursionError, ValueError) as error:  # too deep, a key twice, or a number of too many digits
        raise FileError(path, "", "JSON", f"an error: {printable(str(error))}", advice) from None
    if _depth_exceeds(content, MOST_LEVELS):
        raise FileError(path, "", f"JSON of at most {MOST_LEVELS} levels", "more", advice)
    return content


def _integer(text: str) -> int:
    """Return a whole number. Raises ValueError if it is too large for a float, so that all can be formatted."""
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number of {len(text):,} digits, {text[:20]}...")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; Python would keep the last of several values of a key."""
    content: dict[str, Any] = {}
    for name, value in pairs:
        if name in content:
            raise ValueError(f'the key "{printable(name, 50)}" is there twice')
        content[name] = value
    return content


def _depth_exceeds(tree: Any, levels: int) -> bool:
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return levels < 0 or any(_depth_exceeds(child, levels - 1) for child in children)


def read_toml(path: Path, most: int, advice: str) -> dict[str, Any]:
    """Read a TOML file; parameters and errors are those of `read_text`."""
    text = read_text(path, most, advice)
    try:
        return tomllib.loads(text)
    except (RecursionError, ValueError) as error:  # TOMLDecodeError, too deep, or a number of too many digits
        raise FileError(path, "", "TOML", f"an error: {printable(str(error))}", advice) from None
