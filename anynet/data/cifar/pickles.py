"""Safe reading of CIFAR's pickles: dictionaries of numbers, text, lists of these, and arrays."""

from typing import Any

from anynet.core.formatting import printable
from anynet.data.cifar.content import Content, Text
from anynet.data.cifar.pickle_machine import LONGEST_TEXT, Array, Machine
from anynet.data.dataset import DataError


def load(data: bytes | Content, file: str) -> dict[str, Any]:
    """Read a pickled dictionary.

    Parameters
    ----------
    data : bytes or Content
        All of the file.
    file : str
        Its name, for error messages.

    Returns
    -------
    dict of str
        Arrays are read-only NumPy arrays, short byte strings (of Python 2 or 3) are str decoded as Latin-1, lists are
        lists of these.

    Raises
    ------
    DataError
        If the pickle is damaged, needs anything but arrays, or is not a dictionary.
    """
    try:
        content = Machine().run(data)
        if not isinstance(content, dict):
            raise TypeError(f"it holds a {type(content).__name__}, not a dict")
        return {key: _plain_items(value) for key, value in content.items()}
    except MemoryError:  # this computer's fault, since a pickle takes no more than its file
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DataError(
            f"{file}: expected a pickle of CIFAR, got one that cannot be read ({type(error).__name__}: "
            f"{printable(str(error))}); delete it and unpack or download it again"
        ) from error


def _plain_items(value: Any) -> Any:
    if not isinstance(value, list):
        return _plain(value)
    if any(isinstance(item, list | tuple | dict) for item in value):
        raise TypeError("it holds a list of lists, tuples or dictionaries")
    return [_plain(item) for item in value]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes) and len(value) <= LONGEST_TEXT:
        return value.decode("latin1")
    if isinstance(value, Array):
        if value.values is None:
            raise TypeError("it holds an array without values")
        return value.values
    return value.tobytes() if isinstance(value, Text) else value
