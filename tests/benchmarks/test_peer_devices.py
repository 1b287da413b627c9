"""Peers on devices by name, floors of a GPU, and its description."""

from functools import partial

import numpy as np
import pytest
from tiny_workloads import TINY

from benchmarks import floor, hardware, machine, peers, reference
from benchmarks.data import Data
from benchmarks.hardware import Library
from benchmarks.measure import order_of
from benchmarks.peers.anynet_peer import Anynet
from benchmarks.peers.base import LeftOutError

BATCH_NORM = TINY[3]


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("torch", False),
        ("torch:cpu", False),
        ("torch:cuda", True),
        ("jax-scan:gpu", True),
        ("torch-compile:cuda:1", True),
        ("anynet-numpy+llvm", False),
        ("anynet-torch:cpu+eager", False),
        ("anynet-torch:cuda+eager", True),
        ("anynet-cupy+eager", True),
        ("anynet-cupy:1", True),
    ],
)
def test_on_gpu(name, where):
    assert peers.check_names([name]) == [name]
    assert peers.on_gpu(name) == where


@pytest.mark.parametrize("name", ["torch+eager", "keras:cuda", "anynet-keras", "cupy"])
def test_unknown_peers_are_refused(name):
    with pytest.raises(ValueError, match="peer"):
        peers.check_names([name])


def test_nets_of_images_are_not_scanned_by_jax_on_the_cpu():
    pytest.importorskip("jax")
    images = next(workload for workload in TINY if workload.layers)
    with pytest.raises(LeftOutError, match="jax-step is faster"):
        peers.find("jax-scan")(images, Data.draw(images))


def test_eager_peer_records_no_step():
    data, order = Data.draw(BATCH_NORM), order_of(BATCH_NORM, 0)
    trained = {name: Anynet(BATCH_NORM, data, name) for name in ("numpy", "numpy+eager")}
    for peer in trained.values():
        peer.train(order)
    calls = {name: peer.launches() for name, peer in trained.items()}
    assert calls["numpy"] > 10
    assert calls["numpy+eager"] is None


def test_captured_step_counts_its_kernels(emulated_cupy):
    data, order = Data.draw(BATCH_NORM), order_of(BATCH_NORM, 0)
    expected = reference.loss(BATCH_NORM, data, reference.trained(BATCH_NORM, data, order))
    trained = {name: Anynet(BATCH_NORM, data, name) for name in ("numpy", "cupy", "cupy+separate", "cupy+eager")}
    for peer in trained.values():
        peer.train(order)
        assert reference.loss(BATCH_NORM, data, peer.parameters()) == pytest.approx(expected, rel=reference.TOLERANCE)
    calls = {name: peer.launches() for name, peer in trained.items()}
    assert 0 < 2 * calls["cupy"] < calls["cupy+separate"] < calls["numpy"]
    assert calls["cupy+eager"] is None


def test_only_cupy_has_kernels_that_are_joined():
    with pytest.raises(LeftOutError, match="numpy joins no kernels; choose anynet-cupy\\+separate"):
        Anynet(BATCH_NORM, Data.draw(BATCH_NORM), "numpy+separate")


def test_all_tensors_but_the_batch_have_static_addresses(monkeypatch):
    torch = pytest.importorskip("torch")
    from benchmarks.peers.torch_compile import TorchCompile

    given = []

    def look(graph, inputs):
        given.extend(node.meta["tensor_dict"] for node in graph.graph.nodes if node.op == "placeholder")
        return graph.forward

    traced = partial(torch.compile, backend=look)
    monkeypatch.setattr(torch, "compile", lambda step, fullgraph, mode: traced(step, fullgraph=fullgraph))
    peer = TorchCompile(BATCH_NORM, Data.draw(BATCH_NORM))
    peer.train(order_of(BATCH_NORM, 0))
    assert len(given) > 20
    assert sum("_dynamo_static_input_type" not in entry for entry in given) == 1


def test_floors_of_a_gpu(monkeypatch):
    """NumPy stands for a GPU that takes 2 s for a product and 1 s for a copy."""
    took = {"matmul": 2.0, "copy": 1.0}
    done = []

    def do(what):
        return lambda *args, **kwargs: done.append(what)

    def seconds(function, at_least):
        function()
        return took[done[-1]]

    fake = Library("fake", np.asarray, do("matmul"), do("copy"), seconds)
    monkeypatch.setattr(hardware, "SIDE", {"cpu": 4, "cuda": 8})
    monkeypatch.setattr(hardware, "COPY_BYTES", {"cpu": 4, "cuda": 100})
    monkeypatch.setattr(hardware, "libraries", lambda device: [fake] if device == "cuda" else [])
    found = floor.measure_machine(1, True)
    assert found == (2 * 8**3 / 2.0, 2 * 100 / 1.0, "cuda", {})
    assert floor.measure(BATCH_NORM, found).shapes == 2.0 * len(floor.products(BATCH_NORM))


def test_floors_of_the_cpu_without_a_gpu(monkeypatch):
    monkeypatch.setattr(hardware, "_on_gpu", lambda: iter(()))
    monkeypatch.setattr(hardware, "SIDE", {"cpu": 64})
    monkeypatch.setattr(hardware, "COPY_BYTES", {"cpu": 1000})
    monkeypatch.setattr(hardware, "MIN_SECONDS", {"cpu": 0.0})
    found = floor.measure_machine(1, True)
    assert found.floor_of == "cpu"
    assert min(found.peak, found.bandwidth) > 0


def test_gpu_description_from_nvidia_smi(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.gpu() is None
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559 MiB, 580.159.04'\n")
    program.chmod(0o755)
    assert machine.gpu() == "NVIDIA H100 80GB HBM3, 81559 MiB, driver 580.159.04"
    description = {"cpu": "AMD EPYC", "cores": 2, "gpu": machine.gpu(), "date": "2026-11-21T17:20:00+00:00"}
    assert machine.file_name(description) == "amd-epyc-2-cores-20261121-172000"
    assert machine.file_name(description, on_gpu=True) == "nvidia-h100-80gb-hbm3-20261121-172000"
