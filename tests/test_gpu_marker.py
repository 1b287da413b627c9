"""The marker ``gpu`` is on all tests that need a GPU, and on no others."""

import re

from on_backends import GPUS

NAMES_ONLY = (
    "backends/test_choosing.py",
    "backends/test_cupy_contract.py",
    "benchmarks/test_peer_devices.py",
    "compiler/cuda/test_cuda_packages.py",
    "docs/test_documentation.py",
)
"""Files whose tests are about names and messages, or use the emulator, though their ids name a GPU's backend."""


def gpu_named(item):
    """Tell whether the id of a test has a GPU's backend as one of its parts: "emulated cupy" is another one."""
    parts = re.split(r"[\[\]-]", item.nodeid)
    return not item.nodeid.startswith(tuple(f"tests/{file}" for file in NAMES_ONLY)) and not {*GPUS}.isdisjoint(parts)


def test_tests_named_after_a_gpu_have_the_marker(collected):
    assert [item.nodeid for item in collected if gpu_named(item) != bool(item.get_closest_marker("gpu"))] == []


def test_tests_on_the_emulator_have_no_marker(collected):
    emulated = [item for item in collected if "emulated" in item.nodeid or "emulated_cupy" in item.fixturenames]
    assert [item.nodeid for item in emulated if item.get_closest_marker("gpu")] == []
