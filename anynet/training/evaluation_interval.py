"""Epochs after which training samples are evaluated, as a text: every:N, or never."""

import re


def interval(evaluate_train: str) -> int | None:
    """Return N of "every:N", and None of "never".

    Parameters
    ----------
    evaluate_train : str
        See `TrainSettings`.

    Returns
    -------
    int or None

    Raises
    ------
    ValueError
        If it is another text.
    """
    if evaluate_train == "never":
        return None
    if not re.fullmatch(r"every:0*[1-9][0-9]{0,8}", evaluate_train):
        expected = '"every:N" with a number N of epochs, 1 or more, or "never"'
        raise ValueError(f"evaluate_train: expected {expected}, got {evaluate_train!r:.50}")
    return int(evaluate_train.removeprefix("every:"))
