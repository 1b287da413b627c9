"""Results as tables, for a terminal and for Markdown."""

from collections.abc import Iterable, Sequence
from io import StringIO

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from benchmarks.results import Result

NONE = "-"
FLOORS = ("shapes", "peak")


def ratios(results: Sequence[Result]) -> Table:
    """A line for each peer, a column for each workload; anynet beside hand-written code; the floors."""
    table = Table("ratio", *(result.workload.name for result in results))
    peers = dict.fromkeys(name for result in results for name in result.timings)
    for name in peers:
        table.add_row(name, *(_ratio(result.ratios.get(name)) for result in results))
    table.add_section()
    for pair in dict.fromkeys(pair for result in results for pair in result.to_hand_written):
        table.add_row(pair, *(_ratio(result.to_hand_written.get(pair)) for result in results))
    table.add_section()
    for floor in FLOORS:
        ones = (result.rates.get(result.yardstick) for result in results)
        cells = (_ratio(one and result.floors[floor] / one.median) for result, one in zip(results, ones, strict=True))
        table.add_row(f"floor: {floor}", *cells)
    return table


def rates(result: Result) -> Table:
    """A line for each peer of one workload: images per second, the quartiles, and how much of either floor that is."""
    of_floors = (f"of {floor}" for floor in FLOORS)
    table = Table("peer", "ratio", "images/s", "quartiles", *of_floors, title=f"{result.workload}")
    for name, rate in result.rates.items():
        table.add_row(
            name,
            _ratio(result.ratios[name]),
            f"{rate.median:,.0f}",
            f"{rate.low:,.0f}-{rate.high:,.0f}",
            *(f"{rate.median / result.floors[floor]:.0%}" for floor in FLOORS),
        )
    table.add_section()
    for floor in FLOORS:
        table.add_row(f"floor: {floor}", "", f"{result.floors[floor]:,.0f}")
    return table


def left_out(results: Iterable[Result]) -> list[str]:
    """Who was not timed, and why, a line each."""
    where: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for each in result.left_out.items():
            where.setdefault(each, []).append(result.workload.name)
    return [f"{name} ({', '.join(workloads)}): {why}" for (name, why), workloads in where.items()]


def markdown(table: Table) -> str:
    """The table in Markdown, where its title is left to a heading."""
    table.box, table.title = MARKDOWN, None
    for row in table.rows:
        row.end_section = False
    text = StringIO()
    Console(file=text, width=1000).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines() if line.strip())


def _ratio(ratio: float | None) -> str:
    return NONE if ratio is None else f"{ratio:.2f}"
