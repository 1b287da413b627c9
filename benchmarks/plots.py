"""Results as pictures. Each function returns a Matplotlib figure."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from benchmarks.growth import AXES
from benchmarks.peers import ANYNET
from benchmarks.results import Result

OURS, THEIRS = "tab:blue", "silver"
ACROSS = 3


def ratios(results: Sequence[Result], title: str) -> Figure:
    """Bars of each peer's throughput as a multiple of the yardstick's, a panel for each workload; anynet's in blue."""
    names = list(dict.fromkeys(name for result in results for name in result.ratios))[::-1]
    across = min(len(results), ACROSS)
    down = math.ceil(len(results) / across)
    figure = Figure(figsize=(1.5 + 3.2 * across, down * (1.2 + 0.2 * len(names))), layout="constrained")
    figure.suptitle(title, fontsize="medium")
    panels = figure.subplots(down, across, sharey=True, squeeze=False).flat
    for result, axes in zip(results, panels, strict=False):
        values = [result.ratios.get(name, 0.0) for name in names]
        bars = axes.barh(names, values, color=[OURS if name.startswith(ANYNET) else THEIRS for name in names])
        axes.bar_label(bars, [f"{value:.2f}" if value else "" for value in values], padding=2, fontsize="x-small")
        axes.axvline(1, color="black", linewidth=0.8)
        axes.set(title=result.workload.name, xlabel=f"times {result.yardstick}")
        axes.margins(x=0.15)
    for axes in list(panels):  # those that are left over
        axes.axis("off")
    return figure


def growth(groups: Mapping[str, Sequence[Result]], title: str) -> Figure:
    """Images per second over what each group varies, a line for each peer, and the floors."""
    figure = Figure(figsize=(5.5 * len(groups), 4.2), layout="constrained")
    figure.suptitle(title, fontsize="medium")
    for axes, (what, results) in zip(figure.subplots(1, len(groups), squeeze=False)[0], groups.items(), strict=True):
        at = [AXES[what](result.workload) for result in results]
        for name in dict.fromkeys(name for result in results for name in result.rates):
            points = [(x, *result.rates[name]) for x, result in zip(at, results, strict=True) if name in result.rates]
            xs, lows, medians, highs = (list(column) for column in zip(*points, strict=True))
            lines = axes.plot(xs, medians, marker=".", label=name)
            axes.fill_between(xs, lows, highs, alpha=0.2, color=lines[0].get_color())
        for floor, style in (("shapes", "--"), ("peak", ":")):
            heights = [result.floors[floor] for result in results]
            axes.plot(at, heights, style, color="grey", label=f"floor: {floor}")
        axes.set(xlabel=what, ylabel="images/s", yscale="log")
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.grid(alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize="small")
    return figure
