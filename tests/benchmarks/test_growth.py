"""Workloads over batch size: their order, and break-even points."""

from tiny_workloads import FloorStub, Stub

from benchmarks import growth, tables
from benchmarks.floor import Machine
from benchmarks.measure import measure
from benchmarks.workloads import WORKLOADS

MACHINE = Machine(1e9, 1e9)


def test_images_do_not_depend_on_the_batch_size():
    groups = growth.workloads([WORKLOADS["W3"], WORKLOADS["W5"]])
    assert list(groups) == ["W3", "W5"]
    for name, group in groups.items():
        assert [w.batch_size for w in group] == [64, 128, 256, 512, 1024, 2048, 4096, 8192]
        assert {w.hidden for w in group} == {WORKLOADS[name].hidden}
        assert len({w.images for w in group}) == 1
        assert group[-1].steps > 1


def test_coarse_first_order():
    groups = growth.workloads([WORKLOADS["W1"], WORKLOADS["W2"]])
    order = [workload.name for workload in growth.coarse_first(groups)]
    assert order[:6] == ["W1 at 64", "W1 at 8192", "W2 at 64", "W2 at 8192", "W1 at 1024", "W2 at 1024"]
    assert sorted(order) == sorted(workload.name for group in groups.values() for workload in group)


def test_break_even(monkeypatch):
    monkeypatch.setattr("benchmarks.measure.PAUSE", 0)
    seconds = {"a": [1.0, 1.0, 1.0, 1.0], "b": [0.5, 2.0, 1.0, 0.5], "c": [2.0, 2.0, 2.0, 2.0]}
    group = [w.shortened(1) for w in growth.workloads()["batch size"][:4]]
    results = [
        measure(w, {name: Stub(seconds=took[i]) for name, took in seconds.items()}, FloorStub(), MACHINE, 2, print)
        for i, w in enumerate(group)
    ]
    rows = tables.markdown(tables.break_even({"batch size": results})).splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert cells[0] == ["as fast as a, from", "batch size"]
    assert cells[2:] == [["b", "128"], ["c", "-"]]
