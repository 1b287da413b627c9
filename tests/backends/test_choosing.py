"""Choosing a backend: by argument, by environment, and what is said of those that cannot be had."""

import importlib.util
import os
import subprocess
import sys

import pytest
from refusals import refusal

from anynet import backend
from anynet.backends import LIBRARIES


def run(program, **environment):
    """What a Python of its own prints, line by line."""
    ran = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return ran.stdout.splitlines()


@pytest.mark.parametrize("variable", [None, "", "numpy"])
def test_numpy_is_the_default(variable, monkeypatch):
    if variable is not None:
        monkeypatch.setenv("ANYNET_BACKEND", variable)
    for chosen in (backend(), backend(None), backend("numpy"), backend("numpy:cpu")):
        assert (chosen.name, chosen.device, str(chosen)) == ("numpy", "cpu", "numpy on cpu")


@pytest.mark.parametrize("name", ["torch:cpu", "jax:cpu:0"])
def test_the_environment_chooses_and_the_argument_overrules_it(name, monkeypatch):
    pytest.importorskip(name.partition(":")[0])
    monkeypatch.setenv("ANYNET_BACKEND", name)
    assert backend().name == name.partition(":")[0]
    assert backend("numpy").name == "numpy"
    monkeypatch.setenv("ANYNET_BACKEND", "numpy")
    assert backend(name).name == name.partition(":")[0]


def test_a_wrong_name_in_the_environment_is_refused(monkeypatch):
    monkeypatch.setenv("ANYNET_BACKEND", "numpi")
    assert refusal(None) == 'there is no backend "numpi"; did you mean "numpy"?'
    assert backend("numpy").name == "numpy"


def test_devices_of_torch():
    torch = pytest.importorskip("torch")
    assert backend("torch:cpu").device == torch.device("cpu")
    assert backend("torch").device.type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_devices_of_jax():
    jax = pytest.importorskip("jax")
    assert backend("jax").device == jax.devices()[0]
    for name in ("jax:cpu", "jax:cpu:0"):
        assert backend(name).device == jax.devices("cpu")[0]


def test_devices_of_jax_by_number():
    pytest.importorskip("jax")
    program = """
import anynet
for name in ("jax", "jax:cpu", "jax:cpu:0", "jax:cpu:2"):
    print(anynet.backend(name).device.id)
print(*anynet.backend("jax").devices())
try:
    anynet.backend("jax:cpu:3")
except anynet.BackendError as error:
    print(error)
"""
    assert run(program, XLA_FLAGS="--xla_force_host_platform_device_count=3", JAX_PLATFORMS="cpu") == [
        *("0", "0", "0", "2"),
        "cpu:0 cpu:1 cpu:2",
        'jax has no device "cpu:3" here; choose jax:cpu:0, jax:cpu:1, jax:cpu:2',
    ]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("numpi", 'did you mean "numpy"?'),
        ("Torch:cpu", 'did you mean "torch"?'),
        ("pytorch", 'did you mean "torch"?'),
        ("xyz", 'there are "cupy", "jax", "numpy", "torch"'),
        (":1", 'there are "cupy", "jax", "numpy", "torch"'),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(name, near):
    assert refusal(name) == f'there is no backend "{name.partition(":")[0]}"; {near}'


@pytest.mark.parametrize("library", ["cupy", "torch", "jax"])
def test_what_is_not_installed_is_refused_with_the_command_that_installs_it(library, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == library else find_spec(name))
    message = refusal(f"{library}:1")
    assert message.startswith(f"{library} is not installed")
    assert LIBRARIES[library] in message
    assert "pip install" in message


def test_what_does_not_import_is_refused_with_the_reason(tmp_path):
    """As with a CUDA library that is missing beneath an installed package."""
    (tmp_path / "cupy.py").write_text("raise ImportError('libcublas.so.12: cannot open shared object file')")
    program = """
import anynet
try:
    anynet.backend("cupy")
except anynet.BackendError as error:
    print(error)
"""
    (message,) = run(program, PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    assert message.startswith("cupy is installed but does not work here")
    assert "libcublas.so.12: cannot open shared object file" in message
    assert "pip install 'cupy-cuda12x[ctk]'" in message


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("numpy:1", ['"1"', "choose numpy without a device"]),
        ("numpy:cuda", ['"cuda"', "choose numpy without a device"]),
        ("torch:cuda", ['cannot use the device "cuda"', "choose torch:cpu"]),
        ("torch:cuda:99", ['cannot use the device "cuda:99"', "choose torch:cpu"]),
        ("torch:nonsense", ['no device "nonsense"', "torch:cpu, torch:cuda or torch:cuda:1"]),
        ("jax:gpu", ['no device "gpu"', "choose jax:cpu:0"]),
        ("jax:cpu:7", ['no device "cpu:7"', "choose jax:cpu:0"]),
        ("jax:cpu:one", ['no device "cpu:one"', "choose jax:cpu:0"]),
        ("jax:nonsense", ['no device "nonsense"', "choose jax:cpu:0"]),
    ],
)
def test_devices_that_are_not_here_are_refused(name, parts):
    library = name.partition(":")[0]
    module = pytest.importorskip(library)
    if name == "torch:cuda" and module.cuda.is_available():
        pytest.skip("there is a GPU here")
    if name == "jax:gpu" and module.default_backend() == "gpu":
        pytest.skip("there is a GPU here")
    if name == "jax:cpu:7" and len(module.devices("cpu")) > 7:
        pytest.skip("JAX has that many devices here")
    message = refusal(name)
    assert message.startswith(library)
    for part in parts:
        assert part in message


@pytest.mark.parametrize("library", ["numpy", "jax"])
def test_only_the_library_that_is_chosen_is_imported(library):
    pytest.importorskip(library)
    program = f"""
import sys
import anynet
print(*sorted({{"torch", "jax", "cupy"}} & sys.modules.keys()))
anynet.backend("{library}")
print(*sorted({{"torch", "jax", "cupy"}} & sys.modules.keys()))
"""
    assert run(program) == ["", library if library != "numpy" else ""]
