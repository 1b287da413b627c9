"""Peers on devices by name, the floors of a GPU, and what is said of one."""

from functools import partial

import numpy as np
import pytest
from tiny import TINY

from benchmarks import ceilings, floor, machine, peers, reference
from benchmarks.ceilings import Library
from benchmarks.data import Data
from benchmarks.measure import order_of
from benchmarks.peers.anynet_peer import Anynet

NORMALISED = TINY[3]


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("torch", False),
        ("torch:cpu", False),
        ("torch:cuda", True),
        ("jax-scan:gpu", True),
        ("torch-compile:cuda:1", True),
        ("anynet-numpy+numba", False),
        ("anynet-torch:cpu+eager", False),
        ("anynet-torch:cuda+eager", True),
        ("anynet-cupy+eager", True),
        ("anynet-cupy:1", True),
    ],
)
def test_names_tell_who_is_on_a_gpu(name, where):
    assert peers.known([name]) == [name]
    assert peers.on_gpu(name) == where


@pytest.mark.parametrize("name", ["torch+eager", "keras:cuda", "anynet-keras", "cupy"])
def test_names_that_nobody_has_are_refused(name):
    with pytest.raises(ValueError, match="peer"):
        peers.known([name])


def test_an_eager_peer_records_nothing():
    data, order = Data.draw(NORMALISED), order_of(NORMALISED, 0)
    trained = {name: Anynet(NORMALISED, data, name) for name in ("numpy", "numpy+eager")}
    for peer in trained.values():
        peer.train(order)
    calls = {name: peer.launches() for name, peer in trained.items()}
    assert calls["numpy"] > 10
    assert calls["numpy+eager"] is None


def test_a_captured_step_tells_its_kernels(emulated_cupy):
    data, order = Data.draw(NORMALISED), order_of(NORMALISED, 0)
    expected = reference.loss(NORMALISED, data, reference.trained(NORMALISED, data, order))
    trained = {name: Anynet(NORMALISED, data, name) for name in ("numpy", "cupy", "cupy+eager")}
    for peer in trained.values():
        peer.train(order)
        assert reference.loss(NORMALISED, data, peer.parameters()) == pytest.approx(expected, rel=reference.TOLERANCE)
    calls = {name: peer.launches() for name, peer in trained.items()}
    assert 0 < calls["cupy"] < calls["numpy"]
    assert calls["cupy+eager"] is None


def test_a_compiled_step_finds_all_but_the_batch_where_it_lies(monkeypatch):
    torch = pytest.importorskip("torch")
    from benchmarks.peers.torch_compile import TorchCompile

    given = []

    def look(graph, inputs):
        given.extend(node.meta["tensor_dict"] for node in graph.graph.nodes if node.op == "placeholder")
        return graph.forward

    traced = partial(torch.compile, backend=look)
    monkeypatch.setattr(torch, "compile", lambda step, fullgraph, mode: traced(step, fullgraph=fullgraph))
    peer = TorchCompile(NORMALISED, Data.draw(NORMALISED))
    peer.train(order_of(NORMALISED, 0))
    assert len(given) > 20
    assert sum("_dynamo_static_input_type" not in told for told in given) == 1


def test_floors_are_a_gpu_s_where_one_is_wanted_and_there(monkeypatch):
    """NumPy stands for a GPU of which a product takes 2 s, a copy 1 s."""
    took = {"matmul": 2.0, "copy": 1.0}
    done = []

    def do(what):
        return lambda *args, **kwargs: done.append(what)

    def seconds(function, at_least):
        function()
        return took[done[-1]]

    fake = Library("fake", np.asarray, do("matmul"), do("copy"), seconds)
    monkeypatch.setattr(ceilings, "SIDE", {"cpu": 4, "cuda": 8})
    monkeypatch.setattr(ceilings, "COPIED", {"cpu": 4, "cuda": 100})
    monkeypatch.setattr(ceilings, "libraries", lambda device: [fake] if device == "cuda" else [])
    found = floor.measure_machine(1, True)
    assert found == (2 * 8**3 / 2.0, 2 * 100 / 1.0, "cuda", {})
    assert floor.measure(NORMALISED, found).shapes == 2.0 * len(floor.products(NORMALISED))


def test_without_a_gpu_the_floors_are_the_processor_s(monkeypatch):
    monkeypatch.setattr(ceilings, "_on_gpu", lambda: iter(()))
    monkeypatch.setattr(ceilings, "SIDE", {"cpu": 64})
    monkeypatch.setattr(ceilings, "COPIED", {"cpu": 1000})
    monkeypatch.setattr(ceilings, "AT_LEAST", {"cpu": 0.0})
    found = floor.measure_machine(1, True)
    assert found.floor_of == "cpu"
    assert min(found.peak, found.bandwidth) > 0


def test_nvidia_smi_tells_of_the_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.gpu() is None
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559 MiB, 580.159.04'\n")
    program.chmod(0o755)
    assert machine.gpu() == "NVIDIA H100 80GB HBM3, 81559 MiB, driver 580.159.04"
    told = {"cpu": "AMD EPYC", "cores": 2, "gpu": machine.gpu(), "date": "2026-11-21T17:20:00+00:00"}
    assert machine.file_name(told) == "amd-epyc-2-cores-20261121-172000"
    assert machine.file_name(told, on_gpu=True) == "nvidia-h100-80gb-hbm3-20261121-172000"
