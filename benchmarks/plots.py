"""Figures of the results (Matplotlib)."""

import math
from collections.abc import Mapping, Sequence

from anynet.plots import Figure
from benchmarks.growth import AXES, axis
from benchmarks.peers import ANYNET
from benchmarks.results import Result

ANYNET_COLOR, PEER_COLOR = "tab:blue", "silver"
COLUMNS = 3


def ratios(results: Sequence[Result], title: str) -> Figure:
    """Return bar charts of throughput relative to the baseline, a panel per workload; anynet's bars are blue."""
    names = list(dict.fromkeys(name for result in results for name in result.ratios))[::-1]
    columns = min(len(results), COLUMNS)
    rows = math.ceil(len(results) / columns)
    figure = Figure(figsize=(1.5 + 3.2 * columns, rows * (1.2 + 0.2 * len(names))), layout="constrained")
    figure.suptitle(title, fontsize="medium")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).flat
    for result, axes in zip(results, panels, strict=False):
        values = [result.ratios.get(name, 0.0) for name in names]
        bars = axes.barh(
            names, values, color=[ANYNET_COLOR if name.startswith(ANYNET) else PEER_COLOR for name in names]
        )
        axes.bar_label(bars, [f"{value:.2f}" if value else "" for value in values], padding=2, fontsize="x-small")
        axes.axvline(1, color="black", linewidth=0.8)
        axes.set(title=result.workload.name, xlabel=f"times {result.baseline}")
        axes.margins(x=0.15)
    for axes in list(panels):  # unused panels
        axes.axis("off")
    return figure


def growth(groups: Mapping[str, Sequence[Result]], title: str) -> Figure:
    """Return plots of images per second and of ratios to the baseline over the varied size, a column per group."""
    figure = Figure(figsize=(max(5.5 * len(groups), 8), 7), layout="constrained")
    figure.suptitle(title, fontsize="medium")
    names = list(dict.fromkeys(name for results in groups.values() for result in results for name in result.rates))
    panels = figure.subplots(2, len(groups), squeeze=False, sharex="col", height_ratios=(3, 2))
    for (upper, lower), (group, results) in zip(panels.T, groups.items(), strict=True):
        varied = AXES[axis(group)]
        for i, name in enumerate(names):
            timed = [result for result in results if name in result.rates]
            at, color = [varied(result.workload) for result in timed], f"C{i}"
            lows, medians, highs = (
                zip(*(result.rates[name] for result in timed), strict=True) if timed else ((), (), ())
            )
            upper.plot(at, medians, marker=".", color=color, label=name)
            upper.fill_between(at, lows, highs, alpha=0.2, color=color)
            lower.plot(at, [result.ratios[name] for result in timed], marker=".", color=color)
        for floor, style in (("shapes", "--"), ("peak", ":")):
            heights = [result.floors[floor] for result in results]
            at = [varied(result.workload) for result in results]
            upper.plot(at, heights, style, color="grey", label=f"floor: {floor}")
        upper.set(title="" if group in AXES else group, ylabel="images/s", yscale="log")
        lower.set(xlabel=axis(group), ylabel=f"times {results[0].baseline}", yscale="log")
        for axes in (upper, lower):
            axes.set_xscale("log", base=2)
            axes.grid(alpha=0.3)
        lower.xaxis.set_major_formatter(_plain)
        lower.yaxis.set_major_formatter(_plain)
        lower.yaxis.set_minor_formatter(_plain)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 6), fontsize="small")
    return figure


def _plain(x: float, _: object) -> str:
    return f"{x:g}"
