"""Search spaces as typed on the command line."""

from collections.abc import Iterable

from anynet.app.space import Grid, Range


def parse_space(texts: Iterable[str], option: str = "--over") -> dict[str, Grid | Range]:
    """Parse a space from texts as typed on the command line, one for each setting.

    Parameters
    ----------
    texts : iterable of str
        ``NAME=A,B,C`` for values, where ``+`` stands for a comma within a value, as in ``hidden=50+30,100``;
        ``NAME=LOW..HIGH`` for a range with uniform logarithm, ``NAME=LOW..HIGH..linear`` for a uniform one.
    option : str
        Option that error messages name.

    Returns
    -------
    dict from str to Grid or Range
        Values are still texts; `convert_space` gives them the types of their settings.

    Raises
    ------
    ValueError
        If a text has another form or a setting is given twice.

    Examples
    --------
    >>> parse_space(["lr=1e-3..0.1", "hidden=50+30,100"])
    {'lr': Range(low='1e-3', high='0.1', log=True), 'hidden': Grid(values=('50,30', '100'))}
    """
    space: dict[str, Grid | Range] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if not name or not equals:
            example = "NAME=A,B,C, as in lr=0.001,0.01"
            if option == "--over":
                example += ", or NAME=LOW..HIGH, as in lr=0.001..0.1"
            raise ValueError(f'{option}: expected {example}, got "{text}"')
        if name in space:
            raise ValueError(f"{option}: {name} is given twice; list all its values in one {option}")
        space[name] = _parse_values(name, values, option)
    return space


def _parse_values(name: str, text: str, option: str) -> Grid | Range:
    low, *rest = text.split("..")
    if not rest:
        return Grid(tuple(value.strip().replace("+", ",") for value in text.split(",")))
    high, *scale = rest
    if scale not in ([], ["linear"]) or "..." in text:  # 1e-3...1e-1 could also end at .1e-1
        raise ValueError(f'{option}: expected {name}=LOW..HIGH or {name}=LOW..HIGH..linear, got "{name}={text}"')
    # Texts for now, as in a grid: convert_space gives them the setting's type.
    return Range(low, high, log=not scale)  # type: ignore[arg-type]
