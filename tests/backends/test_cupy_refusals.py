"""Why CuPy cannot compute here: each reason in one line of its own that says what to do."""

import sys

import numpy as np
import pytest
from fake_cupy import CUDARuntimeError, DynamicLibNotFoundError, put_in_place
from fake_kernels import CompileException
from refusals import refusal

from anynet import backend


@pytest.fixture
def install(monkeypatch):
    return lambda **machine: put_in_place(monkeypatch, **machine)


TROUBLES = {
    "no driver": ({"status": 35, "driver": 0}, ["no NVIDIA driver", "install one", "another backend, such as numpy"]),
    "driver too old": (
        {"status": 35, "driver": 11040, "runtime": 12090},
        ["needs an NVIDIA driver for CUDA 12", "the one here is for CUDA 11.4;", "update the driver"],
    ),
    "no GPU": ({"status": 100}, ["found an NVIDIA driver, but no GPU", "CUDA_VISIBLE_DEVICES", "nvidia-smi"]),
    "another": ({"status": 999}, ["cannot reach a GPU", "CUDA error 999", "nvidia-smi"]),
    "toolkit missing": (
        {"trouble": ImportError("libcublas.so.12: cannot open shared object file\nand more"), "runtime": 12090},
        ["CUDA toolkit", "(libcublas.so.12: cannot open shared object file)", "pip install 'cupy-cuda12x[ctk]'"],
    ),
    "toolkit not found": (
        {"trouble": DynamicLibNotFoundError("Failure finding nvrtc\nsearched everywhere"), "runtime": 13000},
        ["CUDA toolkit", "(Failure finding nvrtc)", "pip install 'cupy-cuda13x[ctk]'"],
    ),
    "headers missing": (
        {"trouble": RuntimeError("Failed to find CUDA headers. Please install CUDA toolkit headers")},
        ["CUDA toolkit", "(Failed to find CUDA headers. ", "pip install 'cupy-cuda12x[ctk]'"],
    ),
    "libcublas broken": (
        {"trouble": RuntimeError("Failed to dlopen /x/libcublas.so.12: file too short"), "runtime": 13000},
        ["cannot open a library", "libcublas.so.12: file too short)", "--force-reinstall 'cupy-cuda13x[ctk]'"],
    ),
    "compiler too old": (
        {"trouble": CompileException("nvrtc: error: invalid value for --gpu-architecture\n", "", "", ())},
        [
            "cannot compile",
            "(nvrtc: error: invalid value for --gpu-architecture)",
            "install -U 'cupy-cuda12x[ctk]'",
        ],
    ),
    "full": (
        {"limit": 20},
        ["out of memory", "cuda:0", "2e-08 GB are free of 2e-08 GB", "nvidia-smi", "another backend, such as numpy"],
    ),
    "full, no context": (
        {"limit": 3 * 10**9, "trouble": CUDARuntimeError(2), "count": 2},
        ["out of memory", "free of 3 GB", "nvidia-smi", "choose another GPU"],
    ),
    "no cuBLAS handle": (
        {"limit": 3 * 10**9, "trouble": RuntimeError("CUBLAS_STATUS_ALLOC_FAILED")},
        ["out of memory", "free of 3 GB", "nvidia-smi", "another backend, such as numpy"],
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_troubles_are_told_apart(install, trouble):
    machine, parts = TROUBLES[trouble]
    install(**machine)
    message = refusal()
    for part in parts:
        assert part in message
    for other, (_, (first, *_)) in TROUBLES.items():
        assert (first in message) == (first == parts[0]), other
    assert message.startswith("cupy ")
    assert len(message) < 300


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(13, "Permission denied", "/home/u/.cupy"),
        OSError(28, "No space left on device"),
        OSError(24, "Too many open files"),
    ],
)
def test_files_that_the_system_refuses_are_not_the_toolkits(install, monkeypatch, error):
    monkeypatch.setenv("CUPY_CACHE_DIR", "/kept/here")
    install(trouble=error)
    message = refusal()
    assert message.startswith(f"cupy cannot use a file ({error}); CuPy keeps compiled kernels in /kept/here")
    assert "set CUPY_CACHE_DIR" in message

    from anynet.compiler.cuda.failures import explain

    assert explain(error).startswith(f"the system refuses a file ({error}); CuPy keeps")
    assert "toolkit" not in message + explain(error)


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(2, "No such file or directory", "libnvrtc.so.12"),
        OSError("libnvrtc.so.12: cannot open shared object file: No such file or directory"),
    ],
)
def test_libraries_that_are_not_found_are_the_toolkits(install, error):
    install(trouble=error)
    assert refusal().startswith("cupy lacks files of the CUDA toolkit")


@pytest.mark.parametrize("name", ["cupy:0", "cupy:gpu"])
@pytest.mark.parametrize("trouble", ["no driver", "no GPU"])
def test_a_missing_gpu_is_said_whatever_device_was_asked_for(install, name, trouble):
    machine, parts = TROUBLES[trouble]
    install(**machine)
    assert parts[0] in refusal(name)


@pytest.mark.parametrize(
    ("count", "name", "parts"),
    [
        (1, "cupy:1", ["no device 1 here", "choose cupy:0"]),
        (4, "cupy:4", ["no device 4 here", "choose cupy:0 to cupy:3"]),
        (4, "cupy:gpu", ["devices are numbers, as in cupy:0", '"gpu"']),
        (4, "cupy:-1", ["devices are numbers, as in cupy:0", '"-1"']),
        (4, "cupy:1.0", ["devices are numbers, as in cupy:0", '"1.0"']),
    ],
)
def test_devices_that_are_not_here_are_refused(install, count, name, parts):
    fake = install(count=count)
    message = refusal(name)
    for part in parts:
        assert part in message
    assert fake.log == []


def test_memory_that_cannot_be_asked_for_is_none_free(install, monkeypatch):
    """CUDA does not tell where no context fits."""
    fake = install(limit=3 * 10**9, trouble=CUDARuntimeError(2))

    def fail(device):
        raise CUDARuntimeError(2)

    monkeypatch.setattr(fake.cupy.cuda.Device, "mem_info", property(fail))
    assert "0 GB are free of 3 GB" in refusal()


def test_a_full_gpu_that_cannot_even_be_made_the_current_one(install, monkeypatch):
    """CUDA 12 makes a context then."""
    fake = install(limit=3 * 10**9)

    def fail(device):
        raise CUDARuntimeError(2)

    monkeypatch.setattr(fake.cupy.cuda.Device, "use", fail)
    assert refusal().startswith("cupy on cuda:0 is out of memory: 3 GB are free of 3 GB")


@pytest.mark.parametrize("wrong", [0.0, 2.0, np.nan])
def test_a_gpu_that_computes_nonsense_is_refused(install, monkeypatch, wrong):
    fake = install()
    ones = fake.cupy.ones
    monkeypatch.setattr(fake.cupy, "ones", lambda shape: ones(shape) * wrong)
    message = refusal()
    assert message.startswith("cupy computes wrong numbers on this GPU: expected 12 as the sum of a product, got ")
    assert "update the driver" in message


@pytest.mark.parametrize("version", ["13.6.0", "9.0.0b1"])
def test_an_old_cupy_is_refused_before_any_of_it_is_used(install, monkeypatch, version):
    fake = install(status=999)
    fake.cupy.__version__ = version
    monkeypatch.setitem(sys.modules, "anynet.backends.cupy", None)  # importing it would fail
    message = refusal()
    assert message.startswith(f"cupy {version} is too old: expected 14 or later; uninstall it, then pip install 'cupy-")


@pytest.mark.parametrize("version", ["14.0.0", "14.2.0", "15.0.0a1"])
def test_later_versions_are_not(install, version):
    install().cupy.__version__ = version
    assert backend("cupy").name == "cupy"


@pytest.mark.parametrize("machine", [{"status": 100}, {"status": 35}, {"trouble": RuntimeError("no hipcc")}])
def test_rocm_is_not_told_to_install_cuda(install, machine):
    install(**machine).cupy.cuda.runtime.is_hip = True
    message = refusal()
    assert "cupy for ROCm cannot" in message
    assert "rocminfo" in message
    assert "CUDA" not in message
    assert "NVIDIA" not in message


def test_rocm_connects(install):
    install().cupy.cuda.runtime.is_hip = True
    assert str(backend("cupy")) == "cupy on cuda:0"


@pytest.mark.parametrize("trouble", [RuntimeError("something else"), CUDARuntimeError(46), ZeroDivisionError()])
def test_an_error_that_is_none_of_these_is_told_as_it_is(install, trouble):
    install(trouble=trouble)
    message = refusal()
    assert message.startswith("cupy cannot compute on this GPU (")
    assert (str(trouble).splitlines()[0] if str(trouble) else type(trouble).__name__) in message


def test_the_real_cupy_without_a_gpu():
    cupy = pytest.importorskip("cupy", exc_type=ImportError)
    if cupy.is_available():
        pytest.skip("there is a GPU here")
    assert "driver" in refusal()
