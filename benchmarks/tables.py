"""Tables of results for a terminal and for Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from io import StringIO

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from benchmarks import growth
from benchmarks.results import Result

NONE = "-"
FLOORS = ("shapes", "peak")


def ratios(results: Sequence[Result]) -> Table:
    """Return ratios to the baseline: rows are peers, anynet relative to hand-written code, and lower bounds."""
    table = Table("ratio", *(result.workload.name for result in results))
    peers = dict.fromkeys(name for result in results for name in result.timings)
    for name in peers:
        table.add_row(name, *(_ratio(result.ratios.get(name)) for result in results))
    table.add_section()
    for pair in dict.fromkeys(pair for result in results for pair in result.to_hand_written):
        table.add_row(pair, *(_ratio(result.to_hand_written.get(pair)) for result in results))
    table.add_section()
    for floor in FLOORS:
        ones = (result.rates.get(result.baseline) for result in results)
        cells = (_ratio(one and result.floors[floor] / one.median) for result, one in zip(results, ones, strict=True))
        table.add_row(f"floor: {floor}", *cells)
    return table


def throughput(results: Sequence[Result]) -> Table:
    """Return images per second: rows are peers and floors, columns workloads."""
    table = Table("images/s", *(result.workload.name for result in results))
    for name in dict.fromkeys(name for result in results for name in result.rates):
        table.add_row(name, *(f"{r.rates[name].median:,.0f}" if name in r.rates else NONE for r in results))
    table.add_section()
    for floor in FLOORS:
        table.add_row(f"floor: {floor}", *(f"{result.floors[floor]:,.0f}" for result in results))
    return table


def break_even(groups: Mapping[str, Sequence[Result]]) -> Table:
    """Return for each peer and group the least size from which on it is as fast as the baseline."""
    baseline = next(result.baseline for results in groups.values() for result in results)
    headings = (group if group in growth.AXES else f"{group}, {growth.axis(group)}" for group in groups)
    table = Table(f"as fast as {baseline}, from", *headings)
    peers = dict.fromkeys(name for results in groups.values() for result in results for name in result.ratios)
    for name in (name for name in peers if name != baseline):
        table.add_row(name, *(_least_size(group, results, name) for group, results in groups.items()))
    return table


def _least_size(group: str, results: Sequence[Result], name: str) -> str:
    found = NONE
    for result in reversed(results):
        if result.ratios.get(name, 0) < 1:
            break
        found = f"{growth.AXES[growth.axis(group)](result.workload)}"
    return found


def rates(result: Result) -> Table:
    """Return the rates of one workload.

    Rows are peers; columns are images per second, quartiles, microseconds per step, calls per step (if a peer reports
    them), and the rates as fractions of the floors.
    """
    calls = {name: timing.launches for name, timing in result.timings.items() if timing.launches is not None}
    columns = "images/s", "quartiles", "µs/step", *(["calls"] if calls else []), *(f"of {floor}" for floor in FLOORS)
    table = Table("peer", "ratio", *columns, title=f"{result.workload}")
    for name, rate in result.rates.items():
        table.add_row(
            name,
            _ratio(result.ratios[name]),
            f"{rate.median:,.0f}",
            f"{rate.low:,.0f}-{rate.high:,.0f}",
            f"{1e6 * result.workload.batch_size / rate.median:,.1f}",
            *([f"{calls.get(name, NONE)}"] if calls else []),
            *(f"{rate.median / result.floors[floor]:.0%}" for floor in FLOORS),
        )
    table.add_section()
    for floor in FLOORS:
        table.add_row(f"floor: {floor}", "", f"{result.floors[floor]:,.0f}")
    return table


def left_out(results: Iterable[Result]) -> list[str]:
    """Return a line for each reason why a peer was not timed."""
    found: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for entry in result.left_out.items():
            found.setdefault(entry, []).append(result.workload.name)
    return [f"{name} ({', '.join(workloads)}): {reason}" for (name, reason), workloads in found.items()]


def markdown(table: Table) -> str:
    """Return the table in Markdown, without its title."""
    table.box, table.title = MARKDOWN, None
    for row in table.rows:
        row.end_section = False
    text = StringIO()
    Console(file=text, width=1000).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines() if line.strip())


def _ratio(ratio: float | None) -> str:
    return NONE if ratio is None else f"{ratio:.2f}"
