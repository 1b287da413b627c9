"""The fake CuPy and cuBLAS have the names, arguments and constants of the real packages."""

import inspect
import json
import re
import subprocess
import sys

import fake_cublas
import fake_gpu
import numpy as np
import pytest
from fake_arrays import IMPLICIT
from fake_cupy import DynamicLibNotFoundError, Fake, put_in_place
from fake_memory import OutOfMemoryError

cupy = pytest.importorskip("cupy", exc_type=ImportError)

FAKE = Fake()
MODULES = [name for name in FAKE.modules if name.startswith("cupy.") or name == "cupy"]
SUBMODULES = {name.rpartition(".")[2] for name in MODULES}  # CuPy does not import all of them itself
MODULES.remove("cupy.cuda.nccl")  # which is empty without NCCL
OURS = {"values", "of", "push", "run", "refuse_capture", "graph", "place", "stream", "wait", "gpu", "works"}
"""Attributes that only the classes of the fake have."""


def real(path):
    """Return an object of CuPy by its path, such as ``cupy.cuda.Stream``."""
    thing = cupy
    for name in path.split(".")[1:]:
        thing = getattr(thing, name)
    return thing


def parameters(function):
    """Return parameter names, from the signature or, for Cython, from the first line of the docstring."""
    try:
        names = list(inspect.signature(function).parameters)
    except ValueError:
        line = re.match(r"[\w.]+\((.*)\)", function.__doc__).group(1)
        names = [part.partition("=")[0].split()[-1].strip("*") for part in line.split(",") if part.strip(" /*")]
    return [name for name in names if name != "self"]


@pytest.mark.parametrize("module", MODULES)
def test_names(module):
    names = {name for name in vars(FAKE.modules[module]) if not name.startswith("__")}
    assert {name for name in names if not hasattr(real(module), name)} <= SUBMODULES


CLASSES = ["cupy.ndarray", *(f"cupy.cuda.{name}" for name in ("Device", "Event", "Graph", "MemoryPointer", "Stream"))]


@pytest.mark.parametrize("path", CLASSES)
def test_methods(path):
    module, _, name = path.rpartition(".")
    fake = getattr(FAKE.modules[module], name)
    names = {name for name in dir(fake) if not name.startswith("_")} - OURS
    assert names <= set(dir(real(path)))


FUNCTIONS = [f"cupy.{name}" for name in ("array", "asarray", "asnumpy", "copyto", "empty", "empty_like")]
FUNCTIONS += ["cupy.RawModule", "cupy.RawModule.get_function", "cupy.RawModule.compile", "cupy.ndarray.set"]
FUNCTIONS += ["cupy.ndarray.get", "cupy.cuda.Event", "cupy.cuda.Stream", "cupy.cuda.Event.record", "cupy.cuda.Device"]
FUNCTIONS += [f"cupy.cuda.Stream.{name}" for name in ("begin_capture", "end_capture", "record", "wait_event")]
FUNCTIONS += ["cupy.cuda.Graph.launch", "cupy.cuda.Graph.upload", "cupy.cuda.compiler.CompileException"]
FUNCTIONS += ["cupy.cuda.runtime.memcpyAsync", "cupy.cuda.runtime.memsetAsync", "cupy.cuda.get_current_stream"]


@pytest.mark.parametrize("path", FUNCTIONS)
def test_arguments(path):
    """The arguments of the fake have the names and positions of CuPy's; it may take fewer."""
    fake = FAKE.cupy
    for name in path.split(".")[1:]:
        fake = getattr(fake, name)
    theirs, ours = parameters(real(path)), parameters(fake)
    by_name = {p.name for p in inspect.signature(fake).parameters.values() if p.kind is p.KEYWORD_ONLY}
    places = [name for name in ours if name not in by_name]
    assert places == theirs[: len(places)]
    assert by_name <= set(theirs)


def test_numbers():
    assert cupy.cuda.runtime.memcpyDeviceToDevice == FAKE.cupy.cuda.runtime.memcpyDeviceToDevice
    for name, thing in vars(FAKE.cupy).items():
        if isinstance(thing, float) or (isinstance(thing, type) and issubclass(thing, np.generic)):
            np.testing.assert_equal(getattr(cupy, name), thing)


@pytest.mark.parametrize("status", fake_gpu.MESSAGES)
def test_errors(status):
    error = cupy.cuda.runtime.CUDARuntimeError(status)
    assert (error.status, str(error)) == (status, str(fake_gpu.CUDARuntimeError(status)))
    assert isinstance(error, RuntimeError)


def test_devices_are_equal_by_number_and_have_no_hash():
    assert cupy.cuda.Device(1) == cupy.cuda.Device(1) != cupy.cuda.Device(0)
    with pytest.raises(TypeError, match="unhashable"):
        hash(cupy.cuda.Device(0))


def test_out_of_memory_is_a_memory_error():
    ours, theirs = OutOfMemoryError(3000, 2000), cupy.cuda.memory.OutOfMemoryError(3000, 2000)
    assert isinstance(theirs, MemoryError)
    assert str(ours) == str(theirs)


def test_no_capture_on_the_default_stream():
    with pytest.raises(RuntimeError, match="cannot capture on the default"):
        cupy.cuda.Stream.null.begin_capture()


def test_implicit_conversion():
    if cupy.is_available():
        array = cupy.zeros(3)
    else:  # memory that is not accessed
        memory = cupy.cuda.UnownedMemory(4096, 24, None, 0)
        array = cupy.ndarray((3,), memptr=cupy.cuda.MemoryPointer(memory, 0))
    with pytest.raises(TypeError, match=re.escape(IMPLICIT)):
        np.asarray(array)


def test_where_libraries_are_found():
    pathfinder, fake = pytest.importorskip("cuda.pathfinder"), FAKE.modules["cuda.pathfinder"]
    assert parameters(pathfinder.load_nvidia_dynamic_lib) == parameters(fake.load_nvidia_dynamic_lib)
    assert "abs_path" in inspect.signature(pathfinder.LoadedDL).parameters
    assert pathfinder.DynamicLibNotFoundError.__bases__ == DynamicLibNotFoundError.__bases__


def run_with(module, library, folder, code):
    """Return what code prints of a module of CuPy, in another process that has an empty library if there is none."""
    (folder / "empty.c").write_text("int nothing;")
    command = ["g++", "-shared", "-fPIC", f"-Wl,-soname,{library}", "empty.c", "-o", library]
    subprocess.run(command, cwd=folder, check=True)
    start = f"""
import ctypes, json, os, sys
sys.setdlopenflags(os.RTLD_LAZY)
try:
    import cupy_backends.cuda.libs.{module} as {module}
except ImportError:
    ctypes.CDLL({str(folder / library)!r})
    import cupy_backends.cuda.libs.{module} as {module}
"""
    process = [sys.executable, "-c", start + code]
    return json.loads(subprocess.run(process, check=True, capture_output=True, text=True).stdout)


@pytest.fixture(scope="module")
def cublas_numbers(tmp_path_factory):
    """The constants of CuPy's module."""
    code = """
from cupy.cuda import runtime
numbers = vars(runtime) | vars(cublas)
print(json.dumps({name: numbers[name] for name in numbers if name.startswith(("CUBLAS_", "CUDA_R_"))}))
"""
    library = f"libcublas.so.{cupy.cuda.runtime.runtimeGetVersion() // 1000}"
    return run_with("cublas", library, tmp_path_factory.mktemp("cublas"), code)


def test_cublas_numbers(monkeypatch, cublas_numbers):
    put_in_place(monkeypatch)
    ours = vars(sys.modules["anynet.compiler.cuda.cublas"])
    assert len(ours.keys() & cublas_numbers.keys()) == 9
    kinds = (fake_cublas.Operation, fake_cublas.ComputeType, fake_cublas.GemmAlgo, fake_cublas.CudaDataType)
    fakes = {member.name: member for kind in kinds for member in kind}
    assert fakes == {name: cublas_numbers[name] for name in fakes}
    assert {**cublas_numbers, **ours} == {**ours, **cublas_numbers}


def test_nccl(tmp_path):
    code = """
methods = vars(nccl.NcclCommunicator)
found = {name: methods[name].__doc__ for name in methods if not name.startswith("_")}
print(json.dumps([sorted(vars(nccl)), int(nccl.NCCL_SUM), issubclass(nccl.NcclError, RuntimeError), found]))
"""
    names, add, is_runtime_error, methods = run_with("nccl", "libnccl.so.2", tmp_path, code)
    fake = FAKE.modules["cupy.cuda.nccl"]
    assert {name for name in vars(fake) if not name.startswith("__")} <= set(names)
    assert (add, is_runtime_error) == (fake.NCCL_SUM, True)
    for name in ("allReduce", "abort", "destroy", "check_async_error"):
        arguments = re.match(r"[\w.]+\((.*)\)", methods[name])[1].split(", ")[1:]
        assert [each.split()[-1] for each in arguments] == parameters(getattr(fake.NcclCommunicator, name))
