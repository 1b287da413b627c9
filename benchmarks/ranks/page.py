"""Page and figure of measured and predicted speeds."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from anynet.plots import Figure
from anynet.plots.scales import set_log
from anynet.plots.style import CYCLE, QUIET, figure, legend_below, styled
from benchmarks import tables
from benchmarks.ranks import model, sums, throughput
from benchmarks.ranks.model import Net
from benchmarks.ranks.networks import Network

TITLE = "Several processes"
RANKS = [2**i for i in range(11)]
BACKEND = "numpy+llvm"
"""Backend whose steps were measured."""
MEMBERS = 40
STEPS = 50
"""Simulated steps."""


def page(
    parts: Mapping[str, Mapping[str, Any]], nets: Mapping[str, Net], networks: Sequence[Network], picture: str
) -> str:
    """Return the page in Markdown."""
    machine = parts["throughput"]["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    here, *_ = networks
    text = [
        f"# {TITLE}",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, {machine['date']}; medians of "
        f"{parts['throughput']['repeats']} repeats; {versions}.",
        "## Measured",
        "Images per second, times those of one process with one thread. *2 ranks* train one net on half of every batch "
        "each; *2 nets* are trained by a process each; with *half batches* they compute what two ranks do, without "
        f"sums. In half of the variants the {parts['throughput']['repeats']} repeats spread by less than "
        f"{_spread(parts)} of their median, from the fastest to the slowest: the machine is virtual, beside others.",
        tables.markdown(throughput.table(parts["throughput"]["results"])),
        "Sums of float32 over two processes on one machine: `Ranks.sum_into` of anynet, which looks for ranks that "
        "have ended while it waits, and mpi4py's `Allreduce` and `Iallreduce` with a blocking wait.",
        tables.markdown(sums.table(parts["sums"]["results"])),
        "## Model",
        "The time of a step of R ranks is that of a step with ⌈batch / R⌉ samples in one process (measured, with one "
        "thread; linear between measured batch sizes) and that of its sums: one of all gradients and the loss, three "
        "for each batch normalization. A sum takes the time of the fastest of recursive doubling, Rabenseifner's "
        "algorithm (Thakur, Rabenseifner and Gropp 2005, doi:10.1177/1094342005051521) and the ring (Patarasuk and "
        "Yuan 2009, doi:10.1016/j.jpdc.2008.09.002), with these parameters:",
        tables.markdown(_parameters(networks)),
        "**Only one and two ranks on shared memory were measured; all else on this page is computed.** The model has "
        "no congestion, and in shared memory no limit of bandwidth: cores of one machine share it.",
        "### Against the measurements",
        "Microseconds of a step of two ranks: measured, predicted from one process that is alone, and predicted with "
        "both cores busy, from two nets with half batches at the same time. The model does not wait for the slower "
        "rank.",
        tables.markdown(_checked(parts["throughput"]["results"], nets, here)),
        "### Predicted",
        f"![Predicted speed over ranks]({picture})",
        "At the batch size of each net, and at the largest that was measured: the greatest speedup, with the ranks "
        "that reach it, and the most ranks with at least half of the ideal speedup.",
        tables.markdown(_predicted(nets, networks)),
        f"Members exchange nothing: {MEMBERS} of them are trained "
        + ", ".join(f"{model.members_speedup(MEMBERS, r):.4g} times as fast by {r} ranks" for r in (2, 8, 16, 64))
        + "; ranks beyond the number of members have nothing to do.",
        "### Simulated",
        f"Seconds of {STEPS} steps in which the share of each rank takes a time drawn from steps measured one by one, "
        "divided by the model's: what waiting for the slowest rank costs.",
        tables.markdown(_simulated(nets, networks[-1])),
    ]
    return "\n\n".join(text) + "\n"


@styled()
def figure_of(nets: Mapping[str, Net], networks: Sequence[Network]) -> Figure:
    """Return predicted speedups over ranks: a panel for each network, a line for each net."""
    made = figure(11, 4, "Speedup over ranks (predicted)", "solid: at the net's own batch size; dotted: members")
    panels = made.subplots(1, len(networks), sharey=True)
    for axes, network in zip(panels, networks, strict=True):
        for net, style in zip(nets.values(), CYCLE, strict=False):
            ranks = _ranks(net, net.batch_size)
            label = f"{net.name}, batches of {net.batch_size}"
            axes.plot(ranks, [model.speedup(net, net.batch_size, r, network) for r in ranks], label=label, **style)
        axes.plot(
            RANKS, [model.members_speedup(MEMBERS, r) for r in RANKS], ":", color=QUIET, label=f"{MEMBERS} members"
        )
        set_log(axes, "x", base=2)
        set_log(axes, "y", base=2)
        axes.set(title=network.name, xlabel="ranks", ylabel="times as fast as one")
    legend_below(made)
    return made


def _ranks(net: Net, batch: int) -> list[int]:
    """Return numbers of ranks whose shares were measured."""
    return [r for r in RANKS if -(-batch // r) >= net.sizes[0] and r <= batch]


def _spread(parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the median over the variants of the distance between the fastest and the slowest repeat."""
    every = [seconds for result in parts["throughput"]["results"] for seconds in result["seconds"].values()]
    return f"{statistics.median((max(each) - min(each)) / statistics.median(each) for each in every):.0%}"


def _parameters(networks: Sequence[Network]) -> Table:
    table = Table("network", "message, µs", "GB/s", "addition, GB/s", "call, µs", "source")
    for n in networks:
        rates = (f"{1e6 * n.alpha:.3g}", f"{1e-9 / n.beta:.3g}" if n.beta else "-", f"{1e-9 / n.gamma:.3g}")
        table.add_row(n.name, *rates, f"{1e6 * n.overhead:.3g}", n.source)
    return table


def _checked(results: Sequence[Mapping[str, Any]], nets: Mapping[str, Net], here: Network) -> Table:
    columns = "measured", "predicted", "error", "of it sums", "with both cores busy", "error"
    table = Table("net", *columns)
    for result in results:
        if result["backend"] != BACKEND:
            continue
        net, batch, steps = nets[result["workload"]], result["batch size"], result["images"] / result["batch size"]
        took = statistics.median(result["seconds"]["2 ranks"]) / steps
        halves = statistics.median(result["seconds"]["2 nets, half batches"]) / steps / 2
        added = sum(here.sum(2, n) for n in net.sums)
        cells = []
        for predicted in (model.step(net, batch, 2, here), halves + added):
            cells += [f"{1e6 * predicted:,.0f}", f"{predicted / took - 1:+.0%}"]
        cells.insert(2, f"{1e6 * added:,.0f}")
        table.add_row(net.name, f"{1e6 * took:,.0f}", *cells)
    return table


def _predicted(nets: Mapping[str, Net], networks: Sequence[Network]) -> Table:
    columns = [f"{network.name}: {what}" for network in networks for what in ("greatest", "half")]
    table = Table("net", "batch", *columns)
    for net in nets.values():
        for batch in dict.fromkeys((net.batch_size, net.sizes[-1])):
            cells = []
            for network in networks:
                found = {r: model.speedup(net, batch, r, network) for r in _ranks(net, batch)}
                best = max(found, key=found.__getitem__)
                half = max(r for r, value in found.items() if value >= r / 2)
                cells += [f"{found[best]:.3g} ({best})", f"{half}"]
            table.add_row(net.name, f"{batch}", *cells)
    return table


def _simulated(nets: Mapping[str, Net], network: Network) -> Table:
    many = (2, 16, 128, 1024)
    table = Table(f"net, {network.name}", "batch", *(f"{r} ranks" for r in many))
    for net in nets.values():
        batch, cells = net.sizes[-1], []
        for ranks in many:
            if ranks not in _ranks(net, batch):
                cells.append(tables.NONE)
                continue
            rng = np.random.default_rng(ranks)
            simulated = model.simulate(net, batch, ranks, network, STEPS, rng)
            cells.append(f"{simulated / model.step(net, batch, ranks, network):.2f}")
        table.add_row(net.name, f"{batch}", *cells)
    return table
