"""Choice between linear and logarithmic axes."""

LOG_RATIO = 20
"""Ratio of the largest to the smallest value from which an axis is logarithmic."""


def scale(low: float, high: float) -> str:
    """Return the scale of an axis.

    Parameters
    ----------
    low, high : float
        Smallest and largest value.

    Returns
    -------
    {"linear", "log"}

    Examples
    --------
    >>> scale(0.001, 0.1), scale(0.0, 0.1)
    ('log', 'linear')
    """
    return "log" if 0 < LOG_RATIO * low <= high else "linear"
