"""Figures of the results (Matplotlib)."""

import math
from collections.abc import Mapping, Sequence

from anynet.plots import Figure
from anynet.plots.scales import set_log
from anynet.plots.style import COLORS, CYCLE, QUIET, figure, legend_below, styled
from benchmarks.growth import AXES, axis
from benchmarks.peers import ANYNET
from benchmarks.results import Result

ANYNET_COLOR, PEER_COLOR = COLORS[0], "silver"
COLUMNS = 3
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
"""Box of a number, which the line of the baseline must not cross."""
NOTE = "images per second relative to the baseline, at 1; bars of anynet are blue"


@styled()
def ratios(results: Sequence[Result], title: str) -> Figure:
    """Return bar charts of throughput relative to the baseline, a panel per workload; anynet's bars are blue."""
    names = list(dict.fromkeys(name for result in results for name in result.ratios))[::-1]
    columns = min(len(results), COLUMNS)
    rows = math.ceil(len(results) / columns)
    made = figure(1.5 + 2.8 * columns, rows * (0.8 + 0.2 * len(names)), title, NOTE)
    panels = made.subplots(rows, columns, sharey=True, squeeze=False).flat
    for result, axes in zip(results, panels, strict=False):
        values = [result.ratios.get(name, 0.0) for name in names]
        bars = axes.barh(
            names, values, color=[ANYNET_COLOR if name.startswith(ANYNET) else PEER_COLOR for name in names]
        )
        axes.bar_label(
            bars, [f"{value:.2f}" if value else "" for value in values], padding=2, fontsize="x-small", bbox=BEHIND
        )
        axes.axvline(1, color="black", linewidth=0.8)
        axes.grid(axis="y", visible=False)
        axes.set(title=result.workload.name, xlabel=f"times {result.baseline}")
        axes.margins(x=0.15)
    for axes in list(panels):  # unused panels
        axes.remove()
    return made


@styled()
def growth(groups: Mapping[str, Sequence[Result]], title: str) -> Figure:
    """Return plots of images per second and of ratios to the baseline over the varied size, a column per group."""
    made = figure(max(4.5 * len(groups), 8), 6, title)
    styles = list(CYCLE)
    names = list(dict.fromkeys(name for results in groups.values() for result in results for name in result.rates))
    panels = made.subplots(2, len(groups), squeeze=False, sharex="col", height_ratios=(3, 2))
    for (upper, lower), (group, results) in zip(panels.T, groups.items(), strict=True):
        varied = AXES[axis(group)]
        for i, name in enumerate(names):
            timed = [result for result in results if name in result.rates]
            at, style = [varied(result.workload) for result in timed], styles[i % len(styles)]
            lows, medians, highs = (
                zip(*(result.rates[name] for result in timed), strict=True) if timed else ((), (), ())
            )
            upper.plot(at, medians, marker=".", label=name, **style)
            upper.fill_between(at, lows, highs, alpha=0.2, color=style["color"])
            lower.plot(at, [result.ratios[name] for result in timed], marker=".", **style)
        for floor, line in (("shapes", "--"), ("peak", ":")):
            heights = [result.floors[floor] for result in results]
            at = [varied(result.workload) for result in results]
            upper.plot(at, heights, line, color=QUIET, label=f"floor: {floor}")
        upper.set(title="" if group in AXES else group, ylabel="images/s")
        lower.set(xlabel=axis(group), ylabel=f"times {results[0].baseline}")
        for axes in (upper, lower):
            set_log(axes, "x", base=2)
            set_log(axes, "y")
    legend_below(made)
    return made
