"""Options of the form NAME:NUMBER:NUMBER."""

from anynet.core.checks import nearest


def parse_numbers(option: str, text: str, **kinds: int) -> tuple[str, tuple[float, ...]]:
    """Parse a text such as "step:0.1:10".

    Parameters
    ----------
    option : str
        Name of the option in error messages.
    text : str
        A name, and its numbers.
    **kinds : int
        Number of numbers by name.

    Returns
    -------
    name : str
    numbers : tuple of float

    Raises
    ------
    ValueError
        If the name is unknown, or has other numbers.

    Examples
    --------
    >>> parse_numbers("schedule", "step:0.1:10", constant=0, step=2)
    ('step', (0.1, 10.0))
    """
    name, *rest = text.split(":")
    if name not in kinds:
        raise ValueError(f'--{option}: there is no "{name}"{nearest(name, kinds)}')
    try:
        numbers = tuple(float(part) for part in rest)
    except ValueError:
        numbers = ()
    if len(numbers) != kinds[name] or len(rest) != kinds[name] or not all(number >= 0 for number in numbers):
        forms = {each: ":".join([each, *["NUMBER"] * count]) for each, count in kinds.items()}
        expected = f"{forms[name]}, numbers of 0 or more"
        if not kinds[name]:
            expected = f"{name} without numbers, or one of {', '.join(forms[each] for each in kinds if kinds[each])}"
        raise ValueError(f'--{option}: expected {expected}, got "{text}"')
    return name, numbers
