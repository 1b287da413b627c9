"""Figures of throughput."""

from tiny_workloads import FloorStub, Stub

from benchmarks import growth, plots
from benchmarks.floor import Machine
from benchmarks.measure import measure


def test_growth_has_a_line_per_peer_and_floor(monkeypatch):
    monkeypatch.setattr("benchmarks.measure.PAUSE", 0)
    workers = {"torch": Stub(), "anynet-numpy": Stub()}
    groups = {
        title: [measure(w.shortened(1), workers, FloorStub(), Machine(1e9, 1e9), 2, print) for w in group[:2]]
        for title, group in growth.workloads().items()
    }
    panels = plots.growth(groups, "Growth").axes
    assert [len(axes.get_lines()) for axes in panels] == [4, 4, 2, 2]
    assert [axes.get_xlabel() for axes in panels] == ["", "", "batch size", "width"]
    assert [axes.get_ylabel() for axes in panels] == ["images/s"] * 2 + ["times torch"] * 2
