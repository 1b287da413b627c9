"""A space as it is typed: ``lr=0.001,0.01``, ``l2=1e-5..1e-1``."""

from collections.abc import Iterable

from anynet.app.search.space import Grid, Range


def parse(flags: Iterable[str]) -> dict[str, Grid | Range]:
    """A space of texts, one a field.

    NAME=A,B,C are values to try; a + within one stands for a comma, as in hidden=50+30,100. NAME=LOW..HIGH is a range
    to draw from evenly over the logarithm, NAME=LOW..HIGH..linear one to draw from evenly.

    Values are not looked at here: ``space.checked`` does that.

    Raises ValueError for a text of no such form, and for a field that comes twice.

    >>> parse(["lr=1e-3..0.1", "hidden=50+30,100"])
    {'lr': Range(low='1e-3', high='0.1', log=True), 'hidden': Grid(values=('50,30', '100'))}
    """
    space: dict[str, Grid | Range] = {}
    for flag in flags:
        name, equals, text = flag.partition("=")
        name = name.strip().replace("-", "_")
        if not name or not equals:
            raise ValueError(f'--over: expected NAME=A,B,C or NAME=LOW..HIGH, as in lr=0.001..0.1, got "{flag}"')
        if name in space:
            raise ValueError(f"--over: {name} comes twice; give all its values at once")
        space[name] = _part(name, text)
    return space


def _part(name: str, text: str) -> Grid | Range:
    low, *rest = text.split("..")
    if not rest:
        return Grid(tuple(value.strip().replace("+", ",") for value in text.split(",")))
    high, *scale = rest
    if scale not in ([], ["linear"]):
        raise ValueError(f'--over: expected {name}=LOW..HIGH or {name}=LOW..HIGH..linear, got "{name}={text}"')
    # Texts for now, as in a grid: the field says what they mean.
    return Range(low, high, log=not scale)  # type: ignore[arg-type]
