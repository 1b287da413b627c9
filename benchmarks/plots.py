"""Results as pictures. Each function returns a Matplotlib figure."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from benchmarks.growth import AXES, axis
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
    """Images per second over what each group varies, a line for each peer, and the floors; below, the ratios."""
    figure = Figure(figsize=(max(5.5 * len(groups), 8), 7), layout="constrained")
    figure.suptitle(title, fontsize="medium")
    names = list(dict.fromkeys(name for results in groups.values() for result in results for name in result.rates))
    plain = FuncFormatter(lambda x, _: f"{x:g}")
    panels = figure.subplots(2, len(groups), squeeze=False, sharex="col", height_ratios=(3, 2))
    for (upper, lower), (what, results) in zip(panels.T, groups.items(), strict=True):
        varied = AXES[axis(what)]
        for i, name in enumerate(names):
            own = [result for result in results if name in result.rates]
            at, color = [varied(result.workload) for result in own], f"C{i}"
            lows, medians, highs = zip(*(result.rates[name] for result in own), strict=True) if own else ((), (), ())
            upper.plot(at, medians, marker=".", color=color, label=name)
            upper.fill_between(at, lows, highs, alpha=0.2, color=color)
            lower.plot(at, [result.ratios[name] for result in own], marker=".", color=color)
        for floor, style in (("shapes", "--"), ("peak", ":")):
            heights = [result.floors[floor] for result in results]
            at = [varied(result.workload) for result in results]
            upper.plot(at, heights, style, color="grey", label=f"floor: {floor}")
        upper.set(title="" if what in AXES else what, ylabel="images/s", yscale="log")
        lower.set(xlabel=axis(what), ylabel=f"times {results[0].yardstick}", yscale="log")
        for axes in (upper, lower):
            axes.set_xscale("log", base=2)
            axes.grid(alpha=0.3)
        lower.xaxis.set_major_formatter(plain)
        lower.yaxis.set_major_formatter(plain)
        lower.yaxis.set_minor_formatter(plain)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 6), fontsize="small")
    return figure
